"""Ties each close of a log to an exception, or notes the exception that was merely logged beside it.

Entries come in any order, with what they say; each entry that closes a connection gets a `Tie`. A close is tied to an
exception of the same text or of the same request, else to the last one of its instance, as the next close after it and
with no other exception between. Closes that the other end began, and keepalive timeouts, are tied to nothing else than
the text in which they stand.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.detection.close_code import CloseKind
from shared.detection.entry import LogEntry
from shared.detection.logged_exception import (
    Frame,
    LoggedException,
    TracebackParser,
    is_traceback_fragment,
    parse_exceptions,
)
from shared.detection.signal import Signal, SignalKind, SkipReason
from shared.text.escaping import strip_markup, truncate_middle

MAX_TIE_AGE = timedelta(minutes=10)
"""No close is tied to what was logged longer before it."""
_MAX_EVENTS = 200_000
_MAX_FRAGMENT_LENGTH = 2_000
_MAX_KEPT_LENGTH = 4_000
_CLOSE_KINDS = frozenset((SignalKind.CLOSE_1011, SignalKind.KEEPALIVE_TIMEOUT))
_SYNTAX_ERROR_CLASSES = frozenset(("SyntaxError", "IndentationError", "TabError"))
_SKIPPED = frozenset((SkipReason.NO_TEXT, SkipReason.REQUEST_LOG, SkipReason.AUDIT_LOG))

_StreamKey = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class RaisedException:
    """An exception of the log with the entry that shows it; `syntax` says that it is a file that does not compile."""

    exception: LoggedException
    entry: LogEntry
    is_syntax_error: bool = False

    @property
    def class_and_path(self) -> tuple[str, str]:
        """Class and file."""
        return self.exception.class_and_path


@dataclass(frozen=True, slots=True)
class Tie:
    """`raised` is the last exception before a close; `tied` says whether the log ties the two to each other."""

    raised: RaisedException
    is_tied: bool


@dataclass(slots=True)
class _Event:
    number: int
    moment: datetime | None
    log: str
    ids: frozenset[str]
    raised: RaisedException | None = None
    fragment: str = ""
    entry: LogEntry | None = None
    """For a piece that may end a traceback."""
    close_kind: CloseKind | None = None


@dataclass(slots=True)
class _LastException:
    """What an instance has raised last, as long as no close has come after it."""

    raised: RaisedException | None = None
    number: int = -1
    moment: datetime | None = None
    ids: frozenset[str] = frozenset()
    is_unclosed: bool = False


@dataclass(slots=True)
class TieFinder:
    """Takes the entries of a log, gives the ties of its closes."""

    _streams: dict[_StreamKey, list[_Event]] = field(default_factory=dict)
    _events: int = 0
    _last: datetime | None = None
    _direction: int = 0
    _seen: dict[tuple[object, ...], RaisedException] = field(default_factory=dict)
    _pieces: dict[str, str] = field(default_factory=dict)

    def add_entry(self, entry_number: int, entry: LogEntry, signal_or_skip: Signal | SkipReason) -> None:
        """One more entry; `number` names it in the answer."""
        self._observe_time(entry)
        if signal_or_skip in _SKIPPED or self._events >= _MAX_EVENTS:
            return
        events = list(self._events_of(entry_number, entry, signal_or_skip))
        self._events += len(events)
        if events:
            stream = (entry.project, entry.service, entry.revision, entry.instance)
            self._streams.setdefault(stream, []).extend(events)

    def resolve(self) -> Mapping[int, Tie]:
        """The ties of all closes that have an exception before them, by the numbers of their entries."""
        ties: dict[int, Tie] = {}
        for events in self._streams.values():
            ordered = _sort_events(events, -1 if self._direction < 0 else 1)
            ties.update(_tie_closes(list(_reassemble_tracebacks(ordered))))
        return ties

    def _observe_time(self, entry: LogEntry) -> None:
        if entry.timestamp is None:
            return
        if self._last is not None and entry.timestamp != self._last:
            self._direction += 1 if entry.timestamp > self._last else -1
        self._last = entry.timestamp

    def _events_of(self, number: int, entry: LogEntry, read: Signal | SkipReason) -> Iterator[_Event]:
        base = _Event(number, entry.timestamp, entry.log_name, request_ids(entry))
        raised = self._raised(entry, read)
        if is_traceback_fragment(entry.text[:_MAX_FRAGMENT_LENGTH]):
            piece = strip_markup(entry.text[:_MAX_FRAGMENT_LENGTH]).rstrip("\n")
            piece = self._pieces.setdefault(piece, piece)
            yield replace(base, raised=raised, fragment=piece, entry=raised.entry if raised else _truncate_entry(entry))
        elif raised is not None:
            yield replace(base, raised=raised)
        if isinstance(read, Signal) and read.kind in _CLOSE_KINDS:
            yield replace(base, close_kind=read.close_kind or CloseKind.INTERNAL_ERROR)

    def _raised(self, entry: LogEntry, read: Signal | SkipReason) -> RaisedException | None:
        exception = _exception_of_signal(read) if isinstance(read, Signal) and read.kind not in _CLOSE_KINDS else None
        if exception is None:
            shown = parse_exceptions(strip_markup(entry.text))
            exception = shown[-1] if shown else None
        if exception is None:
            return None
        syntax = isinstance(read, Signal) and read.kind is SignalKind.SYNTAX_ERROR
        key = (exception, syntax, entry.service, entry.project, entry.revision, entry.instance)
        return self._seen.setdefault(key, RaisedException(exception, _truncate_entry(entry), syntax))


def request_ids(entry: LogEntry) -> frozenset[str]:
    """What names the request or the connection for which an entry was logged."""
    return frozenset(filter(None, (entry.trace or entry.span, entry.request)))


def _truncate_entry(entry: LogEntry) -> LogEntry:
    if len(entry.text) <= _MAX_KEPT_LENGTH:
        return entry
    return replace(entry, text=truncate_middle(entry.text, _MAX_KEPT_LENGTH))


def _exception_of_signal(signal: Signal) -> LoggedException:
    frames = (Frame(signal.path, signal.line or 0),) if signal.path else ()
    return LoggedException(signal.error_class, signal.message, frames)


def _sort_events(events: list[_Event], step: int) -> list[_Event]:
    """By time; where times are equal, or none were logged, as the log runs. An entry's own events stay together."""
    if step < 0 and any(event.moment is not None for event in events):
        numbers = sorted({event.number for event in events}, reverse=True)
        position = {number: at for at, number in enumerate(numbers)}
        events = sorted(events, key=lambda event: position[event.number])
    if any(event.moment is None for event in events):
        return events
    return sorted(events, key=lambda event: event.moment.timestamp() if event.moment else 0.0)


def _reassemble_tracebacks(events: list[_Event]) -> Iterator[_Event]:
    """The events with those tracebacks in place of their lines that were logged line by line."""
    open_ones: dict[str, TracebackParser] = {}
    for event in events:
        if not event.fragment:
            yield event
            continue
        ended = open_ones.setdefault(event.log, TracebackParser()).feed_line(event.fragment)
        if ended is not None and event.entry is not None:
            syntax = ended.error_class in _SYNTAX_ERROR_CLASSES and bool(ended.frames) and not ended.frames[-1].function
            syntax = syntax or (event.raised is not None and event.raised.is_syntax_error)
            yield replace(event, fragment="", raised=RaisedException(ended, event.entry, syntax))
        elif event.raised is not None:
            yield replace(event, fragment="")  # the last line alone: its traceback was not logged


def _tie_closes(events: list[_Event]) -> Iterator[tuple[int, Tie]]:
    of_request: dict[str, RaisedException] = {}
    wait = _LastException()
    for event in events:
        if event.raised is not None:
            of_request.update(dict.fromkeys(event.ids, event.raised))
            wait = _LastException(event.raised, event.number, event.moment, event.ids, is_unclosed=True)
        elif event.close_kind is not None:
            same_text = wait.raised if wait.number == event.number else None
            tie = Tie(same_text, is_tied=True) if same_text is not None else _tie_close(event, wait, of_request)
            if tie is not None:
                yield event.number, tie
            wait.is_unclosed = False


def _tie_close(close: _Event, wait: _LastException, of_request: Mapping[str, RaisedException]) -> Tie | None:
    if close.close_kind in {CloseKind.REMOTE_END, CloseKind.KEEPALIVE}:
        return None
    shared = next((of_request[request] for request in close.ids if request in of_request), None)
    if shared is not None:
        return Tie(shared, is_tied=True)
    if wait.raised is None or _is_too_old(wait.moment, close.moment):
        return None
    foreign = bool(close.ids and wait.ids)  # they name two requests, or the same one would have been found
    return Tie(wait.raised, is_tied=wait.is_unclosed and not foreign)


def _is_too_old(first: datetime | None, then: datetime | None) -> bool:
    return first is not None and then is not None and then - first > MAX_TIE_AGE
