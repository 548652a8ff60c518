"""Collects the incidents of a log: the signals of one defect grouped, with what is tied to them and what is nearby.

The log is read twice; incidents come in the order of first sight, with how many entries show none. The first pass finds
the defects and ties closes to exceptions; the second one counts what belongs to which.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from shared.detection.entry import LogEntry, LogSource
from shared.detection.grouping import IncidentGrouper, Scope, sort_by_first_seen
from shared.detection.incident import Incident
from shared.detection.multiline_traceback import TracebackAssembler
from shared.detection.signal import Signal, SignalKind, SkipReason, read_signal
from shared.detection.symptoms import SymptomCollector
from shared.detection.syntax_errors import is_last_traceback_line, is_traceback_line
from shared.detection.ties import Tie, TieFinder

_CLOSE_KINDS = frozenset((SignalKind.CLOSE_1011, SignalKind.KEEPALIVE_TIMEOUT))
_KINDS_WITH_SYMPTOMS = frozenset((SignalKind.SYNTAX_ERROR, SignalKind.CLOSE_1011))
_MAX_REMEMBERED = 1_000_000


@dataclass(frozen=True, slots=True)
class CollectedIncidents:
    """What a log holds."""

    incidents: tuple[Incident, ...]
    entry_count: int
    skipped: Mapping[str, int]
    """How many entries are no signal, by the name of the reason."""


@dataclass(slots=True)
class _DuplicateFilter:
    """Knows entries again that an export holds twice: each is counted once."""

    seen: set[int] = field(default_factory=set)

    def is_duplicate(self, entry: LogEntry, signal_or_skip: Signal | SkipReason) -> bool:
        if not entry.insert_id or (
            signal_or_skip is SkipReason.NO_SIGNAL and not entry.severity and "rror" not in entry.text
        ):
            return False
        name = hash((entry.log_name, entry.timestamp, entry.insert_id, entry.text))
        if name in self.seen:
            return True
        if len(self.seen) < _MAX_REMEMBERED:
            self.seen.add(name)
        return False


@dataclass(slots=True)
class _FirstPass:
    grouping: IncidentGrouper
    tracebacks: TracebackAssembler = field(default_factory=TracebackAssembler)
    skipped: Counter[str] = field(default_factory=Counter)
    ties: TieFinder = field(default_factory=TieFinder)
    duplicates: _DuplicateFilter = field(default_factory=_DuplicateFilter)
    entry_count: int = 0
    close_count: int = 0

    def add_entry(self, entry: LogEntry) -> None:
        self.entry_count += 1
        self.tracebacks.observe_time(entry)
        read = read_signal(entry)
        if self.duplicates.is_duplicate(entry, read):
            return
        self.ties.add_entry(self.entry_count, entry, read)
        if isinstance(read, Signal):
            if read.kind in _CLOSE_KINDS:
                self.close_count += 1
            else:
                self.grouping.add(read)
                self._add_reassembled(self.tracebacks.add_boundary(entry))
            return
        self.skipped[read.value] += 1
        if read is SkipReason.NO_FAILING_FILE and is_last_traceback_line(entry.text):
            self._add_reassembled(self.tracebacks.add_last_line(entry))
        elif read in {SkipReason.NO_SIGNAL, SkipReason.NO_FAILING_FILE} and is_traceback_line(entry.text):
            self._add_reassembled(self.tracebacks.add_line(entry))

    def finish(self) -> None:
        self._add_reassembled(self.tracebacks.flush())
        self.skipped += Counter()  # drops what came down to nothing

    def _add_reassembled(self, signals: Iterable[Signal]) -> None:
        for signal in signals:
            self.grouping.add(signal)
            self.skipped[SkipReason.NO_FAILING_FILE.value] -= 1


def collect_incidents(log: LogSource, *, service: str, environment: str) -> CollectedIncidents:
    """`service` and `environment` override what the platform's labels say; "" leaves it to them.

    Raises `shared.errors.InputError` where the log cannot be read.
    """
    scope = Scope(service, environment)
    first_pass = _FirstPass(IncidentGrouper(scope))
    for entry in log.entries():
        first_pass.add_entry(entry)
    first_pass.finish()
    incidents = first_pass.grouping.incidents()
    ties = first_pass.ties.resolve() if first_pass.close_count else {}
    if first_pass.close_count:
        incidents = sort_by_first_seen(chain(incidents, _close_incidents(log, incidents, ties, scope)))
    if any(incident.kind in _KINDS_WITH_SYMPTOMS for incident in incidents):
        incidents = _attach_symptoms(log, incidents, ties, scope)
    return CollectedIncidents(incidents, first_pass.entry_count, dict(first_pass.skipped))


def _close_incidents(
    log: LogSource, incidents: Sequence[Incident], ties: Mapping[int, Tie], scope: Scope
) -> tuple[Incident, ...]:
    """An incident for each exception that closes are tied to, and for what is tied to none."""
    known = SymptomCollector(incidents, scope)
    causes = {tie.raised.class_and_path for tie in ties.values() if tie.is_tied}
    own = IncidentGrouper(scope)
    for number, entry, read in _unique_entries(log):
        if not isinstance(read, Signal) or read.kind not in _CLOSE_KINDS:
            continue
        tie = ties.get(number)
        if tie is None:
            own.add(read)
        elif known.find_owner(entry, tie.raised) is None and (tie.is_tied or tie.raised.class_and_path not in causes):
            own.add(read, tie.raised if tie.is_tied else None)
    return own.incidents()


def _attach_symptoms(
    log: LogSource, incidents: tuple[Incident, ...], ties: Mapping[int, Tie], scope: Scope
) -> tuple[Incident, ...]:
    symptoms = SymptomCollector(incidents, scope)
    for number, entry, read in _unique_entries(log):
        tie = ties.get(number)
        symptoms.add_entry(entry, read, None if tie is None or _is_own_close(symptoms, entry, tie, incidents) else tie)
    return symptoms.build_incidents()


def _is_own_close(symptoms: SymptomCollector, entry: LogEntry, tie: Tie, incidents: Sequence[Incident]) -> bool:
    """Whether a close is what its incident consists of."""
    owner = symptoms.find_owner(entry, tie.raised)
    return owner is None or (tie.is_tied and incidents[owner].kind is not SignalKind.SYNTAX_ERROR)


def _unique_entries(log: LogSource) -> Iterator[tuple[int, LogEntry, Signal | SkipReason]]:
    """Each entry once, with its number in the log and what it says."""
    copies = _DuplicateFilter()
    for number, entry in enumerate(log.entries(), 1):
        read = read_signal(entry)
        if not copies.is_duplicate(entry, read):
            yield number, entry, read
