"""A log entry, decoded once: whatever shape the log had, everything after this sees a `LogEntry`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
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
    def is_predicted(self) -> bool:
        """Whether a check made it, and nothing was logged."""
        return self.log_name == CHECK_LOG

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
