"""Finds the syntax error to which the log ties a close, and its incident.

A close of a revision that has a syntax error may have any cause: it is a symptom only where the log ties the two.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from shared.detection.entry import LogEntry
from shared.detection.raised_exception import RaisedException
from shared.detection.signal import Signal, SignalKind, read_signal
from shared.detection.ties import MAX_TIE_AGE, TieFinder
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
    cause = find_explaining_incident(context, service, entry.revision)
    if cause is None:
        return None
    signal = _find_tied_signal(context, service, entry)
    if signal is None:
        return None
    return incident_record.load_incident(context, find_or_create_defect(context, service, signal).incident_id)


def _find_tied_signal(context: Context, service: Service, entry: LogEntry) -> Signal | None:
    at = entry.timestamp
    if at is None:
        return None
    logged = _read_log_before(context, service, entry, at)
    if logged is None:
        return None
    ties = TieFinder()
    for number, logged_entry in enumerate([*logged, entry]):
        ties.add_entry(number, logged_entry, read_signal(logged_entry))
    tie = ties.resolve().get(len(logged))
    # A later close of the same instance, with no other exception before it, has no incident of its own: the report
    # tells it as logged in the same minutes.
    return _build_signal(tie.raised) if tie is not None and tie.raised.is_syntax_error else None


def _read_log_before(context: Context, service: Service, entry: LogEntry, at: datetime) -> list[LogEntry] | None:
    """What the revision logged before an entry: in a storm of less time; None where even that is cut off."""
    for shorter in _WINDOW_DIVISORS:
        entries = context.logs.read_entries(service, at - MAX_TIE_AGE / shorter, at, entry.revision)
        if len(entries) < _MAX_ENTRIES_READ:
            return [logged_entry for logged_entry in entries if _entry_identity(logged_entry) != _entry_identity(entry)]
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


def _entry_identity(entry: LogEntry) -> tuple[object, ...]:
    return entry.log_name, entry.timestamp, entry.insert_id
