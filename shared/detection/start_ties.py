"""Ties a revision's failed starts to the last exception that it logged before each, while it loaded its code.

An exception of a request that was being answered is no reason why another instance of the revision did not start.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from shared.detection.raised_exception import RaisedException
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
