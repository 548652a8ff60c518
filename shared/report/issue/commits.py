"""A commit as a reader can look it up: its abbreviated id, linked, and where it came from."""

from shared.proof.model.history import Commit
from shared.report.links import Links, format_link
from shared.text.escaping import format_code_span, escape_markdown
from shared.text.phrases import quote_untrusted, short_sha


def link_commit(commit: str, links: Links) -> str:
    """The first digits of its id as code, linked to the commit."""
    return format_link(format_code_span(short_sha(commit)), links.commit(commit))


def link_commit_with_subject(commit: Commit, links: Links) -> str:
    """The same with its subject."""
    return f"{link_commit(commit.id, links)} ({escape_markdown(quote_untrusted(commit.subject, 100))})"


def link_author(commit: Commit, links: Links) -> str:
    """A name, linked to a page: no mention, nobody is told."""
    return format_link(escape_markdown(quote_untrusted(commit.author, 80)), links.find_origin(commit.id).author_url)


def pull_request_phrase(commit: str, links: Links) -> str:
    """`, came with pull request 12`, linked; "" for none. Never with a number sign, which would refer to it."""
    origin = links.find_origin(commit)
    if origin.pull_request is None:
        return ""
    return f", came with {format_link(f'pull request {origin.pull_request:d}', origin.pull_request_url)}"
