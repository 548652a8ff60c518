"""Live updates: whoever has a page open is told when what it shows has changed.

In: something that reads a sign. Out: server-sent events. However many pages are open, the store is asked about the same
thing at most once in a while; a page that is told so fetches itself again.
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
    sign: str = ""
    at: float = float("-inf")
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


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

    async def sign(self, topic: str, ask: ReadEtag) -> str:
        """At most `seconds` old. A store that cannot be asked just now changes nothing."""
        if topic not in self._seen and len(self._seen) >= _MAX_TOPICS:
            self._seen.pop(next(iter(self._seen)))
        seen = self._seen.setdefault(topic, _Latest())
        async with seen.turn:
            if self._now() - seen.at >= self._seconds:
                with suppress(Retry):
                    seen.sign = await run_in_threadpool(ask)
                seen.at = self._now()
        return seen.sign

    async def events(self, topic: str, ask: ReadEtag, shown: str) -> AsyncIterator[bytes]:
        """`shown` is the sign of what the page shows already."""
        self.streams += 1
        try:
            yield b"retry: 1000\n\n"
            quiet_since = self._now()
            while True:
                sign = await self.sign(topic, ask)
                if sign != shown:
                    shown, quiet_since = sign, self._now()
                    yield f"event: changed\ndata: {sign}\n\n".encode()
                elif self._now() - quiet_since >= _HEARTBEAT_SECONDS:
                    quiet_since = self._now()
                    yield b": alive\n\n"
                await self._pause(self._seconds)
        finally:
            self.streams -= 1
