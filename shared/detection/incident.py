"""Signals of one defect, grouped: one fingerprint, what was sighted when, and what followed from it."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

from shared.detection.close_code import CloseKind
from shared.detection.entry import CHECK_LOG, LogEntry, LogGap
from shared.detection.logged_exception import Frame, LoggedException
from shared.detection.raised_exception import RaisedException
from shared.detection.signal import SignalKind
from shared.text.phrases import quote_untrusted

DATELESS_DAY = datetime(1970, 1, 1, tzinfo=UTC)
"""The day of a time of day that was logged without a date."""
_MAX_DATELESS_SPAN = timedelta(days=365)

_CLOSE_CLASS = re.compile(r"(?:Closed\w{0,20}|Disconnect(?:ed)?|APIError)$")

_Seen = TypeVar("_Seen", "Sighting", "Symptom")


@dataclass(frozen=True, slots=True)
class Sighting:
    """All entries of an incident that name the same revision, line and message."""

    revision: str
    line: int | None
    message: str
    source_text: str
    python: str
    first_seen: datetime | None
    last_seen: datetime | None
    occurrences: int
    first: LogEntry
    """The earliest of these entries, as evidence."""


@dataclass(frozen=True, slots=True)
class Symptom:
    """What was logged beside a failure, grouped by its text with the variable parts masked."""

    kind: SignalKind
    text: str
    revision: str
    first_seen: datetime | None
    last_seen: datetime | None
    occurrences: int
    first: LogEntry


_ACCESS_REFUSED = re.compile(
    r"\b(?:401|403)\b|authenticat|unauthori[sz]ed|\bforbidden\b|permission denied|not allowed", re.IGNORECASE
)


def is_suspected_consequence(symptom: Symptom, incident: "Incident") -> bool:
    """Whether readers are likely to take it for a consequence: refusals of access are, unless they came before."""
    before = symptom.last_seen and incident.first_seen and symptom.last_seen < incident.first_seen
    return not before and _ACCESS_REFUSED.search(symptom.text) is not None


@dataclass(frozen=True, slots=True)
class Incident:
    """One defect of one service in one environment."""

    fingerprint: str
    """16 hex digits over service, environment, normalised path and error class; never the line number."""
    kind: SignalKind
    service: str
    environment: str
    error_class: str
    path: str
    """As logged, in its longest form; "" where the kind has none."""
    sightings: tuple[Sighting, ...]
    """In the order in which they were first seen; empty for no incident."""
    symptoms: tuple[Symptom, ...]
    first_seen: datetime | None
    last_seen: datetime | None
    occurrences: int
    """Entries that show the defect itself; symptoms have counts of their own."""
    dated: bool
    """False where the log carried times of day without a date."""
    nearby: tuple[Symptom, ...] = ()
    """What was logged in the same minutes, and is not known to follow from it."""
    close_kind: CloseKind | None = None
    """For closes: which end closed first."""
    raised: RaisedException | None = None
    """For closes and failed starts: the exception that the log ties them to. That it caused them is not proven."""
    candidates: tuple[RaisedException, ...] = ()
    """For closes that are tied to none: the exceptions one of which caused them. The log does not say which."""
    longest_gap: LogGap | None = None
    """For keepalive timeouts: the longest time for which the instance logged nothing before them."""

    @property
    def is_found_early(self) -> bool:
        """Whether a check has found it, and nobody has met it: nothing of it is logged."""
        return bool(self.sightings) and all(sighting.first.log_name == CHECK_LOG for sighting in self.sightings)

    @property
    def has_close_code(self) -> bool:
        """Whether a close with 1011 was logged, and not only the exception with which a WebSocket ended."""
        return self.kind is SignalKind.CLOSE_1011 and self.close_kind is not CloseKind.EXCEPTION

    @property
    def is_close_own_exception(self) -> bool:
        """Whether the exception is the close itself (`ConnectionClosedError: …`), so that none was logged before it."""
        if self.raised is None or not _CLOSE_CLASS.search(self.raised.exception.error_class):
            return False
        return self.is_raised_in_own_entry

    @property
    def is_raised_in_own_entry(self) -> bool:
        """Whether the close and its exception are one entry of the log."""
        entry = self.raised.entry if self.raised is not None else None
        return entry is not None and any(entry.position == sighting.first.position for sighting in self.sightings)


def move_to_day(incident: Incident, day: date) -> Incident:
    """The incident of a log that carried times of day only, with every one of them moved to `day`.

    Times after a midnight within the log land on the day after. `dated` stays False: the log did not say the day.
    """
    if incident.dated:
        return incident
    shift = datetime.combine(day, time(), UTC) - DATELESS_DAY

    def moved(moment: datetime | None) -> datetime | None:
        return moment + shift if moment is not None and abs(moment - DATELESS_DAY) < _MAX_DATELESS_SPAN else moment

    def entry(of: LogEntry) -> LogEntry:
        return of if of.dated else replace(of, timestamp=moved(of.timestamp))

    def shift_sighting(of: _Seen) -> _Seen:
        return replace(of, first_seen=moved(of.first_seen), last_seen=moved(of.last_seen), first=entry(of.first))

    return replace(
        incident,
        sightings=tuple(shift_sighting(sighting) for sighting in incident.sightings),
        symptoms=tuple(shift_sighting(symptom) for symptom in incident.symptoms),
        nearby=tuple(shift_sighting(symptom) for symptom in incident.nearby),
        raised=replace(incident.raised, entry=entry(incident.raised.entry)) if incident.raised else None,
        first_seen=moved(incident.first_seen),
        last_seen=moved(incident.last_seen),
    )


def describe_raised_exception(incident: Incident, frame: Frame | None = None) -> str:
    """`AttributeError: no such attribute (/app/main.py, line 5, in base_url: os.enviorn)`; "" where none is tied."""
    if incident.raised is None:
        return ""
    return describe_raised(incident.raised, frame)


def describe_raised(raised: RaisedException, frame: Frame | None = None) -> str:
    """The same of any exception of the log."""
    words = describe_exception(raised.exception)
    return f"{words}{_describe_place(frame or raised.location)}{_describe_last_link(raised)}"


def name_raised(raised: RaisedException, frame: Frame | None = None) -> str:
    """`KeyError in ferry/berths.py, line 41`, for where its message is shown already."""
    at = frame or raised.location
    line = f", line {at.line}" if at is not None and at.line else ""
    location = f" in {quote_untrusted(at.path, 200)}{line}" if at is not None else ""
    return f"{quote_untrusted(raised.exception.error_class.rpartition('.')[2], 80)}{location}"


def _describe_place(at: Frame | None) -> str:
    if at is None:
        return ""
    line = f", line {at.line}" if at.line else ""
    function = f", in {quote_untrusted(at.function, 80)}" if at.function else ""
    source = f": {quote_untrusted(at.source_text, 120)}" if at.source_text else ""
    return f" ({quote_untrusted(at.path, 200)}{line}{function}{source})"


def _describe_last_link(raised: RaisedException) -> str:
    """What the first link became, where that says more."""
    last = raised.last_link
    if last is None or (last.error_class, last.message) == (raised.exception.error_class, raised.exception.message):
        return ""
    return f"; raised in the end: {describe_exception(last)}"


def describe_exception(exception: LoggedException) -> str:
    """`KeyError: 'berth'`."""
    parts = (quote_untrusted(exception.error_class, 80), quote_untrusted(exception.message, 200))
    return ": ".join(filter(None, parts))
