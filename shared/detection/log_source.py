"""What detection asks of a log."""

from collections.abc import Iterator
from typing import Protocol

from shared.detection.entry import LogEntry


class LogSource(Protocol):
    """A log that can be read more than once, one entry at a time."""

    def entries(self) -> Iterator[LogEntry]:
        """All entries in the order of the log, from its beginning at every call.

        Raises `shared.errors.InputError` where the log cannot be read, or not to its end.
        """
