"""A log becomes incidents: the signals of one defect grouped, with what followed from them.

In: a log that can be read twice. Out: incidents in the order of first sight, and how many entries show none.
The first pass finds the defects, the second one their symptoms, which may have been logged before them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain

from shared.domain.entry import LogEntry
from shared.domain.grouping import Grouping, Scope, in_order
from shared.domain.incident import Incident
from shared.domain.neighbours import Neighbours
from shared.domain.signal import Refusal, Signal, SignalKind, read_signal
from shared.domain.symptoms import Symptoms
from shared.domain.traceback import ends_traceback, is_traceback_part
from shared.ports import LogSource

_CLOSED = frozenset((SignalKind.CLOSE_1011, SignalKind.KEEPALIVE_TIMEOUT))


@dataclass(frozen=True, slots=True)
class Collected:
    """What a log holds."""

    incidents: tuple[Incident, ...]
    entries: int
    refused: Mapping[str, int]
    """How many entries are no signal, by the name of the reason."""


@dataclass(slots=True)
class _Pass:
    grouping: Grouping
    neighbours: Neighbours = field(default_factory=Neighbours)
    refused: Counter[str] = field(default_factory=Counter)
    entries: int = 0

    def take(self, entry: LogEntry) -> None:
        self.entries += 1
        self.neighbours.clock(entry)
        read = read_signal(entry)
        if isinstance(read, Signal):
            self.grouping.add(read)
            if read.kind not in _CLOSED:
                self._complete(self.neighbours.boundary(entry))
            return
        self.refused[read.value] += 1
        if read is Refusal.NO_FAILING_FILE and ends_traceback(entry.text):
            self._complete(self.neighbours.ends_with(entry))
        elif read in {Refusal.NO_SIGNAL, Refusal.NO_FAILING_FILE} and is_traceback_part(entry.text):
            self._complete(self.neighbours.part(entry))

    def end(self) -> None:
        self._complete(self.neighbours.rest())
        self.refused += Counter()  # drops what came down to nothing

    def _complete(self, signals: Iterable[Signal]) -> None:
        for signal in signals:
            self.grouping.add(signal)
            self.refused[Refusal.NO_FAILING_FILE.value] -= 1


def collect(log: LogSource, *, service: str, environment: str) -> Collected:
    """`service` and `environment` override what the platform's labels say; "" leaves it to them.

    Raises `shared.errors.Unreadable` where the log cannot be read.
    """
    scope = Scope(service, environment)
    found = _Pass(Grouping(scope))
    for entry in log.entries():
        found.take(entry)
    found.end()
    incidents = found.grouping.incidents()
    if any(incident.kind is SignalKind.SYNTAX_ERROR for incident in incidents):
        incidents = _with_symptoms(log, incidents, scope)
    return Collected(incidents, found.entries, dict(found.refused))


def _with_symptoms(log: LogSource, incidents: tuple[Incident, ...], scope: Scope) -> tuple[Incident, ...]:
    """Close codes that belong to no syntax error stay incidents of their own."""
    symptoms = Symptoms([incident for incident in incidents if incident.kind not in _CLOSED], scope)
    alone = Grouping(scope)
    for entry in log.entries():
        read = read_signal(entry)
        attached = symptoms.take(entry, read)
        if not attached and isinstance(read, Signal) and read.kind in _CLOSED:
            alone.add(read)
    return in_order(chain(symptoms.attached(), alone.incidents()))
