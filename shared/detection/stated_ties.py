"""Ties a close or a failed start without an exception to the error that was logged before it by its message alone.

In: the events of one instance in their order, and the numbers of closes that are tied already. A handler logs
`WebSocket error: name 'x' is not defined` and closes at once: longer apart, or with another close between, the two have
nothing to do with each other. Of a start only the message of an import counts: the platform's sentence may come later.
"""

from collections.abc import Container, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from shared.detection.caught_errors import IMPORT_ERRORS, find_stated_error
from shared.detection.close_code import CloseKind
from shared.detection.connections import are_different_connections
from shared.detection.entry import LogEntry
from shared.detection.raised_exception import RaisedException, build_raised
from shared.detection.tie_events import Event

_MAX_AGE = timedelta(seconds=2)
_MAX_LINES = 4
"""Between the two where the log has no times."""
_UNTIED = frozenset((CloseKind.REMOTE_END, CloseKind.KEEPALIVE, CloseKind.EXCEPTION))


def find_stated_events(base: Event, entry: LogEntry) -> Iterator[Event]:
    """The event of an entry that states an error by its message."""
    stated = find_stated_error(entry)
    if stated is not None:
        yield replace(base, stated=build_raised((stated,), entry))


def tie_stated_errors(events: Sequence[Event], tied: Container[int]) -> Iterator[tuple[int, RaisedException]]:
    """The stated error of each close that is not in `tied`, by the close's number."""
    last: Event | None = None
    for event in events:
        if event.stated is not None:
            last = event
        if event.close_kind is None:
            continue
        if last is not None and event.number not in tied and _is_just_before(last, event) and last.stated is not None:
            yield event.number, last.stated
        last = None


def _is_just_before(stated: Event, close: Event) -> bool:
    if close.close_kind in _UNTIED or are_different_connections(stated.ids, close.ids):
        return False
    if stated.moment is None or close.moment is None:
        return abs(close.number - stated.number) <= _MAX_LINES
    return close.moment - stated.moment <= _MAX_AGE


def tie_stated_imports(
    starts: Sequence[Event], events: Sequence[Event], tied: Container[int], max_age: timedelta
) -> Iterator[tuple[int, RaisedException]]:
    """The last import that is stated to have failed before each start that is not in `tied`, by the start's number.

    `events` are those of the start's instance, sorted; `starts` are among them, or of the platform.
    """
    stated = [event for event in events if event.stated is not None]
    for start in starts:
        before = [event for event in stated if _is_before(event, start, max_age)]
        last = before[-1].stated if before else None
        if start.number not in tied and last is not None and last.exception.error_class in IMPORT_ERRORS:
            yield start.number, last


def _is_before(event: Event, start: Event, max_age: timedelta) -> bool:
    if event.moment is None or start.moment is None:
        return event.number <= start.number
    return timedelta() <= start.moment - event.moment <= max_age
