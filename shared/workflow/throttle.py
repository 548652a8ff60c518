"""Remembers what this process has recorded lately, so that a storm of one defect costs it one write in 30 seconds."""

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

THROTTLE_PERIOD = timedelta(seconds=30)
_MAX_THROTTLE_KEYS = 10_000


@dataclass(slots=True)
class Throttle:
    """Keys and when they were last recorded; the oldest are forgotten first."""

    _seen: OrderedDict[object, datetime] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def is_recent(self, key: object, now: datetime) -> bool:
        """Whether the key was recorded within the last 30 seconds."""
        with self._lock:
            seen = self._seen.get(key)
        return seen is not None and now - seen < THROTTLE_PERIOD

    def mark_recorded(self, key: object, now: datetime) -> None:
        """To be called once all that a recording does is done, so that a failed one is never taken for done."""
        with self._lock:
            self._seen[key] = now
            self._seen.move_to_end(key)
            while len(self._seen) > _MAX_THROTTLE_KEYS:
                self._seen.popitem(last=False)
