"""Records a log entry: opens an incident once, adds to an open one, or refuses the entry with a reason.

A close, or a sentence about a start that failed, may have another cause each time: the log is read for a few of them.
What they are tied to decides whether they are the same again.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from hashlib import blake2b

from shared.detection.entry import CHECK_LOG, LogEntry
from shared.detection.grouping import truncate_entry
from shared.detection.raised_exception import EFFECT_KINDS, RaisedException
from shared.detection.signal import Signal, SignalKind, read_signal
from shared.errors import Retry
from shared.ports import StoredDocument
from shared.proposal.rollout import REOPEN_WINDOW
from shared.service import Service, build_service_id, find_service
from shared.workflow import effects, reopen
from shared.workflow.context import Context, StepResult
from shared.workflow.flow import IncidentState
from shared.workflow.investigation.cause_of_close import (
    describe_effect,
    find_incident_of,
    find_tied_exception,
    is_tied_by_log,
    store_explaining_incident,
)
from shared.workflow.issue.issue_commands import is_marked_as_wrong
from shared.workflow.reassemble_signal import NOT_VISIBLE_YET, is_of_traceback_around, is_young, reassemble_signal
from shared.workflow.records import documents, incident_record
from shared.workflow.records.defects import Defect, find_or_create_defect, start_next_generation
from shared.workflow.records.incident_record import IncidentRecord
from shared.workflow.records.rejections import reject_entry
from shared.workflow.rollout.recurrence import RecurrenceKind, classify_known_revision, classify_recurrence

MAX_CORROBORATED = 50
"""Incidents of one service that were investigated and are not at rest."""
MAX_PENDING = 200
"""Incidents of one service that wait for their first investigation,"""
PENDING_PERIOD = timedelta(hours=1)
"""and were opened no longer ago than this: an older one hangs, and must not keep others out."""

TOO_MANY_INCIDENTS = "too_many_incidents"
"""Why an entry is delivered again; an alert looks for it."""

_PENDING_STATES = frozenset((IncidentState.WAITING.value, IncidentState.OPENED.value))


def check_open_incident_limits(context: Context, service: Service) -> None:
    """Raises Retry where one more incident has no room now: its entry is delivered again."""
    active = incident_record.find_active_incidents(context, service.id)
    pending = [stored for stored in active if _is_pending(stored)]
    recent = [
        stored
        for stored in pending
        if context.clock.now() < documents.read_time(stored.value, "opened_at") + PENDING_PERIOD
    ]
    if len(recent) >= MAX_PENDING:
        raise Retry(f"{len(recent)} of {service.id} wait for their investigation", reason=TOO_MANY_INCIDENTS)
    if len(active) - len(pending) >= MAX_CORROBORATED:
        raise Retry(f"{len(active) - len(pending)} of {service.id} are open", reason=TOO_MANY_INCIDENTS)


def _is_pending(stored: StoredDocument) -> bool:
    return stored.value.get("state") in _PENDING_STATES


_MAX_ENTRIES = 12

_INITIAL_STATES = {
    SignalKind.SYNTAX_ERROR: IncidentState.OPENED,
    SignalKind.FOUND_BY_CHECK: IncidentState.OPENED,
    SignalKind.CLOSE_1011: IncidentState.WAITING,
    SignalKind.FAILED_START: IncidentState.WAITING,
    SignalKind.KEEPALIVE_TIMEOUT: IncidentState.WAITING,
}
"""A failure that no redeployment fixes is recorded, and no approver is asked."""


HandOver = Callable[[], None]
"""Sends the entry to a function that may ask platform and code host."""


def record_log_entry(
    context: Context, entry: LogEntry, region: str = "", hand_over: HandOver | None = None
) -> StepResult:
    """`opened`, `duplicate`, `attached`, `recurred`, `throttled` or `refused:<reason>`. Raises Retry, Reject.

    `region` is where the service runs, "" where the log does not say. With `hand_over` neither platform nor code host
    is asked: where only they can tell what an entry means, the outcome is `handed_over`.
    """
    service_key = build_service_id(entry.project, entry.service)
    if entry.log_name == CHECK_LOG:
        return reject_entry(context, entry, "own_line", service_key)
    if service_key in context.own_functions:
        return reject_entry(context, entry, "own_function", service_key)
    service = find_service(context.services, entry.project, entry.service, region)
    if service is None:
        return reject_entry(context, entry, "unknown_service", service_key)
    now, line = context.clock.now(), (service.id, entry.revision, _hash_text(entry))
    looked = _read_of_log(service.id, entry)
    refused = looked or (*line, "refused")
    is_throttled = context.throttle.is_spent(refused, now) or (not looked and context.throttle.is_recent(line, now))
    if is_throttled:
        return StepResult("throttled")
    unsettled = (*refused, "not visible yet")
    if context.throttle.is_spent(unsettled, now) and is_young(context, entry):
        raise Retry(NOT_VISIBLE_YET)
    try:
        signal = reassemble_signal(context, entry)
    except Retry:
        context.throttle.mark_recorded(unsettled, now)
        raise
    if not isinstance(signal, Signal):
        outcome = reject_entry(context, entry, signal.value, service_key)
        context.throttle.mark_recorded(refused, now)
        return outcome
    raised = find_tied_exception(context, service, signal.entry) if signal.kind in EFFECT_KINDS else None
    seen = (service.id, entry.revision, signal.kind, signal.error_class, signal.path, signal.line, _name_cause(raised))
    is_known = context.throttle.is_recent(seen, now)
    outcome = StepResult("throttled") if is_known else _record_signal(context, service, signal, raised, hand_over)
    for key in (line, looked) if is_known else (line, looked, seen):
        context.throttle.mark_recorded(key, now)
    return outcome


def record_found_failure(context: Context, service: Service, signal: Signal) -> StepResult:
    """Opens an incident of what a check has found, or adds to the one that is open: `opened`, `attached`, `duplicate`.

    Raises Retry, Reject.
    """
    return _record_signal(context, service, signal, None)


def _hash_text(entry: LogEntry) -> bytes:
    return blake2b(entry.text.encode("utf-8", "replace"), digest_size=16).digest()


def _read_of_log(service_key: str, entry: LogEntry) -> tuple[str, ...]:
    """A key for entries whose meaning the log around them decides, however equal they are; () for all others."""
    read = read_signal(entry)
    if isinstance(read, Signal):
        return (service_key, entry.revision, "tied by the log", read.kind.value) if is_tied_by_log(entry, read) else ()
    return (service_key, entry.revision, "line of a traceback") if is_of_traceback_around(entry, read) else ()


def _name_cause(raised: RaisedException | None) -> tuple[str, str]:
    return raised.class_and_path if raised is not None else ("", "")


def _record_signal(
    context: Context,
    service: Service,
    signal: Signal,
    raised: RaisedException | None,
    hand_over: HandOver | None = None,
) -> StepResult:
    if signal.kind in EFFECT_KINDS:
        cause = find_incident_of(context, service, raised)
        if cause is not None:
            return StepResult("attached", cause.id)
        signal, raised = describe_effect(signal, raised)
    defect = find_or_create_defect(context, service, signal, raised)
    record = incident_record.load_incident(context, defect.incident_id)
    if hand_over is not None and _must_ask_outside(context, defect, record, signal):
        hand_over()
        return StepResult("handed_over", defect.incident_id)
    if record is not None and not record.active:
        news = classify_recurrence(context, service, record, signal.entry.revision)
        if news is RecurrenceKind.OLD or is_marked_as_wrong(context, service, record):
            if signal.kind is SignalKind.SYNTAX_ERROR and signal.entry.revision:
                store_explaining_incident(context, service, signal.entry.revision, record.id)
            if reopen.reopen_incident(context, service, record, signal):
                return StepResult("opened", record.id, "logged otherwise")
            return StepResult("duplicate", record.id, f"at rest: {record.state.value}")
        defect = start_next_generation(context, service, signal, defect, raised)
        record = incident_record.load_incident(context, defect.incident_id)
    if record is None:
        return _open_incident(context, service, signal, defect)
    return _record_occurrence(context, service, record, signal)


def _must_ask_outside(context: Context, defect: Defect, record: IncidentRecord | None, signal: Signal) -> bool:
    """Whether platform and code host must be asked before an incident of this defect can be opened or changed."""
    if record is None:
        return defect.generation > 1  # it follows another one, and the worker that began to open it has died
    known = classify_known_revision(record, signal.entry.revision)
    if record.active:
        return record.rollout is not None and known is None
    return known is not RecurrenceKind.OLD or reopen.shows_something_new(context, record, signal)


def _open_incident(context: Context, service: Service, signal: Signal, defect: Defect) -> StepResult:
    now, entry = context.clock.now(), signal.entry
    check_open_incident_limits(context, service)
    if signal.kind is SignalKind.SYNTAX_ERROR and entry.revision:
        store_explaining_incident(context, service, entry.revision, defect.incident_id)
    state = _INITIAL_STATES.get(signal.kind, IncidentState.RECORDED)
    record = IncidentRecord(
        id=defect.incident_id,
        fingerprint=defect.fingerprint,
        generation=defect.generation,
        state=state,
        service=service.id,
        kind=signal.kind,
        error_class=signal.error_class,
        path=defect.path,
        revisions=(entry.revision,) if entry.revision else (),
        entries=(truncate_entry(entry),),
        opened_by=context.ids.generate_id(),
        opened_at=now,
        last_seen=entry.timestamp or now,
        regresses=_find_regressed_incident(context, service, defect, entry.revision),
    ).moved_to(state, now, _describe_first_sight(entry))
    incident_record.create_incident(context, record)
    stored = incident_record.require_incident(
        context, record.id
    )  # the owner in it shows who opened it, not the result of the write
    if stored.state is IncidentState.OPENED:
        effects.publish_incident_opened(context, stored)
    return StepResult("opened" if stored.opened_by == record.opened_by else "duplicate", record.id)


def _describe_first_sight(entry: LogEntry) -> str:
    if entry.log_name == CHECK_LOG:
        return f"found by a check of {entry.revision}, before it was logged"
    return f"first logged by {entry.revision or 'an unnamed revision'}"


def _find_regressed_incident(context: Context, service: Service, defect: Defect, revision: str) -> str:
    """The incident before this one, if it was resolved lately and its fix runs in the revision that fails now."""
    if defect.generation == 1:
        return ""
    before = incident_record.load_incident(context, replace(defect, generation=defect.generation - 1).incident_id)
    if before is None or before.state is not IncidentState.RESOLVED or before.rest_at is None:
        return ""
    if context.clock.now() > before.rest_at + REOPEN_WINDOW:
        return ""
    return before.id if classify_recurrence(context, service, before, revision) is RecurrenceKind.RECURRED else ""


def _record_occurrence(context: Context, service: Service, record: IncidentRecord, signal: Signal) -> StepResult:
    revision = signal.entry.revision
    if record.state is IncidentState.OPENED:
        effects.publish_incident_opened(context, record)  # the process that opened it may have died before this
    if (
        record.rollout is not None
        and classify_recurrence(context, service, record, revision) is RecurrenceKind.RECURRED
    ):
        incident_record.update_incident(
            context,
            record.id,
            lambda now: now if now.recurred or now.rollout is None else replace(now, recurred=revision),
        )
        return StepResult("recurred", record.id)
    if record.kind is SignalKind.SYNTAX_ERROR and revision:
        store_explaining_incident(
            context, service, revision, record.id
        )  # however far the incident is: its 1011 may still be waiting
    if _awaits_first_line(record, signal):
        incident_record.update_incident(context, record.id, lambda now: _add_first_line(now, signal))
        return StepResult("attached", record.id)
    known = {*record.revisions, *record.failed_revisions}
    if record.state not in {IncidentState.WAITING, IncidentState.OPENED, IncidentState.UNFIXED} or revision in known:
        return StepResult("duplicate", record.id)
    incident_record.update_incident(context, record.id, lambda now: _add_revision(now, signal))
    return StepResult("attached", record.id)


def _awaits_first_line(record: IncidentRecord, signal: Signal) -> bool:
    """Whether a check has found it, and this is the first that is logged of it."""
    return signal.entry.log_name != CHECK_LOG and all(entry.log_name == CHECK_LOG for entry in record.entries)


def _add_first_line(record: IncidentRecord, signal: Signal) -> IncidentRecord:
    """With the entry as evidence, beside what the check has found."""
    if not _awaits_first_line(record, signal):
        return record
    entry = truncate_entry(signal.entry)
    return replace(record, entries=(*record.entries, entry), last_seen=entry.timestamp or record.last_seen)


def _add_revision(record: IncidentRecord, signal: Signal) -> IncidentRecord:
    """With one more revision that fails, while nothing has been deployed against it."""
    entry = signal.entry
    if entry.revision in record.revisions or len(record.entries) >= _MAX_ENTRIES or record.rollout is not None:
        return record
    seen = max(record.last_seen, entry.timestamp or record.last_seen)
    revisions = (*record.revisions, entry.revision) if entry.revision else record.revisions
    return replace(record, revisions=revisions, entries=(*record.entries, truncate_entry(entry)), last_seen=seen)
