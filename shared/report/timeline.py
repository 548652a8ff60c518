"""The events of a report in the order of time, and the Mermaid diagram that shows them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.proof.model.history import Commit, claims_fix
from shared.report.report import Report
from shared.report.whys.failure import select_notable_attempts
from shared.text.escaping import escape_mermaid
from shared.text.phrases import pluralize, quote_service_name, quote_untrusted, short_sha
from shared.text.timestamps import format_rfc3339, format_timestamp, has_date

_MAX_EVENTS = 30
_MAX_LINE_WIDTH = 44


class EventKind(StrEnum):
    """What happened; also decides on which line of life a diagram shows it."""

    BREAK = "break"
    ATTEMPT = "attempt"
    ERROR = "error"
    SYMPTOM = "symptom"
    FIX = "fix"
    TARGET = "target"


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """`when` is already in words; `text` is plain text from a single source, redacted and cut."""

    at: datetime | None
    when: str
    kind: EventKind
    text: str
    uncommitted: bool = False
    """Whether it was logged before the version that it comes from was committed."""


def build_timeline(report: Report) -> tuple[TimelineEvent, ...]:
    """Commits and log entries, oldest first; those without a known day come last, in their own order."""
    events = [*_list_commit_events(report), *_list_log_events(report)]
    dated = [event for event in events if event.at is not None and has_date(event.at)]
    undated = [event for event in events if event.at is None or not has_date(event.at)]
    return (*sorted(dated, key=_find_event_time), *undated)


def render_mermaid(report: Report) -> str:
    """A sequence diagram with three lines of life: the repository, the service, its clients. Time runs downwards."""
    service = escape_mermaid(quote_service_name(report.incident.service)) or "service"
    branch = escape_mermaid(quote_untrusted(report.proof.branch, 40)) or "repository"
    lines = [
        "sequenceDiagram",
        "    title What happened (times in UTC)",
        f"    participant R as {branch}",
        f"    participant S as {service}",
    ]
    shown = build_timeline(report)[:_MAX_EVENTS]
    if any(event.kind is EventKind.SYMPTOM for event in shown):
        lines.append("    participant C as clients")
    return "\n".join([*lines, *(f"    {_draw_event(event)}" for event in shown)])


def _draw_event(event: TimelineEvent) -> str:
    words = "<br/>".join(escape_mermaid(line) for line in (event.when, *_wrap_text(event.text)))
    if event.kind is EventKind.ERROR:
        return f"Note over S: {words}"
    if event.kind is EventKind.SYMPTOM:
        return f"S--xC: {words}"
    return f"Note over R: {words}"


def _wrap_text(text: str) -> list[str]:
    """Mermaid does not break the lines of a note by itself."""
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > _MAX_LINE_WIDTH:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _list_commit_events(report: Report) -> Iterator[TimelineEvent]:
    proof = report.proof
    if proof.introduced is not None:
        errors = pluralize(proof.introduced.errors, "error")
        yield _build_commit_event(proof.introduced.commit, EventKind.BREAK, f"introduces the break: {errors}")
    for attempt in select_notable_attempts(proof.attempts):
        claim = "says fix, " if claims_fix(attempt.commit) else ""
        yield _build_commit_event(
            attempt.commit, EventKind.ATTEMPT, f"{claim}{pluralize(attempt.errors_left, 'error')} left"
        )
    fix, target = proof.fix, proof.target
    same = fix is not None and target is not None and fix.commit.id == target.commit.id
    if fix is not None:
        merged = "" if fix.where == "merged" else ", not merged"
        yield _build_commit_event(
            fix.commit, EventKind.FIX, f"fixes it{merged}{': the proposed target' if same else ''}"
        )
    if target is not None and not same:
        yield _build_commit_event(target.commit, EventKind.TARGET, "proposed target")
    if proof.rollback is not None:
        yield _build_commit_event(proof.rollback.commit, EventKind.TARGET, "the newest working commit before the break")


def _build_commit_event(commit: Commit, kind: EventKind, text: str) -> TimelineEvent:
    return TimelineEvent(
        commit.committed_at, _format_second(commit.committed_at), kind, f"{short_sha(commit.id)}: {text}"
    )


def _list_log_events(report: Report) -> Iterator[TimelineEvent]:
    incident = report.incident
    runs = {(run.revision, run.line): run for run in report.proof.deployed.deployments}
    for sighting in incident.sightings:
        line = f" on line {sighting.line}" if sighting.line is not None else ""
        words = (
            quote_untrusted(incident.error_class, 60) or quote_untrusted(sighting.message, 120) or incident.kind.value
        )
        revision = f"{quote_untrusted(sighting.revision, 60)}: " if sighting.revision else ""
        deployment = runs.get((sighting.revision, sighting.line))
        version, uncommitted = "", False
        if deployment is not None and deployment.commit is not None:
            uncommitted = deployment.uncommitted
            state = ", not yet committed" if uncommitted else ""
            version = f", the version of {short_sha(deployment.commit.id)}{state}"
        finder = "a check finds: " if sighting.first.is_predicted else ""
        event = _log_event(report, sighting.first_seen, EventKind.ERROR, f"{finder}{revision}{words}{line}{version}")
        yield replace(event, uncommitted=uncommitted)
    for symptom in (*incident.symptoms, *incident.nearby):
        text = f"{quote_untrusted(symptom.text, 120)} ({pluralize(symptom.occurrences, 'time')})"
        yield _log_event(report, symptom.first_seen, EventKind.SYMPTOM, text)


def _log_event(report: Report, at: datetime | None, kind: EventKind, text: str) -> TimelineEvent:
    dated = at is not None and (report.incident.dated or has_date(at))
    when = "time unknown" if at is None else _format_second(at) if dated else format_timestamp(at, dated=False)
    return TimelineEvent(at, when, kind, text)


def _format_second(moment: datetime) -> str:
    """`2026-03-01 03:43:43`: in UTC, as the diagram's heading says."""
    return format_rfc3339(moment.replace(microsecond=0)).replace("T", " ").removesuffix("Z")


def _find_event_time(event: TimelineEvent) -> datetime:
    assert event.at is not None
    return event.at
