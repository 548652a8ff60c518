"""Finds the longest time for which an instance logged nothing before a keepalive timeout: a blocked loop is silent."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from shared.detection.entry import LogEntry

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
