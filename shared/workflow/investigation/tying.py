"""To which syntax error the log ties a close: a service and the entry of a close in, the error's signal out.

A close of a revision that has a syntax error may come from anything. Only what is tied to it is its symptom.
"""

from dataclasses import replace
from datetime import datetime

from shared.detection.entry import LogEntry
from shared.detection.signal import Signal, SignalKind, read_signal
from shared.detection.ties import MAX_TIE_AGE, RaisedException, TieFinder
from shared.service import Service
from shared.text.markup import strip_markup
from shared.workflow.context import World
from shared.workflow.investigation.causes import cause_of
from shared.workflow.records import incident_records
from shared.workflow.records.defects import defect_of
from shared.workflow.records.incident_record import Case

_MOST = 10_000
"""What one reading of a log gives: with so many entries the last ones may be missing."""
_SHORTER = (1, 10, 100, 1000)
"""Parts of the usual time that are tried, until a reading is whole."""


def cause_of_close(world: World, service: Service, entry: LogEntry) -> Case | None:
    """The incident of the syntax error to which a close is tied; None where none is known, or nothing is tied."""
    cause = cause_of(world, service, entry.revision)
    if cause is None:
        return None
    signal = _tied(world, service, entry)
    if signal is None:
        return None
    return incident_records.load(world, defect_of(world, service, signal).incident)


def _tied(world: World, service: Service, entry: LogEntry) -> Signal | None:
    at = entry.timestamp
    if at is None:
        return None
    logged = _logged_before(world, service, entry, at)
    if logged is None:
        return None
    ties = TieFinder()
    for number, each in enumerate([*logged, entry]):
        ties.take(number, each, read_signal(each))
    tie = ties.settle().get(len(logged))
    # A later close of the same instance, with no other exception before it, has no incident of its own: the report
    # tells it as logged in the same minutes.
    return _signal(tie.raised) if tie is not None and tie.raised.syntax else None


def _logged_before(world: World, service: Service, entry: LogEntry, at: datetime) -> list[LogEntry] | None:
    """What the revision logged before an entry: in a storm of less time; None where even that is cut off."""
    for shorter in _SHORTER:
        found = world.logs.entries(service, at - MAX_TIE_AGE / shorter, at, entry.revision)
        if len(found) < _MOST:
            return [each for each in found if _name(each) != _name(entry)]
    return None


def _signal(raised: RaisedException) -> Signal | None:
    place = raised.exception.place
    if place is None:
        return None
    entry = replace(raised.entry, text=strip_markup(raised.entry.text))
    return Signal(
        SignalKind.SYNTAX_ERROR, entry, raised.exception.error_class, place.path, place.line or None,
        raised.exception.message,
    )  # fmt: skip


def _name(entry: LogEntry) -> tuple[object, ...]:
    return entry.log_name, entry.timestamp, entry.insert_id
