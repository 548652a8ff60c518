"""A log entry, decoded once: whatever shape the log had, everything after this sees a `LogEntry`.

Also the longest time for which an instance logged no entry before a keepalive timeout: a blocked loop is silent.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Protocol

CHECK_LOG = "provenfix-check"
"""The log name of an entry that no program has written: a check has found what the program will log. The platform's
names of logs all begin with `projects/` or the like."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry of a service's log.

    `text` is the payload as one string, decoded but otherwise untouched (it is attacker-controlled).
    Everything but `text`, `connection` and `logged_at` comes from the platform's envelope and is "" or None where the
    log does not carry it.
    `dated` is False where only a time of day was logged; `timestamp` then is on 1970-01-01, or on the days after it
    where the clock passed midnight within the log. A text line without a time of its own carries that of the line
    which it continues.
    """

    position: int
    """Place in the log file, counted from 0: JSON entries or text lines."""
    text: str
    timestamp: datetime | None = None
    """Aware, in UTC."""
    dated: bool = True
    severity: str = ""
    log_name: str = ""
    insert_id: str = ""
    project: str = ""
    service: str = ""
    revision: str = ""
    instance: str = ""
    trace: str = ""
    span: str = ""
    request: str = ""
    """An id of the request or the connection for which it was logged, where a label carries one."""
    connection: tuple[str, ...] = ()
    """Names of the connection that the program logged in fields of their own, as `kind value`."""
    commit: str = ""
    """What the label `commit-sha` says: the commit of which the revision is said to be built."""
    logged_at: str = ""
    """Where the program logged it, as `path:line function`, where the logger says so; the path as of a file or of a
    dotted module."""
    build: str = ""
    """The labels `gcb-build-id` and `gcb-trigger-id`, as `name value`."""

    @property
    def identity(self) -> tuple[object, ...]:
        """Identifies the entry; copies of its message share it."""
        return self.log_name, self.timestamp, self.insert_id

    @property
    def source(self) -> tuple[str, ...]:
        """The log of the instance that wrote it."""
        return self.project, self.service, self.revision, self.instance, self.log_name


class LogSource(Protocol):
    """A log that can be read more than once, one entry at a time."""

    def entries(self) -> Iterator[LogEntry]:
        """All entries in the order of the log, from its beginning at every call.

        Raises `shared.errors.InputError` where the log cannot be read, or not to its end.
        """


@dataclass(frozen=True, slots=True)
class EntryList:
    """Implements `LogSource` with entries in memory."""

    all: Sequence[LogEntry]

    def entries(self) -> Iterator[LogEntry]:
        """See `LogSource`."""
        return iter(self.all)


_WINDOW = timedelta(minutes=2)
"""A ping is sent every 20 seconds by default, and waited for as long: what blocked it is within this time."""
_MIN_LINES = 3
"""An instance that logs next to nothing is silent anyway."""
_MIN_GAP = timedelta(seconds=5)
_MAX_MOMENTS = 100_000


@dataclass(frozen=True, slots=True)
class LogGap:
    """A time without any line of one instance, among the lines that were read."""

    start: datetime
    end: datetime
    instance: str
    line_count: int
    """Lines of the instance in the two minutes before the timeout."""

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.end - self.start).total_seconds()


class GapFinder:
    """Takes the entries of a log, gives the longest gap before a timeout."""

    def __init__(self) -> None:
        self._moments: dict[tuple[str, str], list[datetime]] = {}
        self._count = 0

    def add_entry(self, entry: LogEntry) -> None:
        """One more entry, in any order."""
        if entry.timestamp is None or not entry.instance or self._count >= _MAX_MOMENTS:
            return
        self._moments.setdefault((entry.revision, entry.instance), []).append(entry.timestamp)
        self._count += 1

    def find_gap(self, timeouts: Iterable[LogEntry]) -> LogGap | None:
        """The longest one before any of these; None where the instance is not named or logs too little."""
        gaps = [gap for entry in timeouts if (gap := self._find_gap_before(entry)) is not None]
        return max(gaps, key=lambda gap: gap.seconds, default=None)

    def _find_gap_before(self, entry: LogEntry) -> LogGap | None:
        at = entry.timestamp
        if at is None:
            return None
        known = self._moments.get((entry.revision, entry.instance), ())
        moments = sorted(moment for moment in known if at - _WINDOW <= moment <= at)
        if len(moments) < _MIN_LINES:
            return None
        gaps = [LogGap(first, then, entry.instance, len(moments)) for first, then in pairwise(moments)]
        longest = max(gaps, key=lambda gap: gap.seconds)
        return longest if longest.end - longest.start >= _MIN_GAP else None
