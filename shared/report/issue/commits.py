"""A commit as a reader can look it up: its abbreviated id, linked, and where it came from."""

from shared.proof.model.history import Commit
from shared.report.links import Links, linked
from shared.text.escaping import format_code_span, escape_markdown
from shared.text.phrases import quote_untrusted, short_sha


def shown(commit: str, links: Links) -> str:
    """The first digits of its id as code, linked to the commit."""
    return linked(format_code_span(short_sha(commit)), links.commit(commit))


def titled(commit: Commit, links: Links) -> str:
    """The same with its subject."""
    return f"{shown(commit.id, links)} ({escape_markdown(quote_untrusted(commit.subject, 100))})"


def author(commit: Commit, links: Links) -> str:
    """A name, linked to a page: no mention, nobody is told."""
    return linked(escape_markdown(quote_untrusted(commit.author, 80)), links.origin(commit.id).author)


def brought_in(commit: str, links: Links) -> str:
    """`, came with pull request 12`, linked; "" for none. Never with a number sign, which would refer to it."""
    origin = links.origin(commit)
    if origin.pull_request is None:
        return ""
    return f", came with {linked(f'pull request {origin.pull_request:d}', origin.address)}"
