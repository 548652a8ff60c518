"""Sections made of whole blocks, and how they are made to fit: a fence or a table is left out whole or not at all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from shared.proof.model.history import Commit
from shared.report.links import Links, format_link
from shared.text.escaping import escape_markdown, escape_table_cell, format_code_span
from shared.text.phrases import quote_untrusted, short_sha

TRUNCATION_NOTE = "_Omitted: the issue is too long. `provenfix investigate --format json` prints everything._"


class Heading(StrEnum):
    """Every part that an issue may have, with the words above it."""

    SUMMARY = "Summary"
    SYMPTOM = "What was logged"
    TIMELINE = "Timeline"
    LOG = "Log entries"
    SUSPECTED = "Suspected, not proven"
    CODE = "The code, before and after"
    COMMITS = "Commits"
    RESOURCES = "Resources"
    WHYS = "Five whys"
    PROPOSAL = "What ships"
    PREVENTION = "Prevention"
    VERIFICATION = "How it will be verified"
    EVIDENCE = "Evidence"
    UNSEEN = "What could not be seen"


@dataclass(frozen=True, slots=True)
class Section:
    """Finished Markdown. `title` is "" for what comes before the first heading."""

    title: str
    blocks: tuple[str, ...]
    priority: int = 5
    """The higher, the longer the section is kept; 9 is never cut."""
    is_truncated: bool = False
    is_folded: bool = False
    """Whether the blocks are folded away behind their title, without a heading of their own."""
    fold_label: str = ""
    """What follows the title of a folded section: plain words of ours."""

    def to_markdown(self) -> str:
        parts = [*self.blocks, *([TRUNCATION_NOTE] if self.is_truncated else [])]
        if self.is_folded:
            label = f": {self.fold_label}" if self.fold_label else ""
            return "\n\n".join([f"<details>\n<summary>{self.title}{label}</summary>", *parts, "</details>"])
        return "\n\n".join([*([f"## {self.title}"] if self.title else []), *parts])


def fit_sections(sections: Sequence[Section], limit: int) -> str:
    """The sections as one text of at most `limit` characters, in their order."""
    shown = [section for section in sections if section.blocks]
    length = sum(len(section.to_markdown()) + 2 for section in shown)
    while length > limit:
        index = min(
            (n for n, section in enumerate(shown) if section.blocks and section.priority < 9),
            key=lambda n: shown[n].priority,
        )
        shorter = replace(shown[index], blocks=shown[index].blocks[:-1], is_truncated=True)
        length += len(shorter.to_markdown()) - len(shown[index].to_markdown())
        shown[index] = shorter
    return "\n\n".join(section.to_markdown() for section in shown)


def format_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of finished inline Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(escape_table_cell(cell) for cell in line)} |" for line in lines)


def format_bullets(items: Iterable[str], mark: str = "-") -> str:
    """A list of finished inline Markdown."""
    return "\n".join(f"{mark} {item}" for item in items)


def link_commit(commit: str, links: Links) -> str:
    """The first digits of its id as code, linked to the commit."""
    return format_link(format_code_span(short_sha(commit)), links.commit(commit))


def link_commit_with_subject(commit: Commit, links: Links) -> str:
    """The same with its subject."""
    return f"{link_commit(commit.id, links)} ({escape_markdown(quote_untrusted(commit.subject, 100))})"


def link_author(commit: Commit, links: Links) -> str:
    """A name, linked to a page: no mention, so nobody is notified."""
    return format_link(escape_markdown(quote_untrusted(commit.author, 80)), links.find_origin(commit.id).author_url)


def pull_request_phrase(commit: str, links: Links) -> str:
    """`, came with pull request 12`, linked; "" for none. Never with a number sign, which would refer to it."""
    origin = links.find_origin(commit)
    if origin.pull_request is None:
        return ""
    return f", came with {format_link(f'pull request {origin.pull_request:d}', origin.pull_request_url)}"
