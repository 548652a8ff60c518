"""What a log without an incident holds, in one paragraph: entries, from when to when, services, exceptions."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from shared.detection.entry import LogEntry, LogSource
from shared.text.phrases import join_first_words, quote_untrusted
from shared.text.timestamps import format_timestamp

_EXCEPTION = re.compile(r"^(?:[\w.]{1,80}\.)?([A-Z]\w{0,60}(?:Error|Exception|Warning|Interrupt))(?::|$)", re.MULTILINE)
_MAX_NAMES = 5
_MAX_REMEMBERED = 1_000
_MAX_SEARCHED = 20_000
"""Characters of an entry, from its end, where a traceback names its exception."""


@dataclass(slots=True)
class ObservedLog:
    """A log that remembers what it was read to hold. Read any number of times, it counts the first one."""

    log: LogSource
    entries_read: int = 0
    first: LogEntry | None = None
    last: LogEntry | None = None
    services: Counter[str] = field(default_factory=Counter)
    exceptions: Counter[str] = field(default_factory=Counter)
    _is_counted: bool = False

    def entries(self) -> Iterator[LogEntry]:
        """See `shared.detection.entry.LogSource`."""
        is_first, self._is_counted = not self._is_counted, True
        for entry in self.log.entries():
            if is_first:
                self._count(entry)
            yield entry

    def describe(self) -> str:
        """Two or three sentences for a user who expected an incident."""
        if not self.entries_read:
            return "The log is empty: it has no entry."
        read = f"Read {self.entries_read} {'entry' if self.entries_read == 1 else 'entries'}"
        services = [quote_untrusted(name, 80) for name, _ in self.services.most_common()]
        of = f" of {join_first_words(services, _MAX_NAMES)}" if services else ""
        if self.first is None or self.last is None:
            return f"{read}{of}, none of which has a time: is this the log of a service?"
        return f"{read}{of}, {_format_period(self.first, self.last)}.{self._describe_exceptions()}"

    def _describe_exceptions(self) -> str:
        if not self.exceptions:
            return " None of them names an exception."
        named = [f"{quote_untrusted(name, 80)} ({count})" for name, count in self.exceptions.most_common()]
        return f" Exceptions that were seen and are not judged: {join_first_words(named, _MAX_NAMES)}."

    def _count(self, entry: LogEntry) -> None:
        self.entries_read += 1
        if entry.timestamp is not None:
            self.first = entry if self.first is None or entry.timestamp < _require_time(self.first) else self.first
            self.last = entry if self.last is None or entry.timestamp > _require_time(self.last) else self.last
        if entry.service and (entry.service in self.services or len(self.services) < _MAX_REMEMBERED):
            self.services[entry.service] += 1
        if "rror" in entry.text or "xception" in entry.text:
            for name in _EXCEPTION.findall(entry.text[-_MAX_SEARCHED:])[-1:]:
                if name in self.exceptions or len(self.exceptions) < _MAX_REMEMBERED:
                    self.exceptions[name] += 1


def _require_time(entry: LogEntry) -> datetime:
    assert entry.timestamp is not None
    return entry.timestamp


def _format_period(first: LogEntry, last: LogEntry) -> str:
    begin = format_timestamp(_require_time(first), dated=first.dated)
    end = format_timestamp(_require_time(last), dated=last.dated)
    return f"at {begin}" if begin == end else f"from {begin} to {end}"
