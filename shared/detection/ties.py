"""Ties each close and each failed start of a log to the exception that caused it, or notes what was merely logged.

Entries come in any order, with what they say; each entry that closes a connection gets a `Tie`. A close is tied to an
exception of the same text or of the same connection, else to the last one of its instance, as the next close after it
and with no other exception between. Where several exceptions wait for as many closes and no name of a connection tells
them apart, each is a candidate and none is the cause. Closes that the other end began, and keepalive timeouts, are tied
to nothing else than the text in which they are. What the server's frames show to be of an HTTP request closes none.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.detection import indirect_ties, tie_events
from shared.detection.close_code import CloseKind
from shared.detection.connections import are_different_connections, find_connection_ids, find_request_ids
from shared.detection.entry import LogEntry
from shared.detection.line_tracebacks import AssembledTraceback, LineTracebacks
from shared.detection.raised_exception import EFFECT_KINDS, RaisedException, read_raised, truncate_raised_entry
from shared.detection.signal import Signal, SkipReason, read_signal
from shared.detection.tie_events import Event, effect_events, find_fragment, sort_events

MAX_TIE_AGE = timedelta(minutes=10)
"""No close is tied to what was logged longer before it."""
_MAX_EVENTS = 200_000
_MAX_ANNOUNCED_AGE = timedelta(seconds=5)
_MAX_WAITING = 8
"""Exceptions of one instance that may each have a close yet to come."""
_SKIPPED = frozenset((SkipReason.NO_TEXT, SkipReason.REQUEST_LOG, SkipReason.AUDIT_LOG))
_TIED_TO_OWN_TEXT = frozenset((CloseKind.REMOTE_END, CloseKind.KEEPALIVE))

_StreamKey = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Tie:
    """`raised` is the last exception before a close; `tied` says whether the log ties the two to each other."""

    raised: RaisedException
    is_tied: bool
    candidates: tuple[RaisedException, ...] = ()
    """For a close that is not tied: the exceptions one of which caused it. The log does not say which."""


@dataclass(slots=True)
class TieFinder:
    """Takes the entries of a log, gives the ties of its closes and failed starts."""

    _streams: dict[_StreamKey, list[Event]] = field(default_factory=dict)
    _events: int = 0
    _last: datetime | None = None
    _direction: int = 0
    _seen: dict[tuple[object, ...], RaisedException] = field(default_factory=dict)
    _pieces: dict[str, str] = field(default_factory=dict)
    _lines: LineTracebacks = field(default_factory=LineTracebacks)
    _assembled: dict[int, RaisedException] = field(default_factory=dict)
    """The exceptions of tracebacks that came line by line, by the numbers of their last lines."""
    _of_announced: dict[int, RaisedException] = field(default_factory=dict)
    """Those that a signal announced, by its number: `logger.exception("closing with 1011")`."""
    _told_with_last_line: set[int] = field(default_factory=set)
    """Their other lines,"""
    _signals: set[int] = field(default_factory=set)
    """and the entries that are signals by themselves."""

    def add_entry(
        self, entry_number: int, entry: LogEntry, signal_or_skip: Signal | SkipReason
    ) -> Iterable[tuple[int, Signal]]:
        """One more entry; `number` names it in the answer. Gives what lines up to it add up to, by their last line."""
        self._observe_time(entry)
        if signal_or_skip in _SKIPPED or self._events >= _MAX_EVENTS:
            return ()
        if isinstance(signal_or_skip, Signal):
            self._signals.add(entry_number)
        assembled = list(self._lines.add_entry(entry_number, entry, self._step))
        events = list(self._events_of(entry_number, entry, signal_or_skip))
        self._events += len(events)
        if events:
            self._find_events(entry).extend(events)
        return self._read_assembled(assembled)

    def end_lines(self) -> Iterable[tuple[int, Signal]]:
        """At the end of the log: what the last lines add up to."""
        return self._read_assembled(list(self._lines.flush(self._step)))

    def _read_assembled(self, assembled: Iterable[AssembledTraceback]) -> Iterable[tuple[int, Signal]]:
        """Closes and failed starts that a traceback shows only with all of its lines; they are effects from now on."""
        shown: list[tuple[int, Signal]] = []
        for traceback in assembled:
            read = read_signal(traceback.entry)
            raised = self._raised(traceback.entry, read)
            if raised is not None and traceback.words in self._signals:
                self._of_announced[traceback.words] = raised
                self._told_with_last_line |= traceback.numbers - {traceback.words}
                continue
            if raised is not None:
                self._assembled[traceback.number] = raised
                event = self._build_event(traceback.number, traceback.entry)
                self._find_events(traceback.entry).append(replace(event, raised=raised))
                self._told_with_last_line |= traceback.numbers - {traceback.number}
            is_effect = isinstance(read, Signal) and read.kind in EFFECT_KINDS
            if isinstance(read, Signal) and is_effect and traceback.number not in self._signals:
                self.add_effect(traceback.number, read)
                shown.append((traceback.number, read))
        return shown

    @property
    def lines_of_tracebacks(self) -> Set[int]:
        """Numbers of entries that say nothing but what the last line of their traceback says."""
        return self._told_with_last_line

    @property
    def _step(self) -> int:
        return -1 if self._direction < 0 else 1

    def add_effect(self, entry_number: int, signal: Signal) -> None:
        """What an entry says together with the lines beside it, after `add_entry` has had it alone."""
        base = self._build_event(entry_number, signal.entry)
        self._find_events(signal.entry).extend(effect_events(base, signal))

    def _find_events(self, entry: LogEntry) -> list[Event]:
        return self._streams.setdefault((entry.project, entry.service, entry.revision, entry.instance), [])

    @staticmethod
    def _build_event(number: int, entry: LogEntry) -> Event:
        source = (entry.log_name, *sorted(find_request_ids(entry)))
        return Event(number, entry.timestamp, source, find_connection_ids(entry))

    def resolve(self) -> Mapping[int, Tie]:
        """The ties of all closes and failed starts that have an exception before them, by their entries' numbers."""
        ties: dict[int, Tie] = {}
        self.end_lines()
        streams = {
            key: tie_events.join_split_chains(
                tie_events.reassemble_tracebacks(sort_events(list(self._without_lines(events)), self._step))
            )
            for key, events in self._streams.items()
        }
        for events in streams.values():
            ties.update(_tie_closes(events))
            explained = {number for number, tie in ties.items() if tie.is_tied or tie.candidates}
            stated = indirect_ties.tie_stated_errors(events, explained)
            ties.update((number, Tie(raised, is_tied=True)) for number, raised in stated)
        for key, events in streams.items():
            starts = [event for event in events if event.is_failed_start]
            beside = list(indirect_ties.list_events_beside(streams, key)) if starts else []
            for number, raised in indirect_ties.tie_failed_starts(starts, beside, self._step, MAX_TIE_AGE):
                ties[number] = Tie(raised, is_tied=True)
            for number, raised in indirect_ties.tie_stated_imports(starts, beside, ties, MAX_TIE_AGE):
                ties[number] = Tie(raised, is_tied=True)
        return ties

    def _without_lines(self, events: Iterable[Event]) -> Iterator[Event]:
        """With each traceback that was put together in place of its lines."""
        for event in events:
            if event.close_kind is not None and event.number in self._of_announced:
                yield replace(event, raised=self._of_announced[event.number])
            elif event.number in self._assembled and event.close_kind is None and not event.is_failed_start:
                if event.raised is self._assembled[event.number] and not event.fragment:
                    yield event
            elif not event.fragment or event.number not in self._told_with_last_line:
                yield event

    def _observe_time(self, entry: LogEntry) -> None:
        if entry.timestamp is None:
            return
        if self._last is not None and entry.timestamp != self._last:
            self._direction += 1 if entry.timestamp > self._last else -1
        self._last = entry.timestamp

    def _events_of(self, number: int, entry: LogEntry, read: Signal | SkipReason) -> Iterator[Event]:
        base = self._build_event(number, entry)
        raised = self._raised(entry, read)
        piece = find_fragment(entry.text)
        if piece:
            piece = self._pieces.setdefault(piece, piece)
            of_entry = raised.entry if raised else truncate_raised_entry(entry)
            yield replace(base, raised=raised, fragment=piece, entry=of_entry)
        elif raised is not None:
            yield replace(base, raised=raised)
        elif not isinstance(read, Signal):
            yield from indirect_ties.find_stated_events(base, entry)
        if isinstance(read, Signal):
            yield from effect_events(base, read)

    def _raised(self, entry: LogEntry, read: Signal | SkipReason) -> RaisedException | None:
        raised = read_raised(entry, read)
        if raised is None:
            return None
        stream = (entry.service, entry.project, entry.revision, entry.instance)
        return self._seen.setdefault((raised.chain, raised.is_syntax_error, *stream), raised)


@dataclass(slots=True)
class _Waiting:
    """What an instance has raised, and which closes have come since the last exception."""

    raised: list[Event] = field(default_factory=list)
    """Exceptions that no close has answered yet, the newest last."""
    last: Event | None = None
    closes: list[Event] = field(default_factory=list)
    announced: list[Event] = field(default_factory=list)
    """Lines that say that an exception ended a connection, and whose traceback follows line by line."""
    of_connection: dict[str, Event] = field(default_factory=dict)

    def add_raised(self, event: Event) -> None:
        self.of_connection.update(dict.fromkeys(event.ids, event))
        self.raised = [*self.raised[1 - _MAX_WAITING :], event]
        self.last = event

    def find_by_connection(self, close: Event) -> RaisedException | None:
        """The exception of the same connection, or of the same entry."""
        if self.last is not None and self.last.number == close.number:
            return self.last.raised
        if close.close_kind in _TIED_TO_OWN_TEXT:
            return None
        known = (self.of_connection[name] for name in sorted(close.ids) if name in self.of_connection)
        return next((event.raised for event in known if not _is_too_old(event.moment, close.moment)), None)

    def drop(self, raised: RaisedException) -> None:
        """It has its close."""
        at = next((at for at, event in enumerate(self.raised) if event.raised is raised), None)
        if at is not None:
            del self.raised[at]


def _tie_closes(events: Sequence[Event]) -> Iterator[tuple[int, Tie]]:
    waiting = _Waiting()
    for event in events:
        if event.may_close_websocket:
            yield from _answer_closes(waiting)
            waiting.add_raised(event)
            yield from _tie_announced(waiting, event)
        if event.close_kind is None:
            continue
        shared = waiting.find_by_connection(event)
        if shared is None and event.close_kind is CloseKind.EXCEPTION:
            waiting.announced.append(event)
            continue
        if shared is None:
            waiting.closes.append(event)
            continue
        yield event.number, Tie(shared, is_tied=True)
        if event.close_kind is not CloseKind.EXCEPTION:  # that one's own close may still be logged
            waiting.drop(shared)
    yield from _answer_closes(waiting)


def _tie_announced(waiting: _Waiting, raised: Event) -> Iterator[tuple[int, Tie]]:
    """The exception that a line of the same log announced just before."""
    announced, waiting.announced = waiting.announced, []
    for event in announced:
        is_next = event.moment is None or raised.moment is None or raised.moment - event.moment <= _MAX_ANNOUNCED_AGE
        if raised.raised is not None and is_next and event.source == raised.source:
            yield event.number, Tie(raised.raised, is_tied=True)


def _answer_closes(waiting: _Waiting) -> Iterator[tuple[int, Tie]]:
    """The ties of the closes between two exceptions."""
    closes, waiting.closes = waiting.closes, []
    ordinary = [close for close in closes if close.close_kind not in _TIED_TO_OWN_TEXT]
    for at, close in enumerate(closes):
        if close.close_kind in _TIED_TO_OWN_TEXT:
            waiting.raised.clear()  # another close is between
            continue
        tie = _tie_close(close, waiting, is_only_one=len(ordinary) == 1 and at == 0)
        if tie is not None:
            yield close.number, tie
    if closes:
        waiting.raised.clear()


def _tie_close(close: Event, waiting: _Waiting, *, is_only_one: bool) -> Tie | None:
    last = waiting.last
    if last is None or last.raised is None or _is_too_old(last.moment, close.moment):
        return None
    fitting = [
        event
        for event in waiting.raised
        if not are_different_connections(event.ids, close.ids) and not _is_too_old(event.moment, close.moment)
    ]
    if not fitting:
        return Tie(last.raised, is_tied=False)
    newest = fitting[-1].raised
    assert newest is not None
    candidates = {event.raised.class_and_path: event.raised for event in fitting if event.raised is not None}
    if is_only_one:
        is_next = fitting[-1] is last
        return Tie(newest if is_next else last.raised, is_tied=is_next)
    if len(candidates) == 1:
        waiting.raised.remove(fitting[-1])
        return Tie(newest, is_tied=True)
    return Tie(newest, is_tied=False, candidates=tuple(candidates.values()))


def _is_too_old(first: datetime | None, then: datetime | None) -> bool:
    return first is not None and then is not None and then - first > MAX_TIE_AGE
