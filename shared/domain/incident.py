"""Signals of one defect, grouped: one fingerprint, what was sighted when, and what followed from it."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.entry import LogEntry
from shared.domain.signal import SignalKind


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
    """What failed as a consequence, grouped by its text with the variable parts masked."""

    kind: SignalKind
    text: str
    revision: str
    first_seen: datetime | None
    last_seen: datetime | None
    occurrences: int
    first: LogEntry


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
