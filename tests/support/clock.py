"""A clock that tests turn, and ids that they can foretell."""

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

MORNING = datetime(2026, 4, 7, 8, 0, tzinfo=UTC)


@dataclass
class FakeClock:
    """Implements `shared.ports.Clock`. Stands still until it is turned."""

    current_time: datetime = MORNING

    def now(self) -> datetime:
        return self.current_time

    def advance(self, by: timedelta) -> None:
        self.current_time += by


@dataclass
class CountedIds:
    """Implements `shared.ports.IdGenerator`."""

    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def generate_id(self) -> str:
        return f"{next(self._numbers):016x}"
