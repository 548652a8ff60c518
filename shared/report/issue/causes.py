"""Renders why it happened: suspected changes, the five whys, the examined resources, the evidence."""

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum

from shared.proof.model.suspected_change import SuspectedChange
from shared.report.facts.unproven import (
    SUSPECTED_FIXES,
    SUSPECTED_INTRODUCED,
    describe_compared_frames,
)
from shared.report.issue.incident_details import select_log_entries
from shared.report.issue.section import Heading, Section, format_bullets, format_table, link_commit_with_subject
from shared.report.links import Links, format_link
from shared.report.report import Report
from shared.report.whys.why import Why, select_five_whys
from shared.text.escaping import escape_markdown, format_code_span
from shared.text.phrases import join_words, pluralize, quote_untrusted
from shared.text.timestamps import format_rfc3339

_UNPROVEN_NOTE = "Nothing was run or compiled to check these: a commit below may have nothing to do with the failure."
_RESOURCE_KEYWORDS = (
    ("memory", ("out of memory", "memory limit", "oomkilled", "oom-killed", "exceeded hard memory")),
    ("CPU and start-up time", ("cpu", "startup probe", "failed to start", "failed to listen", "deadline exceeded")),
    ("concurrency and instances", ("no available instance", "rate exceeded", "429", "max instances", "concurrency")),
)


class CauseSource(StrEnum):
    """Where a cause may show."""

    LOG = "the log"
    REPOSITORY = "the repository"
    METRICS = "metrics"
    SETTINGS = "the service's settings"
    NETWORK = "the network"


def list_examined_sources(report: Report) -> Sequence[CauseSource]:
    """The sources that the report is based on; the settings only where the platform said something."""
    settings = [CauseSource.SETTINGS] if report.proof.deployed.platform_statements else []
    return (CauseSource.LOG, CauseSource.REPOSITORY, *settings)


def render_causes(report: Report, _: Links) -> Iterator[Section]:
    yield Section(Heading.RESOURCES, tuple(_render_resources(report)), priority=2, is_folded=True)
    yield Section(Heading.WHYS, tuple(_render_whys(report)), priority=8)


def _render_whys(report: Report) -> Iterator[str]:
    """Five, the error behind the error, and, folded, what else was asked."""
    selected = select_five_whys(report.whys)
    for number, why in enumerate(selected.five, 1):
        yield _render_why(f"{number}. {escape_markdown(why.question)}", why)
    yield _render_why("The error behind the error", selected.behind)
    if selected.others:
        others = "\n\n".join(_render_why(escape_markdown(why.question), why) for why in selected.others)
        yield f"<details>\n<summary>Further questions</summary>\n\n{others}\n\n</details>"


def _render_why(title: str, why: Why) -> str:
    """`title` is finished Markdown."""
    cited = ", ".join(why.evidence) or "none"
    return f"**{title}**\n{escape_markdown(why.answer)}\n<sub>{why.confidence.value}; evidence: {cited}</sub>"


def _render_resources(report: Report) -> Iterator[str]:
    """Only the entries of this incident were read for this; what was not looked at is said, and never ruled out."""
    joined = "\n".join(entry.text for entry in select_log_entries(report)).lower()
    rows = []
    for name, words in _RESOURCE_KEYWORDS:
        hits = [word for word in words if re.search(rf"\b{re.escape(word)}\b", joined)]
        mentioned = f"mentioned: {', '.join(hits)}" if hits else "not mentioned"
        rows.append((name, mentioned, _RESOURCE_MENTIONED if hits else "not checked"))
    yield format_table(("Resource", "In the log entries of this incident", "Its metrics"), rows)
    if report.proof.broken is not None and report.proof.claim is None:
        yield "A file that does not compile fails whatever the memory, the CPU or the load."
    stated = report.proof.deployed.platform_statements
    if stated:
        yield "\n".join(f"- {escape_markdown(quote_untrusted(sentence, 400))}" for sentence in stated)
    seen = list_examined_sources(report)
    unchecked = [source for source in CauseSource if source not in seen]
    yield f"Checked: {join_words(seen)}. Not checked: {join_words(unchecked)}."


_RESOURCE_MENTIONED = "not checked: **check it**, the log mentions it"
_ROWS_PER_TABLE = 25
_EVIDENCE_COLUMNS = ("", "Kind", "Where", "What is there")


def render_evidence(report: Report, _: Links) -> Iterator[Section]:
    rows = [
        (
            item.id,
            item.kind.value,
            format_code_span(quote_untrusted(item.ref, 200)),
            escape_markdown(quote_untrusted(item.text, 700)),
        )
        for item in report.evidence
    ]
    tables = [
        format_table(_EVIDENCE_COLUMNS, rows[start : start + _ROWS_PER_TABLE])
        for start in range(0, len(rows), _ROWS_PER_TABLE)
    ]
    folded = f"{pluralize(len(rows), 'item')}, cited by their numbers above"
    yield Section(Heading.EVIDENCE, tuple(tables), priority=1, is_folded=True, fold_label=folded)
    if report.proof.gaps:
        yield Section(
            Heading.UNSEEN,
            (format_bullets(escape_markdown(quote_untrusted(item)) for item in report.proof.gaps),),
            priority=5,
            is_folded=True,
        )


def render_suspected_changes(report: Report, links: Links) -> Iterator[Section]:
    """Nothing where nothing is suspected."""
    suspected = report.proof.suspected
    if suspected.deployed is None or not suspected.changes:
        return
    blocks = [f"{escape_markdown(describe_compared_frames(suspected, suspected.deployed))} {_UNPROVEN_NOTE}"]
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
