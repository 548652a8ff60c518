"""The issue's section on suspected changes, for an exception that nothing can prove."""

from collections.abc import Iterator, Sequence

from shared.proof.model.suspected_change import SuspectedChange
from shared.report.facts.suspected_changes import (
    SUSPECTED_FIXES,
    SUSPECTED_INTRODUCED,
    describe_compared_frames,
)
from shared.report.issue.section import Heading, Section, format_bullets, link_commit_with_subject
from shared.report.links import Links, format_link
from shared.report.report import Report
from shared.text.escaping import escape_markdown, format_code_span
from shared.text.phrases import quote_untrusted
from shared.text.timestamps import format_rfc3339

_NOTE = "Nothing was run or compiled to check these: a commit below may have nothing to do with the failure."


def render_suspected_changes(report: Report, links: Links) -> Iterator[Section]:
    """Nothing where nothing is suspected."""
    suspected = report.proof.suspected
    if suspected.deployed is None or not suspected.changes:
        return
    blocks = [f"{escape_markdown(describe_compared_frames(suspected, suspected.deployed))} {_NOTE}"]
    for title, changes in ((SUSPECTED_INTRODUCED, suspected.introduced), (SUSPECTED_FIXES, suspected.possible_fixes)):
        if changes:
            blocks += [f"**{title}:**", format_bullets(_list_changes(changes, links), "1.")]
    yield Section(Heading.SUSPECTED, tuple(blocks), priority=7)


def _list_changes(changes: Sequence[SuspectedChange], links: Links) -> Iterator[str]:
    for change in changes:
        commit = change.commit
        file = format_code_span(quote_untrusted(change.path, 120))
        url = links.lines(commit.id, change.path, None, None)
        yield (
            f"{link_commit_with_subject(commit, links)}, committed {format_rfc3339(commit.committed_at)}: "
            f"{escape_markdown(change.reason)}, in {format_link(file, url)}"
        )
