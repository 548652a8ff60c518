"""Finds the exception to which the log ties a close or a failed start, and the incident of a syntax error.

A close of a revision that has a syntax error may have any cause: it is a symptom only where the log ties the two.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from shared.detection.close_code import CloseKind
from shared.detection.collect import build_start_signal
from shared.detection.entry import LogEntry
from shared.detection.raised_exception import EFFECT_KINDS, RaisedException, read_raised
from shared.detection.signal import Signal, SignalKind, SkipReason, read_signal
from shared.detection.ties import MAX_TIE_AGE, Tie, TieFinder
from shared.service import Service
from shared.text.escaping import strip_markup
from shared.workflow.context import Context
from shared.workflow.records import incident_record
from shared.workflow.records.defects import find_or_create_defect
from shared.workflow.records.documents import Collection
from shared.workflow.records.incident_record import IncidentRecord


@dataclass(frozen=True, slots=True)
class _Cause:
    """The incident that explains what a revision logs."""

    incident: str


CAUSES = Collection("causes", _Cause)
_TIED_TO_OWN_TEXT = frozenset((CloseKind.REMOTE_END, CloseKind.KEEPALIVE))


def store_explaining_incident(context: Context, service: Service, revision: str, incident: str) -> None:
    """Remembers, before an incident opens, that it will explain what the revision logs. The first one stays."""
    CAUSES.create(context.store, _key(service, revision), _Cause(incident))


def find_explaining_incident(context: Context, service: Service, revision: str) -> IncidentRecord | None:
    """The incident that explains a revision's symptoms; None where there is none, or it has not opened yet."""
    cause = CAUSES.read(context.store, _key(service, revision)) if revision else None
    return incident_record.load_incident(context, cause.incident) if cause is not None else None


def _key(service: Service, revision: str) -> str:
    return f"{service.id}.{revision}"


_MAX_ENTRIES_READ = 10_000
"""What one reading of a log gives: with so many entries the last ones may be missing."""
_WINDOW_DIVISORS = (1, 10, 100, 1000)
"""Parts of the usual time that are tried, until a reading is whole."""


def find_cause_of_close(context: Context, service: Service, entry: LogEntry) -> IncidentRecord | None:
    """The incident of the syntax error to which a close is tied; None where none is known, or nothing is tied."""
    if find_explaining_incident(context, service, entry.revision) is None:
        return None
    return find_incident_of(context, service, find_tied_exception(context, service, entry))


def find_incident_of(context: Context, service: Service, raised: RaisedException | None) -> IncidentRecord | None:
    """The incident of a syntax error; None for any other exception, or where it has none yet."""
    signal = _build_signal(raised) if raised is not None and raised.is_syntax_error else None
    if signal is None or find_explaining_incident(context, service, signal.entry.revision) is None:
        return None
    return incident_record.load_incident(context, find_or_create_defect(context, service, signal).incident_id)


def is_tied_by_log(entry: LogEntry, read: Signal | SkipReason) -> bool:
    """Whether only the log before a close or a failed start may show its exception; `read` is the entry as read."""
    if not isinstance(read, Signal) or read.kind not in EFFECT_KINDS or read.close_kind in _TIED_TO_OWN_TEXT:
        return False
    return read_raised(entry, read) is None


def find_tied_exception(context: Context, service: Service, entry: LogEntry) -> RaisedException | None:
    """What the log ties a close or a failed start to: its own text, else what the revision logged before it."""
    read = read_signal(entry)
    own = read_raised(entry, read)
    if own is not None or not isinstance(read, Signal) or read.close_kind in _TIED_TO_OWN_TEXT:
        return own
    logged = _read_log_before(context, service, entry, entry.timestamp) if entry.timestamp is not None else None
    if logged is None:
        return None
    ties = TieFinder()
    for number, logged_entry in enumerate([*logged, entry]):
        ties.add_entry(number, logged_entry, read_signal(logged_entry))
    resolved = ties.resolve()
    tie = resolved.get(len(logged))
    if tie is None:
        return None
    # A later close of the same instance, with no other exception before it, has no incident of its own where that is
    # a syntax error's, or the cause of an earlier close: the report lists it as logged in the same minutes.
    is_explained = tie.raised.is_syntax_error and not tie.candidates
    return tie.raised if tie.is_tied or is_explained or _is_cause_of_others(tie, resolved.values()) else None


def _is_cause_of_others(tie: Tie, ties: Iterable[Tie]) -> bool:
    """Whether every possible cause of a close is the cause of other closes, whose reports mention it."""
    causes = {other.raised.class_and_path for other in ties if other.is_tied}
    return all(raised.class_and_path in causes for raised in tie.candidates or (tie.raised,))


def describe_effect(signal: Signal, raised: RaisedException | None) -> tuple[Signal, RaisedException | None]:
    """A close without the class of its exception, which is in its defect; a failed start as its exception shows it."""
    if raised is not None and raised.is_syntax_error:
        raised = None  # its incident may still come, and explain this one
    if signal.kind is SignalKind.FAILED_START:
        return (build_start_signal(signal, raised) if raised is not None else signal), raised
    return replace(signal, error_class="", path="", line=None), raised


def _read_log_before(context: Context, service: Service, entry: LogEntry, at: datetime) -> list[LogEntry] | None:
    """What the revision logged before an entry: in a storm of less time; None where even that is cut off."""
    for shorter in _WINDOW_DIVISORS:
        entries = context.logs.read_entries(service, at - MAX_TIE_AGE / shorter, at, entry.revision)
        if len(entries) < _MAX_ENTRIES_READ:
            return [logged_entry for logged_entry in entries if logged_entry.identity != entry.identity]
    return None


def _build_signal(raised: RaisedException) -> Signal | None:
    location = raised.exception.location
    if location is None:
        return None
    entry = replace(raised.entry, text=strip_markup(raised.entry.text))
    return Signal(
        SignalKind.SYNTAX_ERROR, entry, raised.exception.error_class, location.path, location.line or None,
        raised.exception.message,
    )  # fmt: skip
