"""Ties failed starts and closes to what was logged before them, where no text and no connection names the exception.

A revision's failed start is tied to the last exception that the revision logged before it, while it loaded its code. An
exception of a request that was being answered is no reason why another instance of the revision did not start.

A close that no exception explains is tied to the error that its instance logged just before it by its message alone. A
handler logs `WebSocket error: name 'x' is not defined` and closes at once: longer apart, or with another close between,
the two have nothing to do with each other. In: the events of one instance in their order, and the numbers of closes
that are tied already. Of a failed start only the stated message of an import counts: the platform's sentence may come
later.
"""

import re
from bisect import bisect_right
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from shared.detection.caught_errors import IMPORT_ERRORS, find_stated_error
from shared.detection.close_code import CloseKind
from shared.detection.connections import are_different_connections
from shared.detection.entry import LogEntry
from shared.detection.raised_exception import RaisedException, build_raised
from shared.detection.tie_events import Event

StreamKey = tuple[str, str, str, str]
"""Project, service, revision and instance."""
_STARTING_FRAME = re.compile(
    r"[/\\](?:uvicorn[/\\]lifespan|starlette[/\\]routing\.py|hypercorn[/\\][^\n]{0,40}lifespan|gunicorn[/\\])"
)


def tie_failed_starts(
    starts: Sequence[Event], events: Sequence[Event], step: int, max_age: timedelta
) -> Iterator[tuple[int, RaisedException]]:
    """The exception of each start by its number. `step` is -1 for a log that runs backwards.

    `events` are those of the instance, or of the revision where the platform names no instance.
    """
    is_dated = all(event.moment is not None for event in (*starts, *events))

    def place(event: Event) -> tuple[float, int]:
        moment = event.moment.timestamp() if is_dated and event.moment is not None else 0.0
        return moment, event.number * step

    raised = sorted((event for event in events if event.raised is not None), key=place)
    places = [place(event) for event in raised]
    for start in starts:
        at = bisect_right(places, place(start))
        last = raised[at - 1] if at else None
        if last is None or last.raised is None or _is_too_old(last.moment, start.moment, max_age):
            continue
        if last.number == start.number or is_raised_at_start(last.raised):
            yield start.number, last.raised


def list_events_beside(streams: Mapping[StreamKey, list[Event]], key: StreamKey) -> Iterator[Event]:
    """Those of the same instance and of none; of all instances of the revision where `key` names no instance."""
    if key[3]:
        yield from streams[key]
        yield from streams.get((*key[:3], ""), ())
        return
    for other, events in streams.items():
        if other[:3] == key[:3]:
            yield from events


def is_raised_at_start(raised: RaisedException) -> bool:
    """Whether it was raised while modules were loaded or the server started; also where no frame was logged."""
    frames = [frame for link in raised.chain for frame in link.frames if not frame.is_handler]
    return (
        raised.is_syntax_error
        or not frames
        or any(frame.function == "<module>" or _STARTING_FRAME.search(frame.path) for frame in frames)
    )


def _is_too_old(first: datetime | None, then: datetime | None, max_age: timedelta) -> bool:
    return first is not None and then is not None and then - first > max_age


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
