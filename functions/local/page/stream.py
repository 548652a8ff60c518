"""Live updates: notifies open pages when what they show has changed.

Sends server-sent events. However many pages are open, the store is read at most once in an interval for each topic; a
notified page reloads itself.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool

from shared.errors import Retry

POLL_SECONDS = 1.0
_HEARTBEAT_SECONDS = 15.0
_MAX_TOPICS = 128
MAX_STREAMS = 64

ReadEtag = Callable[[], str]


@dataclass(slots=True)
class _Latest:
    etag: str = ""
    read_at: float = float("-inf")
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


# Own events: sse-starlette would format the three lines below; that all open pages share one read of the store is the
# rest of this file, and would remain.
class ChangeFeed:
    """The latest sign of each topic, asked for at most once in `seconds`."""

    def __init__(
        self,
        seconds: float = POLL_SECONDS,
        now: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._seconds = seconds
        self._now = now
        self._pause = pause
        self._seen: dict[str, _Latest] = {}
        self.streams = 0

    async def latest_etag(self, topic: str, read_etag: ReadEtag) -> str:
        """At most `seconds` old. A store that cannot be asked just now changes nothing."""
        if topic not in self._seen and len(self._seen) >= _MAX_TOPICS:
            self._seen.pop(next(iter(self._seen)))
        seen = self._seen.setdefault(topic, _Latest())
        async with seen.lock:
            if self._now() - seen.read_at >= self._seconds:
                with suppress(Retry):
                    seen.etag = await run_in_threadpool(read_etag)
                seen.read_at = self._now()
        return seen.etag

    async def stream_events(self, topic: str, read_etag: ReadEtag, shown_etag: str) -> AsyncIterator[bytes]:
        """`shown` is the sign of what the page shows already."""
        self.streams += 1
        try:
            yield b"retry: 1000\n\n"
            quiet_since = self._now()
            while True:
                sign = await self.latest_etag(topic, read_etag)
                if sign != shown_etag:
                    shown_etag, quiet_since = sign, self._now()
                    yield f"event: changed\ndata: {sign}\n\n".encode()
                elif self._now() - quiet_since >= _HEARTBEAT_SECONDS:
                    quiet_since = self._now()
                    yield b": alive\n\n"
                await self._pause(self._seconds)
        finally:
            self.streams -= 1
