"""What happened: the symptoms, the timeline, the log, the code before and after."""

from collections.abc import Iterator, Sequence
from enum import StrEnum

from shared.detection.entry import CHECK_LOG, LogEntry
from shared.detection.incident import Sighting, Symptom, describe_raised_exception, is_suspected_consequence
from shared.proof.model.finding import BrokenFile, Finding, Fix
from shared.proof.model.history import Commit, claims_fix
from shared.report.facts.deployed_code import describe_loading_rule, describe_missing_import, describe_unloaded_file
from shared.report.facts.fix_history import describe_errors_left, describe_fix_location
from shared.report.facts.log_entries import format_error_line, format_log_ref
from shared.report.issue.section import (
    Heading,
    Section,
    format_bullets,
    format_table,
    link_author,
    link_commit,
    pull_request_phrase,
)
from shared.report.links import Links, format_link
from shared.report.report import Report, describe_counting_time
from shared.report.timeline import render_mermaid
from shared.report.verdict_words import describe_fixed, describe_introduced
from shared.text.escaping import escape_markdown, format_code_block, format_code_span, strip_invisible, truncate
from shared.text.phrases import format_excerpt, pluralize, quote_untrusted
from shared.text.redaction import redact
from shared.text.timestamps import format_rfc3339, format_timestamp, format_timestamp_phrase

_MAX_ROWS = 30
_NEARBY_LABELS = {
    False: "within the same minutes",
    True: "within the same minutes, possibly a consequence",
}
_MAX_EXCERPTS = 6
_MAX_EXCERPT_LENGTH = 1_800
_MAX_LINE_LENGTH = 240


def render_incident_details(report: Report, links: Links) -> Iterator[Section]:
    yield Section(Heading.SYMPTOM, tuple(_render_symptoms(report)), priority=7, is_folded=True)
    yield Section(Heading.TIMELINE, tuple(_render_timeline(report)), priority=6, is_folded=True)
    yield Section(Heading.LOG, tuple(_log_blocks(report, links)), priority=3, is_folded=True)
    if report.proof.broken is not None:
        yield Section(Heading.CODE, tuple(_render_code(report.proof.broken, report, links)), priority=6)


def _render_symptoms(report: Report) -> Iterator[str]:
    incident = report.incident
    if incident.raised is not None and not incident.is_found_early:
        words = escape_markdown(describe_raised_exception(incident, report.proof.raised_frame))
        sure = "not proven as the cause" if report.proof.claim is None else "proven by the code"
        yield f"Linked by the log, {sure}: {words}."
    rows = [_build_sighting_row(sighting, report) for sighting in incident.sightings]
    rows += [_build_symptom_row(symptom, report, "consequence") for symptom in incident.symptoms]
    rows += [
        _build_symptom_row(symptom, report, _NEARBY_LABELS[is_suspected_consequence(symptom, incident)])
        for symptom in incident.nearby
    ]
    yield format_table(("What was logged", "Revision", "First seen (UTC)", "Times"), rows[:_MAX_ROWS])
    if report.counted_at is not None:
        yield f"Counted{describe_counting_time(report)}; later entries are not included."


def _build_sighting_row(sighting: Sighting, report: Report) -> Sequence[str]:
    first = format_timestamp(sighting.first_seen, dated=report.incident.dated) if sighting.first_seen else "unknown"
    text = escape_markdown(quote_untrusted(format_error_line(report.incident, sighting), 200))
    text = f"found by a check: {text}" if sighting.first.log_name == CHECK_LOG else text
    return text, _format_revision(sighting.revision), escape_markdown(first), str(sighting.occurrences)


def _build_symptom_row(symptom: Symptom, report: Report, how: str) -> Sequence[str]:
    first = format_timestamp(symptom.first_seen, dated=report.incident.dated) if symptom.first_seen else "unknown"
    text = f"{how}: {escape_markdown(quote_untrusted(symptom.text, 200))}"
    return text, _format_revision(symptom.revision), escape_markdown(first), str(symptom.occurrences)


def _format_revision(revision: str) -> str:
    return format_code_span(quote_untrusted(revision, 80)) if revision else "not logged"


def _render_timeline(report: Report) -> Iterator[str]:
    yield format_code_block(render_mermaid(report), "mermaid")
    if not report.incident.dated:
        yield "The log has times of day without a date: its entries are shown on the inferred day, or last."


def _log_blocks(report: Report, links: Links) -> Iterator[str]:
    incident = report.incident
    whole = links.log(incident.first_seen, incident.last_seen) if incident.dated else ""
    if whole:
        yield f"{format_link('Everything that the service logged in this period', whole)}, in the Logs Explorer."
    for entry in select_log_entries(report)[:_MAX_EXCERPTS]:
        when = escape_markdown(format_timestamp_phrase(entry.timestamp, dated=incident.dated))
        yield (
            f"{format_link(format_code_span(format_log_ref(entry)), links.entry(entry))}, "
            f"{when}:\n\n{format_code_block(_tail_of_entry(entry.text))}"
        )


def select_log_entries(report: Report) -> list[LogEntry]:
    """The first entry of every sighting, of the tied exception, and of what was logged beside them; each once."""
    incident = report.incident
    raised = [incident.raised.entry] if incident.raised is not None else []
    beside = [group.first for group in (*incident.symptoms, *incident.nearby)]
    entries = [*(group.first for group in incident.sightings), *raised, *beside]
    logged = [entry for entry in entries if entry.log_name != CHECK_LOG]
    return list({(entry.position, entry.insert_id): entry for entry in reversed(logged)}.values())[::-1]


def _tail_of_entry(text: str) -> str:
    """The end of an entry, where a traceback says what it is about; redacted before it is cut."""
    lines = [truncate(line, _MAX_LINE_LENGTH) for line in strip_invisible(redact(text)).strip().split("\n")]
    tail: list[str] = []
    for line in reversed(lines):
        if sum(map(len, tail)) + len(line) > _MAX_EXCERPT_LENGTH:
            tail.append("…")
            break
        tail.append(line)
    return "\n".join(reversed(tail))


def _render_code(broken: BrokenFile, report: Report, links: Links) -> Iterator[str]:
    python, errors = report.proof.deployed.python, pluralize(broken.errors, "error")
    commit = report.proof.deployed.commit
    at = f" at {link_commit(commit.id, links)}" if commit else ""
    words = escape_markdown(quote_untrusted(broken.fault.words))
    url = _build_excerpt_url(links, commit.id, broken.path, broken.excerpt) if commit else ""
    yield (
        f"**Before:** {format_link(format_code_span(quote_untrusted(broken.path)), url)}{at}, "
        f"{errors} on Python {python}. {words}"
    )
    yield format_code_block("\n".join(format_excerpt(broken.excerpt, broken.fault.line, broken.fault.column)))
    if broken.explanation:
        yield f"Ruff explains: {escape_markdown(quote_untrusted(broken.explanation))}."
    if report.proof.fix is not None:
        yield from _render_fixed_code(report.proof, report.proof.fix, links)
    if broken.also_broken:
        places = [
            (
                f"{format_code_span(quote_untrusted(file.path))}{_line_phrase(file.line)}: "
                f"{escape_markdown(quote_untrusted(file.message))}"
            )
            for file in broken.also_broken
        ]
        yield "**Also broken in the deployed tree, and next to fail:**"
        yield format_bullets(places[:_MAX_ROWS])
    if report.proof.loaded_summary is not None:
        yield escape_markdown(describe_loading_rule(report.proof.loaded_summary))
        if report.proof.loaded_summary.not_loaded:
            yield format_bullets(
                [escape_markdown(describe_unloaded_file(file)) for file in report.proof.loaded_summary.not_loaded]
            )
        if missing := report.proof.loaded_summary.missing_imports:
            yield format_bullets([escape_markdown(describe_missing_import(entry)) for entry in missing])


def _build_excerpt_url(links: Links, commit: str, path: str, shown_lines: Sequence[tuple[int, str]]) -> str:
    """The excerpt of the place where it is, as it was at the commit."""
    numbers = [number for number, _ in shown_lines]
    return links.lines(commit, path, min(numbers, default=None), max(numbers, default=None)) if path else ""


def _line_phrase(number: int | None) -> str:
    return f", line {number}" if number is not None else ""


def _render_fixed_code(proof: Finding, fix: Fix, links: Links) -> Iterator[str]:
    at = link_commit(fix.commit.id, links)
    if fix.is_deletion:
        yield f"**After:** the file no longer exists at {at}."
        return
    url = _build_excerpt_url(links, fix.commit.id, fix.path, fix.excerpt)
    file = format_link(format_code_span(quote_untrusted(fix.path)), url) if fix.path else "the file"
    is_plain = proof.claim is None and fix.python_change is None
    state = "which compiles" if is_plain else escape_markdown(describe_fixed(proof))
    yield f"**After:** {file} at {at}, {state}."
    if fix.excerpt:
        yield format_code_block("\n".join(format_excerpt(fix.excerpt)))


_MAX_COMMITS = 40


class CommitRole(StrEnum):
    """What a commit was in the incident."""

    INTRODUCED = "**introduced**"
    CLAIMS_FIX = "says fix"
    DEPLOYED = "**deployed**"
    FIX = "**the fix**"
    TARGET = "**target**"
    ROLL_BACK = "**roll back to**"


def render_commits(report: Report, links: Links) -> Iterator[Section]:
    rows = list(_list_commit_rows(report.proof, links))
    head = ("Commit", "Committed (UTC)", "Author", "Subject", "Verdict")
    if rows:
        yield Section(Heading.COMMITS, (format_table(head, rows[:_MAX_COMMITS]),), priority=6)


def _list_commit_rows(proof: Finding, links: Links) -> Iterator[Sequence[str]]:
    if proof.introduced is not None:
        introduced = proof.introduced
        verdict = f"{CommitRole.INTRODUCED} the break: {escape_markdown(describe_introduced(proof, introduced))}"
        yield _build_commit_row(
            introduced.commit, f"{verdict}{pull_request_phrase(introduced.commit.id, links)}", links
        )
    for attempt in proof.attempts:
        claim = f"{CommitRole.CLAIMS_FIX}; " if claims_fix(attempt.commit) else ""
        deployed = proof.deployed.commit is not None and proof.deployed.commit.id == attempt.commit.id
        verdict = f"still fails: {claim}{describe_errors_left(attempt)}{f'; {CommitRole.DEPLOYED}' if deployed else ''}"
        yield _build_commit_row(attempt.commit, verdict, links)
    if proof.fix is not None:
        state = "compiles" if proof.claim is None else "the failure cannot happen"
        verdict = f"{CommitRole.FIX}: {state}; {escape_markdown(describe_fix_location(proof.fix, proof.branch))}"
        request = pull_request_phrase(proof.fix.commit.id, links) if proof.fix.where == "merged" else ""
        yield _build_commit_row(proof.fix.commit, f"{verdict}{request}", links)
    if proof.target is not None:
        verdict = f"{CommitRole.TARGET}: passes every gate; checks {proof.target.checks.value}"
        yield _build_commit_row(proof.target.commit, verdict, links)
    if proof.rollback is not None:
        yield _build_commit_row(proof.rollback.commit, f"good, before the break: {CommitRole.ROLL_BACK}", links)


def _build_commit_row(commit: Commit, verdict: str, links: Links) -> Sequence[str]:
    subject = escape_markdown(quote_untrusted(commit.subject, 120))
    when = format_rfc3339(commit.committed_at)
    return link_commit(commit.id, links), when, link_author(commit, links), subject, verdict
