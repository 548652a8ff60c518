"""The stable port in front of a service: each connection goes to one revision, by its share of the traffic.

The instances are looked up for each connection, and each request is logged as an entry. A connection carries one
request; a WebSocket is one request that lasts.
"""

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from functions.local.platform.launch import LOOPBACK
from functions.local.platform.log_journal import Entry, InstanceRef, ServedRequest, create_request_entry
from shared.service import Service

_HEAD_SECONDS = 30.0
_MAX_WAIT_SECONDS = 10.0
_POLL_SECONDS = 0.03
_LONGEST_HEAD = 1 << 16
_CHUNK = 1 << 16
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")
_REQUEST = re.compile(r"([A-Z]{1,20}) (\S{1,8000}) (HTTP/1\.[01])")
_UNAVAILABLE_RESPONSE = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Backend:
    """A revision, its share, and where its instance listens; port 0 while it has none."""

    revision: str
    share: int
    port: int
    instance: str = ""


class WeightedRoundRobin:
    """Deals connections out by weight, evenly: of ten, a share of 10 gets one, and never two in a row."""

    def __init__(self) -> None:
        self._credits: dict[str, int] = {}

    def choose(self, backends: Sequence[Backend]) -> Backend | None:
        """None where nobody has a share."""
        taking = [backend for backend in backends if backend.share]
        if not taking:
            return None
        owed = {backend.revision: self._credits.get(backend.revision, 0) + backend.share for backend in taking}
        chosen = max(taking, key=lambda backend: owed[backend.revision])
        owed[chosen.revision] -= sum(backend.share for backend in taking)
        self._credits = owed
        return chosen


@dataclass(slots=True)
class ReverseProxy:
    """Listens on one port of the loopback. `targets` returns the instances of the moment."""

    service: Service
    port: int
    list_backends: Callable[[], Sequence[Backend]]
    add_entry: Callable[[Entry], None]
    balancer: WeightedRoundRobin = field(default_factory=WeightedRoundRobin)
    server: asyncio.Server | None = None

    async def open(self) -> None:
        """Raises OSError where the port is taken."""
        self.server = await asyncio.start_server(self._serve, LOOPBACK, self.port, limit=_LONGEST_HEAD)
        self.port = self.server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Takes no connections any more."""
        if self.server is not None:
            self.server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_HEAD_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            writer.close()
            return
        began, clock = datetime.now(UTC), time.monotonic()
        target = await self._wait_for_backend(self.balancer.choose(self.list_backends()))
        status = await _forward_request(head, reader, writer, target.port if target else 0)
        writer.close()
        if target is not None:
            record = _parse_request(head, began, status, time.monotonic() - clock, f"http://{LOOPBACK}:{self.port}")
            self.add_entry(create_request_entry(InstanceRef(self.service, target.revision, target.instance), record))

    async def _wait_for_backend(self, chosen: Backend | None) -> Backend | None:
        """The same one once it has an instance: a request waits while one is started, as on Cloud Run."""
        deadline = time.monotonic() + _MAX_WAIT_SECONDS
        while chosen is not None and not chosen.port and time.monotonic() < deadline:
            await asyncio.sleep(_POLL_SECONDS)
            chosen = next((backend for backend in self.list_backends() if backend.revision == chosen.revision), chosen)
        return chosen


async def _forward_request(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> int:
    """The status that the client got."""
    try:
        if not port:
            raise ConnectionRefusedError
        from_instance, to_instance = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        with suppress(ConnectionError):
            writer.write(_UNAVAILABLE_RESPONSE)
            await writer.drain()
        return 503
    seen: list[int] = []
    to_instance.write(_close_after_response(head))
    sending = asyncio.create_task(_copy_stream(reader, to_instance))
    await _copy_stream(from_instance, writer, seen)
    sending.cancel()
    to_instance.close()
    with suppress(asyncio.CancelledError):
        await sending
    return seen[0] if seen else 502


async def _copy_stream(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: list[int] | None = None
) -> None:
    """Until one of the two ends; the first status that comes by is noted in `seen`."""
    with suppress(ConnectionError):
        while chunk := await reader.read(_CHUNK):
            if seen is not None and not seen and (match := _STATUS.match(chunk)):
                seen.append(int(match[1]))
            writer.write(chunk)
            await writer.drain()
        if seen is None and writer.can_write_eof():
            writer.write_eof()


def _close_after_response(head: bytes) -> bytes:
    """The instance is to close the connection after its answer, unless it becomes a WebSocket."""
    lines = head[:-4].split(b"\r\n")
    if any(line.lower().startswith(b"upgrade:") for line in lines):
        return head
    headers = [line for line in lines if not line.lower().startswith((b"connection:", b"keep-alive:"))]
    return b"\r\n".join([*headers, b"connection: close"]) + b"\r\n\r\n"


def _parse_request(head: bytes, at: datetime, status: int, seconds: float, address: str) -> ServedRequest:
    first, *rest = head.decode("latin-1").split("\r\n")
    match = _REQUEST.fullmatch(first)
    method, path, protocol = match.groups() if match else ("", "/", "")
    agent = next((line.partition(":")[2].strip() for line in rest if line.lower().startswith("user-agent:")), "")
    return ServedRequest(at, method, address + path, status, seconds, agent[:300], protocol)
