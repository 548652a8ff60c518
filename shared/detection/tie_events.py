"""What of a log matters for ties: exceptions, closes and failed starts, as events in the order of their time.

Tracebacks that were logged line by line are put together again, chains and exception groups included. So are the links
of a chain that a platform logged as entries of their own: Cloud Logging begins a new entry at each `Traceback (most
recent call last)`, and the sentence between two links is lost. They belong together where they come from the same log
at once, and the later one's message quotes the earlier one's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.detection.close_code import CloseKind
from shared.detection.connections import are_different_connections
from shared.detection.entry import LogEntry
from shared.detection.exception_chain import (
    Chain,
    add_link,
    drop_control_flow,
    is_chain_fragment,
    is_chaining_sentence,
    is_member_line,
)
from shared.detection.logged_exception import TRACEBACK_HEADER, LoggedException, TracebackParser
from shared.detection.raised_exception import (
    CLOSE_KINDS,
    RaisedException,
    build_raised,
    is_end_of_program,
    is_of_http,
)
from shared.detection.signal import Signal, SignalKind
from shared.text.escaping import strip_markup

_MAX_FRAGMENT_LENGTH = 2_000
_MAX_CUT_AGE = timedelta(seconds=5)
"""A traceback that is still open after so long was cut off; sooner, the lines of two are mixed."""
_SYNTAX_ERROR_CLASSES = frozenset(("SyntaxError", "IndentationError", "TabError"))


@dataclass(slots=True)
class Event:
    """One event; `number` is that of its entry."""

    number: int
    moment: datetime | None
    source: tuple[str, ...]
    """Log and request: lines of one traceback have the same."""
    ids: frozenset[str]
    """Names of the connection."""
    raised: RaisedException | None = None
    fragment: str = ""
    entry: LogEntry | None = None
    """For a piece that may end a traceback."""
    close_kind: CloseKind | None = None
    is_failed_start: bool = False
    stated: RaisedException | None = None
    """An error of which only the message was logged: it counts where nothing else shows the cause of a close."""

    @property
    def may_close_websocket(self) -> bool:
        """Whether it is an exception that no HTTP request raised."""
        return self.raised is not None and not is_of_http(self.raised)

    @property
    def is_telling(self) -> bool:
        """Whether it is an effect, or may be the cause of one."""
        is_effect = self.close_kind is not None or self.is_failed_start
        return is_effect or self.raised is not None or self.stated is not None


def effect_events(base: Event, signal: Signal) -> Iterator[Event]:
    """The close or the failed start that a signal shows."""
    if signal.kind in CLOSE_KINDS:
        yield replace(base, close_kind=signal.close_kind or CloseKind.INTERNAL_ERROR)
    elif signal.kind is SignalKind.FAILED_START:
        yield replace(base, is_failed_start=True)


def find_fragment(text: str) -> str:
    """The text as a piece of a traceback that was logged line by line; "" where it is none."""
    if not is_chain_fragment(text[:_MAX_FRAGMENT_LENGTH]):
        return ""
    return strip_markup(text[:_MAX_FRAGMENT_LENGTH]).rstrip("\n")


def sort_events(events: list[Event], step: int) -> list[Event]:
    """By time; where times are equal, or none were logged, as the log runs.

    An entry's own events stay together: what it raised, then what follows from that.
    """
    events = sorted(events, key=lambda event: (event.number, event.close_kind is not None or event.is_failed_start))
    if step < 0 and any(event.moment is not None for event in events):
        numbers = sorted({event.number for event in events}, reverse=True)
        position = {number: at for at, number in enumerate(numbers)}
        events = sorted(events, key=lambda event: position[event.number])
    if any(event.moment is None for event in events):
        return events
    return sorted(events, key=lambda event: event.moment.timestamp() if event.moment else 0.0)


@dataclass(slots=True)
class _OpenTraceback:
    """One log's traceback as far as its lines have come, and the exception that ended last, which may go on."""

    parser: TracebackParser
    opened_at: datetime | None = None
    is_mixed: bool = False
    """Whether the lines of two tracebacks are among each other, so that no frame is known to be of one."""
    last_event: Event | None = None
    last_chain: Chain = ()
    """Its chain; empty until one has ended."""
    is_linked: bool = False
    """Whether the sentence that links two exceptions has come after the last one."""

    def feed(self, event: Event) -> LoggedException | None:
        """One more line."""
        if TRACEBACK_HEADER in event.fragment:
            is_cut = self.opened_at is None or event.moment is None or event.moment - self.opened_at > _MAX_CUT_AGE
            self.is_mixed = self.parser.is_open and not is_cut
            self.opened_at = event.moment
        ended = self.parser.feed_line(event.fragment)
        if ended is not None and self.is_mixed:
            return replace(ended, frames=())
        return ended


def reassemble_tracebacks(events: Sequence[Event]) -> list[Event]:
    """The events with those tracebacks in place of their lines that were logged line by line."""
    return [event for event in _reassemble(events) if event.is_telling]


def _reassemble(events: Sequence[Event]) -> Iterator[Event]:
    open_ones: dict[tuple[str, ...], _OpenTraceback] = {}
    for event in events:
        if not event.fragment:
            yield event
            continue
        traceback = open_ones.setdefault(event.source, _OpenTraceback(TracebackParser()))
        if is_chaining_sentence(event.fragment):
            traceback.is_linked = True
            continue
        ended = traceback.feed(event)
        if ended is not None and event.entry is not None:
            yield _end_traceback(traceback, event, ended)
        elif event.raised is not None:
            yield replace(event, fragment="")  # the last line alone: its traceback was not logged


def _end_traceback(traceback: _OpenTraceback, event: Event, ended: LoggedException) -> Event:
    """The event of a whole traceback; the one of the link before it is emptied, because this one contains it."""
    assert event.entry is not None
    is_member = is_member_line(event.fragment) and not traceback.is_linked
    chain: Chain = (ended,)
    before = traceback.last_event
    if before is not None and (traceback.is_linked or is_member):
        chain = add_link(traceback.last_chain, ended, is_member=is_member) or traceback.last_chain
        before.raised = None
    traceback.is_linked, traceback.last_chain = False, chain
    syntax = _is_syntax_error(ended) or (event.raised is not None and event.raised.is_syntax_error)
    chain = drop_control_flow(chain)
    raised = None if is_end_of_program(chain) else build_raised(chain, event.entry, is_syntax_error=syntax)
    traceback.last_event = replace(event, fragment="", raised=raised)
    return traceback.last_event


def _is_syntax_error(ended: LoggedException) -> bool:
    return ended.error_class in _SYNTAX_ERROR_CLASSES and bool(ended.frames) and not ended.frames[-1].function


_MAX_GAP = timedelta(milliseconds=50)
"""Between two links: Python writes them at once."""
_MIN_QUOTED = 10
"""Characters of a message by which it is known to be quoted; "'id'" may be anywhere."""


def join_split_chains(events: Sequence[Event]) -> list[Event]:
    """The events, those of one chain as its last one; `events` come in the order of their time."""
    joined: list[Event] = []
    last = -1
    """The index of the last exception."""
    for event in events:
        shown = event
        if event.raised is not None:
            if last >= 0 and (chained := _join(joined[last], event)) is not None:
                shown = replace(event, raised=chained)
                joined[last] = replace(joined[last], raised=None)
            last = len(joined)
        joined.append(shown)
    return [event for event in joined if event.is_telling]


def _join(before: Event, after: Event) -> RaisedException | None:
    """The chain of both; None where nothing says that they are one."""
    first, then = before.raised, after.raised
    if first is None or then is None or before.moment is None or after.moment is None:
        return None
    is_at_once = before.source == after.source and after.moment - before.moment <= _MAX_GAP
    if not is_at_once or are_different_connections(before.ids, after.ids):
        return None
    quoted = first.chain[-1].message.strip()
    quoting = then.exception
    is_new = (quoting.error_class, quoting.message.strip()) != (first.chain[-1].error_class, quoted)
    if len(quoted) < _MIN_QUOTED or quoted not in quoting.message or not is_new:
        return None
    syntax = first.is_syntax_error or then.is_syntax_error
    return build_raised((*first.chain, *then.chain), then.entry, is_syntax_error=syntax)
