"""Collects the incidents of a log: the signals of one defect grouped, with what is tied to them and what is nearby.

The log is read twice; incidents come in the order of first sight, with how many entries show none. The first pass finds
the defects and ties closes to exceptions; the second one counts what belongs to which. Closes and failed starts make
incidents as well: one for each exception behind them, and one for what is tied to none.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from shared.detection.entry import GapFinder, LogEntry, LogSource
from shared.detection.grouping import IncidentGrouper, Scope, sort_by_first_seen
from shared.detection.incident import Incident
from shared.detection.multiline_traceback import TracebackAssembler
from shared.detection.raised_exception import CLOSE_KINDS, EFFECT_KINDS, RaisedException
from shared.detection.signal import Signal, SignalKind, SkipReason, read_signal
from shared.detection.symptoms import SymptomCollector
from shared.detection.syntax_errors import is_last_traceback_line, is_traceback_line
from shared.detection.ties import Tie, TieFinder

ReadEntries = Callable[[], Iterator[tuple[int, LogEntry, Signal | SkipReason]]]


@dataclass(frozen=True, slots=True)
class EffectCollector:
    """`read_entries` gives each entry of the log once, with its number and what it says."""

    scope: Scope
    ties: Mapping[int, Tie]
    read_entries: ReadEntries

    def add_incidents(self, incidents: Sequence[Incident]) -> tuple[Incident, ...]:
        """With those of failed starts, then of closes: what made the start fail may close connections as well."""
        starts = IncidentGrouper(self.scope)
        known, seen = SymptomCollector(incidents, self.scope), set[tuple[int, str]]()
        for number, entry, read in self.read_entries():
            if not isinstance(read, Signal) or read.kind is not SignalKind.FAILED_START:
                continue
            tie = self.ties.get(number)
            if tie is None:
                starts.add(read)
            elif known.find_owner(entry, tie.raised) is None:
                self._add_failed_start(starts, read, tie.raised, seen)
        incidents = sort_by_first_seen(chain(incidents, starts.incidents()))
        return sort_by_first_seen(chain(incidents, self._close_incidents(incidents)))

    @staticmethod
    def _add_failed_start(
        starts: IncidentGrouper, read: Signal, raised: RaisedException, seen: set[tuple[int, str]]
    ) -> None:
        """The exception is the defect, once, however many sentences of the platform follow from it."""
        signal = build_start_signal(read, raised)
        key = (signal.entry.position, signal.entry.insert_id)
        if key not in seen:
            seen.add(key)
            starts.add(signal, raised)

    def _close_incidents(self, incidents: Sequence[Incident]) -> tuple[Incident, ...]:
        known, own = SymptomCollector(incidents, self.scope), IncidentGrouper(self.scope)
        causes = {tie.raised.class_and_path for tie in self.ties.values() if tie.is_tied}
        for number, entry, read in self.read_entries():
            if not isinstance(read, Signal) or read.kind not in CLOSE_KINDS:
                continue
            tie = self.ties.get(number)
            if tie is None:
                own.add(read)
            elif not _is_explained(known, causes, entry, tie):
                own.add(read, tie.raised if tie.is_tied else None, tie.candidates)
        return own.incidents()

    def add_symptoms(self, incidents: Sequence[Incident]) -> tuple[Incident, ...]:
        """The incidents with what is tied to them, what was logged beside them, and the silence before a timeout."""
        symptoms, gaps = SymptomCollector(incidents, self.scope), GapFinder()
        for number, entry, read in self.read_entries():
            tie = self.ties.get(number)
            is_own = tie is None or _is_own_effect(symptoms, entry, read, tie, incidents)
            symptoms.add_entry(entry, read, None if is_own else tie)
            gaps.add_entry(entry)
        return tuple(_add_gap(incident, gaps) for incident in symptoms.build_incidents())


def _is_explained(known: SymptomCollector, causes: set[tuple[str, str]], entry: LogEntry, tie: Tie) -> bool:
    """Whether an incident that exists, or that of another close, already holds this close."""
    if tie.is_tied:
        return known.find_owner(entry, tie.raised) is not None
    return all(
        raised.class_and_path in causes or known.find_owner(entry, raised) is not None
        for raised in tie.candidates or (tie.raised,)
    )


def _add_gap(incident: Incident, gaps: GapFinder) -> Incident:
    if incident.kind is not SignalKind.KEEPALIVE_TIMEOUT:
        return incident
    return replace(incident, longest_gap=gaps.find_gap(sighting.first for sighting in incident.sightings))


def _is_own_effect(
    symptoms: SymptomCollector,
    entry: LogEntry,
    read: Signal | SkipReason,
    tie: Tie,
    incidents: Sequence[Incident],
) -> bool:
    """Whether a close, or a traceback of a failed start, is what its incident consists of."""
    owner = symptoms.find_owner(entry, tie.raised)
    if owner is None:
        return True
    kind = incidents[owner].kind
    if kind is SignalKind.FAILED_START:
        return isinstance(read, Signal) and read.kind is kind and _is_shown_by(read, tie.raised)
    return kind in EFFECT_KINDS and tie.is_tied


def _is_shown_by(read: Signal, raised: RaisedException) -> bool:
    """Whether the entry is the traceback itself, and no sentence that follows from it."""
    return any(read.error_class == link.error_class for link in raised.chain)


def build_start_signal(read: Signal, raised: RaisedException) -> Signal:
    """The failed start as the exception behind it shows it; `read` is the traceback, or a sentence of the platform."""
    frame = raised.location
    return replace(
        read,
        entry=read.entry if _is_shown_by(read, raised) else raised.entry,
        error_class=raised.exception.error_class,
        path=frame.path if frame is not None else "",
        line=frame.line or None if frame is not None else None,
        message=raised.exception.message,
    )


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
