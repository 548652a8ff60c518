"""Collects the incidents of a log: the signals of one defect grouped, with what is tied to them and what is nearby.

The log is read twice; incidents come in the order of first sight, with how many entries show none. The first pass finds
the defects and ties closes to exceptions; the second one counts what belongs to which.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from shared.detection.effects import EffectCollector
from shared.detection.entry import LogEntry, LogSource
from shared.detection.grouping import IncidentGrouper, Scope
from shared.detection.incident import Incident
from shared.detection.multiline_traceback import TracebackAssembler
from shared.detection.raised_exception import EFFECT_KINDS
from shared.detection.signal import Signal, SignalKind, SkipReason, read_signal
from shared.detection.syntax_errors import is_last_traceback_line, is_traceback_line
from shared.detection.ties import TieFinder

_KINDS_WITH_SYMPTOMS = frozenset((SignalKind.SYNTAX_ERROR, SignalKind.CLOSE_1011, SignalKind.FAILED_START))
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
    effect_count: int = 0
    reassembled: dict[int, Signal] = field(default_factory=dict)
    """Closes and failed starts that only the lines beside them show, by their entries' numbers."""
    _last_lines: dict[int, int] = field(default_factory=dict)
    """Numbers of entries that end a traceback, by their positions."""

    def add_entry(self, entry: LogEntry) -> None:
        self.entry_count += 1
        self.tracebacks.observe_time(entry)
        read = read_signal(entry)
        if self.duplicates.is_duplicate(entry, read):
            return
        self._add_line_signals(self.ties.add_entry(self.entry_count, entry, read))
        if isinstance(read, Signal):
            if read.kind in EFFECT_KINDS:
                self.effect_count += 1
            else:
                self.grouping.add(read)
                self._add_reassembled(self.tracebacks.add_boundary(entry))
            return
        self.skipped[read.value] += 1
        if read is SkipReason.NO_FAILING_FILE and is_last_traceback_line(entry.text):
            self._last_lines[entry.position] = self.entry_count
            self._add_reassembled(self.tracebacks.add_last_line(entry))
        elif read in {SkipReason.NO_SIGNAL, SkipReason.NO_FAILING_FILE} and is_traceback_line(entry.text):
            self._add_reassembled(self.tracebacks.add_line(entry))

    def finish(self) -> None:
        self._add_line_signals(self.ties.end_lines())
        self._add_reassembled(self.tracebacks.flush())
        self.skipped += Counter()  # drops what came down to nothing

    def _add_line_signals(self, shown: Iterable[tuple[int, Signal]]) -> None:
        for number, signal in shown:
            self.effect_count += 1
            self.reassembled[number] = signal
            self.skipped[SkipReason.NO_SIGNAL.value] -= 1

    def _add_reassembled(self, signals: Iterable[Signal]) -> None:
        for signal in signals:
            number = self._last_lines.get(signal.entry.position)
            if signal.kind not in EFFECT_KINDS:
                self.grouping.add(signal)
            elif number is not None:
                self.effect_count += 1
                self.reassembled[number] = signal
                self.ties.add_effect(number, signal)
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
    if first_pass.effect_count:
        ties = first_pass.ties.resolve()
        of_tracebacks = dict.fromkeys(first_pass.ties.lines_of_tracebacks, SkipReason.NO_FAILING_FILE)
        read = of_tracebacks | first_pass.reassembled
        effects = EffectCollector(scope, ties, lambda: _list_unique_entries(log, read))
        incidents = effects.add_symptoms(effects.add_incidents(incidents))
    elif any(incident.kind in _KINDS_WITH_SYMPTOMS for incident in incidents):
        no_effects = EffectCollector(scope, {}, lambda: _list_unique_entries(log, {}))
        incidents = no_effects.add_symptoms(incidents)
    return CollectedIncidents(incidents, first_pass.entry_count, dict(first_pass.skipped))


def _list_unique_entries(
    log: LogSource, reassembled: Mapping[int, Signal | SkipReason]
) -> Iterator[tuple[int, LogEntry, Signal | SkipReason]]:
    """Each entry once, with its number in the log and what it says, with the lines beside it where need be."""
    copies = _DuplicateFilter()
    for number, entry in enumerate(log.entries(), 1):
        read = read_signal(entry)
        if not copies.is_duplicate(entry, read):
            yield number, entry, read if isinstance(read, Signal) else reassembled.get(number, read)
