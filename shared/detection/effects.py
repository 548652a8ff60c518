"""Makes incidents of closes and failed starts: one for each exception behind them, and one for what is tied to none.

From the incidents of errors that are signals themselves, and the ties, it makes all incidents, with their symptoms.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from shared.detection.entry import LogEntry
from shared.detection.grouping import IncidentGrouper, Scope, sort_by_first_seen
from shared.detection.incident import Incident
from shared.detection.log_gaps import GapFinder
from shared.detection.raised_exception import CLOSE_KINDS, EFFECT_KINDS, RaisedException
from shared.detection.signal import Signal, SignalKind, SkipReason
from shared.detection.symptoms import SymptomCollector
from shared.detection.ties import Tie

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
    """Whether a close is told with an incident that is there, or that another close has."""
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
