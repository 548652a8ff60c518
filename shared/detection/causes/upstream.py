"""Finds whether an exception comes from a connection that this service opened itself, and to whom, by name or host.

Where a closed connection was raised as an exception, it says who closed it, and on whose side. A close code's words are
the library's: `received 1011 …; then sent 1011 …` says that the other end closed first.
"""

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum

from shared.detection.causes.cause import CauseClass
from shared.detection.logged_exception import Frame, LoggedException, is_package_frame


class ConnectionSide(StrEnum):
    """Which role this service had on the connection that failed."""

    CLIENT = "client"
    """It opened the connection to an upstream."""
    SERVER = "server"
    """A client of it opened the connection."""
    UNKNOWN = "unknown"


_ADDRESS = re.compile(r"\b(?:wss?)://([A-Za-z0-9][A-Za-z0-9.\-]{0,250}[A-Za-z0-9])(?=[:/?'\"\s)\]]|$)")
_HOST_WORD = re.compile(
    r"\b(?:host|upstream|endpoint|base_url|server)[\"']?(?:=|: )[\"']?(?:(?:wss?|https?)://)?"
    r"([A-Za-z0-9][A-Za-z0-9\-]{0,62}(?:\.[A-Za-z0-9\-]{1,63}){1,8})"
)
_LIBRARIES = (
    (re.compile(r"[/\\]google[/\\]genai[/\\]"), "Google Gemini (google.genai)"),
    (re.compile(r"[/\\]openai[/\\]"), "OpenAI (openai)"),
    (re.compile(r"[/\\]deepgram[/\\]"), "Deepgram (deepgram)"),
    (re.compile(r"[/\\]elevenlabs[/\\]"), "ElevenLabs (elevenlabs)"),
    (re.compile(r"[/\\]assemblyai[/\\]"), "AssemblyAI (assemblyai)"),
    (re.compile(r"[/\\]cartesia[/\\]"), "Cartesia (cartesia)"),
    (re.compile(r"[/\\]anthropic[/\\]"), "Anthropic (anthropic)"),
    (re.compile(r"[/\\]livekit[/\\]"), "LiveKit (livekit)"),
    (re.compile(r"[/\\]hume[/\\]"), "Hume (hume)"),
)
_CLASS_LIBRARIES = (
    (re.compile(r"(?:^| )google\.genai\."), "Google Gemini (google.genai)"),
    (re.compile(r"(?:^| )openai\."), "OpenAI (openai)"),
    (re.compile(r"(?:^| )deepgram\."), "Deepgram (deepgram)"),
)
_NAMED = (
    (re.compile(r"\bgemini\b|\bgoogle[._]genai\b|\bgoogle[._]adk\b", re.IGNORECASE), "Google Gemini"),
    (re.compile(r"\bopenai\b", re.IGNORECASE), "OpenAI"),
    (re.compile(r"\bdeepgram\b", re.IGNORECASE), "Deepgram"),
    (re.compile(r"\belevenlabs\b", re.IGNORECASE), "ElevenLabs"),
    (re.compile(r"\bassemblyai\b", re.IGNORECASE), "AssemblyAI"),
    (re.compile(r"\bcartesia\b", re.IGNORECASE), "Cartesia"),
)
"""Names in the words of a log line, its logger's name included."""
_CLIENT_FRAME = re.compile(
    r"[/\\]websockets[/\\](?:asyncio|legacy|sync|trio)[/\\]client\.py$|[/\\]aiohttp[/\\]client(?:_ws)?\.py$"
    r"|[/\\]httpx_ws[/\\]|[/\\]websocket[/\\]_(?:core|app|abnf|socket)\.py$|[/\\]socketio[/\\](?:async_)?client\.py$"
    r"|[/\\]engineio[/\\](?:async_)?client\.py$|[/\\]asyncio_redis[/\\]"
)
_SERVER_FRAME = re.compile(
    r"[/\\]uvicorn[/\\]protocols[/\\]websockets[/\\]|[/\\]starlette[/\\](?:websockets|routing|endpoints)\.py$"
    r"|[/\\]fastapi[/\\]|[/\\]websockets[/\\](?:asyncio|legacy|sync|trio)[/\\]server\.py$|[/\\]hypercorn[/\\]"
    r"|[/\\]daphne[/\\]|[/\\]channels[/\\]|[/\\]aiohttp[/\\]web(?:_ws|_protocol)?\.py$|[/\\]sanic[/\\]server[/\\]"
    r"|[/\\]tornado[/\\]websocket\.py$|[/\\](?:socketio|engineio)[/\\](?:async_)?(?:server|socket|manager)\.py$"
)

_SOCKET_FRAME = re.compile(
    r"[/\\]websockets[/\\](?:asyncio|legacy|sync|trio)[/\\](?:connection|protocol|messages)\.py$"
)
_ASGI_SERVER_FRAME = re.compile(
    r"[/\\]uvicorn[/\\]protocols[/\\]|[/\\](?:starlette|fastapi|hypercorn|daphne|channels)[/\\]"
)


def find_upstream(exceptions: Sequence[LoggedException], text: str) -> str:
    """`generativelanguage.googleapis.com`, or the client library's name; "" where the log names neither."""
    frames = [frame for exception in exceptions for frame in exception.frames]
    host = find_host(text) or next(filter(None, (find_host(frame.source_text) for frame in frames)), "")
    if host:
        return host
    for frame in reversed(frames):
        for pattern, name in _LIBRARIES:
            if pattern.search(frame.path):
                return name
    classes = " ".join(exception.error_class for exception in exceptions)
    of_class = next((name for pattern, name in _CLASS_LIBRARIES if pattern.search(classes)), "")
    return of_class or _find_named(text)


def _find_named(text: str) -> str:
    """The one provider that the words before the close name; "" where they name none, or several."""
    words = text[:4_000].partition("received 1")[0].rpartition("\n")[2]
    names = {name for pattern, name in _NAMED if pattern.search(words)}
    return names.pop() if len(names) == 1 else ""


def find_host(text: str) -> str:
    """The host of a `wss://` address, or of `host=…`; "" where there is none, or several."""
    hosts = {match[1] for match in _ADDRESS.finditer(text[:4_000])} or {
        match[1] for match in _HOST_WORD.finditer(text[:4_000])
    }
    return hosts.pop() if len(hosts) == 1 else ""


def classify_side(exceptions: Iterable[LoggedException]) -> ConnectionSide:
    """By the deepest frame of the failing connection: calls go from the server's own handler to the client library.

    Below an ASGI application the library of a socket is a client's where no frame of the server is between the two.
    """
    for exception in exceptions:
        if _is_own_socket_of_application(exception):
            return ConnectionSide.CLIENT
        for frame in reversed(exception.frames):
            side = _find_side(frame)
            if side is not ConnectionSide.UNKNOWN:
                return side
    return ConnectionSide.UNKNOWN


def _is_own_socket_of_application(exception: LoggedException) -> bool:
    frames = exception.frames
    own = max((at for at, frame in enumerate(frames) if not is_package_frame(frame)), default=len(frames))
    below = frames[own + 1 :]
    return (
        any(_SOCKET_FRAME.search(frame.path) for frame in below)
        and not any(_SERVER_FRAME.search(frame.path) for frame in below)
        and any(_ASGI_SERVER_FRAME.search(frame.path) for frame in frames[:own])
    )


def _find_side(frame: Frame) -> ConnectionSide:
    if _CLIENT_FRAME.search(frame.path) or any(pattern.search(frame.path) for pattern, _ in _LIBRARIES):
        return ConnectionSide.CLIENT
    return ConnectionSide.SERVER if _SERVER_FRAME.search(frame.path) else ConnectionSide.UNKNOWN


_CLOSED = frozenset(("ConnectionClosed", "ConnectionClosedError", "ConnectionClosedOK"))
_KEEPALIVE = re.compile(
    r"keep-?alive ping (?:timeout|timed out)|ping timeout|timed out waiting for (?:keepalive )?pong", re.IGNORECASE
)
_RECEIVED = re.compile(r"^received (?P<code>\d{4})\b")
_LOST = re.compile(
    r"no close frame received(?: or sent)?|connection to remote host was lost|^code = 1006\b", re.IGNORECASE
)
_SENT = re.compile(r"^sent (?P<code>\d{4})\b")
_OLD_FORM = re.compile(r"^code = (?P<code>\d{4}) \([^()\n]{1,60}\), reason = (?P<reason>\S)")
"""websockets up to 9 names one code, whichever end closed; a reason comes from the other end, as its own pings give
none.
"""
_CODES_OF_BROWSERS = frozenset(("1000", "1001", "1005", "1006"))
"""A browser that leaves a page closes with one of these: then the other end may be a client of this service."""
_PAYLOAD_CODE, _GOING_AWAY, _RESTART_CODE = "1009", "1001", "1012"
_API_CLOSE = re.compile(r"^10(?:0[0-9]|1[0-5])\b")
_LOST_TO_UPSTREAM = frozenset(("WebSocketConnectionClosedException",))


def classify_closed_connection(link: LoggedException, chain: Sequence[LoggedException]) -> CauseClass | None:
    """The class of a link that says that a connection was closed; None for any other exception."""
    name = link.error_class.rpartition(".")[2]
    if name in _LOST_TO_UPSTREAM or (name == "APIError" and _API_CLOSE.match(link.message)):
        return CauseClass.UPSTREAM_CLOSED  # a library without a server; a live API's close code as its status
    if name not in _CLOSED:
        return None
    if _KEEPALIVE.search(link.message):
        return CauseClass.KEEPALIVE
    return _classify_by_code(link) or _classify_by_side(link, classify_side(chain))


def _classify_by_code(link: LoggedException) -> CauseClass | None:
    """What the code alone says: a message that is too large at either end, or that this end went away."""
    closed = _RECEIVED.match(link.message) or _SENT.match(link.message)
    code = closed["code"] if closed is not None else ""
    if code == _PAYLOAD_CODE:
        return CauseClass.PAYLOAD
    is_shutdown = code in {_GOING_AWAY, _RESTART_CODE} and link.message.startswith("sent")
    return CauseClass.RESTART if is_shutdown else None


def _classify_by_side(link: LoggedException, side: ConnectionSide) -> CauseClass | None:
    received = _RECEIVED.match(link.message) or (
        _OLD_FORM.match(link.message) if side is ConnectionSide.CLIENT else None
    )
    is_lost = _LOST.search(link.message) is not None
    is_lost = is_lost and not link.message.startswith("sent")
    match side:
        case ConnectionSide.SERVER:
            is_gone = received is not None or is_lost or link.error_class.endswith("OK")
            return CauseClass.CLOSED_CONNECTION if is_gone else None
        case ConnectionSide.CLIENT:
            return CauseClass.UPSTREAM_CLOSED if received is not None or is_lost else None
        case ConnectionSide.UNKNOWN if received is not None and received["code"] not in _CODES_OF_BROWSERS:
            return CauseClass.UPSTREAM_CLOSED
    return None
