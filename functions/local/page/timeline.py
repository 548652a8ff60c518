"""Builds the timeline of an incident: commits, log entries and the steps of provenfix, oldest first.

The report has redacted its untrusted text; here it is only cut.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from functions.local.page.incident_view import IncidentView
from shared.ports import Document
from shared.proposal.state_words import INCIDENT_WORDS
from shared.proposal.states import IncidentState
from shared.text.escaping import to_one_line, truncate
from shared.text.timestamps import has_date
from shared.workflow.records import documents
from shared.workflow.records.incident_record import HistoryStep
from shared.workflow.records.proposals import format_rollback_id

_MAX_SYMPTOMS = 6
_MAX_LABEL_LENGTH = 34
_MAX_TEXT_LENGTH = 240


class Lane(StrEnum):
    """Who acted."""

    COMMITS = "Commits"
    SERVICE = "Service"
    PROVENFIX = "provenfix"


class EventLook(StrEnum):
    """How good or bad it is: decides shape and colour, and is also said in words."""

    BROKEN = "broken"
    GOOD = "good"
    TARGET = "target"
    ERROR = "error"
    ASKED = "asked"
    DONE = "done"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """`label` fits into a drawing, `text` is the whole sentence."""

    at: datetime
    lane: Lane
    look: EventLook
    label: str
    text: str
    commit: str = ""


def build_timeline(view: IncidentView) -> list[TimelineEvent]:
    """Returns the events oldest first; those without a known day are left out (the report has them)."""
    report = view.report
    events = [*_list_commit_events(report), *_log_events(report), *_list_history_events(view)]
    return sorted((event for event in events if has_date(event.at)), key=lambda event: event.at)


def _list_commit_events(report: Document) -> Iterator[TimelineEvent]:
    running = documents.read_part(report, "deployed")
    deployed = _read_text(running, "commit")
    reported: set[str] = set()

    def of(commit: Document, look: EventLook, label: str, text: str) -> Iterator[TimelineEvent]:
        at, oid = _read_time(commit, "committed_at"), _read_text(commit, "commit")
        if at is None or not oid or oid in reported:
            return
        reported.add(oid)
        runs = ", deployed" if oid == deployed else ""
        subject = f" “{_read_text(commit, 'subject')}”" if _read_text(commit, "subject") else ""
        sentence = f"{oid[:12]}{subject}: {text}{runs}"
        yield TimelineEvent(
            at, Lane.COMMITS, look, truncate(f"{oid[:7]} {label}{runs}", _MAX_LABEL_LENGTH), _shorten(sentence), oid
        )

    introduced = documents.read_part(report, "introduced")
    errors = _count_noun(introduced, "errors")
    yield from of(introduced, EventLook.BROKEN, f"breaks it: {errors}", f"introduces the error, {errors}")
    for attempt in documents.read_parts(report, "attempts"):
        left = _count_noun(attempt, "errors_left")
        yield from of(attempt, EventLook.BROKEN, f"{left} left", f"still fails, {left} left")
    errors = _count_noun(documents.read_part(report, "broken"), "errors")
    yield from of(running, EventLook.BROKEN, errors, f"fails, {errors}")
    fix, target = documents.read_part(report, "fix"), documents.read_part(report, "target")
    proposed = _read_text(fix, "commit") == _read_text(target, "commit")
    merged = "" if fix.get("where") == "merged" else ", not merged"
    words = f"fixes it{merged}" + (", proposed for deployment" if proposed else "")
    yield from of(fix, EventLook.TARGET if proposed else EventLook.GOOD, f"fix{merged}", words)
    checks = _read_text(target, "checks")
    yield from of(target, EventLook.TARGET, "target", f"passes every gate, proposed for deployment; checks {checks}")
    yield from of(
        documents.read_part(report, "rollback"),
        EventLook.TARGET,
        "last good",
        "the newest commit before the break that passes every gate",
    )


def _log_events(report: Document) -> Iterator[TimelineEvent]:
    incident = documents.read_part(report, "incident")
    error = _read_text(incident, "error_class") or _read_text(incident, "signal")
    deployed = documents.read_part(report, "deployed")
    once = {"revision": deployed.get("revision"), "line": documents.read_part(report, "broken").get("line")}
    once |= {"seen_at": incident.get("first_seen"), "commit": deployed.get("commit")}
    for run in documents.read_parts(deployed, "deployments") or (once,):
        at, revision, line = _read_time(run, "seen_at"), _read_text(run, "revision"), run.get("line")
        if at is None:
            continue
        where = f" on line {line}" if isinstance(line, int) else ""
        commit = _read_text(run, "commit")
        version = f", the version of {commit[:12]}" if commit else ""
        tree = ", not yet committed" if run.get("uncommitted") is True else ""
        label = truncate(f"{error}, line {line}" if where else error, _MAX_LABEL_LENGTH)
        text = _shorten(f"{revision or 'An unnamed revision'} logs {error}{where}{version}{tree}")
        yield TimelineEvent(at, Lane.SERVICE, EventLook.ERROR, label, text, commit)
    for symptom in documents.read_parts(incident, "symptoms")[:_MAX_SYMPTOMS]:
        at = _read_time(symptom, "first_seen")
        if at is not None:
            words = f"{_read_text(symptom, 'text')} ({_count_noun(symptom, 'occurrences', 'time')})"
            yield TimelineEvent(at, Lane.SERVICE, EventLook.PLAIN, "", _shorten(f"Followed by: {words}"))


_STATE_EVENTS: Mapping[IncidentState, tuple[Lane, EventLook]] = {
    IncidentState.WAITING: (Lane.PROVENFIX, EventLook.PLAIN),
    IncidentState.OPENED: (Lane.PROVENFIX, EventLook.ASKED),
    IncidentState.UNFIXED: (Lane.PROVENFIX, EventLook.PLAIN),
    IncidentState.PROPOSED: (Lane.PROVENFIX, EventLook.ASKED),
    IncidentState.APPROVED: (Lane.PROVENFIX, EventLook.DONE),
    IncidentState.DEPLOYING: (Lane.SERVICE, EventLook.PLAIN),
    IncidentState.TRYING: (Lane.SERVICE, EventLook.PLAIN),
    IncidentState.TRIED: (Lane.SERVICE, EventLook.BROKEN),
    IncidentState.WATCHING: (Lane.SERVICE, EventLook.GOOD),
    IncidentState.RESOLVED: (Lane.PROVENFIX, EventLook.GOOD),
    IncidentState.ROLLED_BACK: (Lane.SERVICE, EventLook.BROKEN),
    IncidentState.FAILED: (Lane.SERVICE, EventLook.BROKEN),
    IncidentState.DENIED: (Lane.PROVENFIX, EventLook.BROKEN),
    IncidentState.EXPIRED: (Lane.PROVENFIX, EventLook.PLAIN),
    IncidentState.REFUSED: (Lane.PROVENFIX, EventLook.BROKEN),
    IncidentState.REPORTED: (Lane.PROVENFIX, EventLook.PLAIN),
    IncidentState.MUTED: (Lane.PROVENFIX, EventLook.PLAIN),
    IncidentState.RECORDED: (Lane.PROVENFIX, EventLook.PLAIN),
    IncidentState.ABSORBED: (Lane.PROVENFIX, EventLook.PLAIN),
}


def _list_history_events(view: IncidentView) -> Iterator[TimelineEvent]:
    for step in view.record.history:
        if step.state not in _STATE_EVENTS:
            continue
        (lane, look), words = _STATE_EVENTS[step.state], INCIDENT_WORDS[step.state]
        by = _find_approver(view, step) if step.state is IncidentState.APPROVED else ""
        why = step.why if step.state not in {IncidentState.APPROVED, IncidentState.PROPOSED} else ""
        text = f"{words.event}{f' by {by}' if by else ''}{f': {why}' if why else ''}"
        yield TimelineEvent(step.at, lane, look, words.step, _shorten(text))


def _find_approver(view: IncidentView, step: HistoryStep) -> str:
    """The user whose approval it was; "" where the question has another answer by now, or is another one."""
    question = _read_text(view.decision, "proposal")
    if not question or step.why not in {question, format_rollback_id(question)}:
        return ""
    people = [
        _read_text(decision_step, "by")
        for decision_step in documents.read_parts(view.decision, "steps")
        if decision_step["state"] == "approved"
    ]
    return people[-1] if people else ""


def _read_text(value: Document, name: str) -> str:
    text = value.get(name)
    return text if isinstance(text, str) else ""


def _count_noun(value: Document, name: str, noun: str = "error") -> str:
    count = value.get(name)
    return f"{count} {noun}{'' if count == 1 else 's'}" if isinstance(count, int) else f"some {noun}s"


def _read_time(value: Document, name: str) -> datetime | None:
    return documents.read_time(value, name) if value.get(name) else None


def _shorten(text: str) -> str:
    return truncate(to_one_line(text), _MAX_TEXT_LENGTH)
