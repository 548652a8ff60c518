"""Finds in a text without colours the exception with which a server's WebSocket ended, where no close code is logged.

A server logs what an application raised, with its own frames outermost. The exception counts where one of the frames is
of a WebSocket, and where it is the application's: that the other end went away is no failure of this one.
"""

import re
from collections.abc import Sequence

from shared.detection.exception_chain import is_group
from shared.detection.logged_exception import (
    TRACEBACK_HEADER,
    Frame,
    LoggedException,
    is_package_frame,
    parse_exceptions,
)

_MAX_LENGTH = 64 * 1024
_SERVER_WORDS = re.compile(
    r"\bException in ASGI application\b|\bconnection handler failed\b|\bError in connection handler\b"
    r"|\bError in ASGI Framework\b|\bException inside application\b|\bException on websocket\b"
    r"|\bUncaught exception GET |\bError handling request\b|\bUnhandled exception\b|\bError on request:"
    r"|\bException occurred while handling uri: 'wss?:|\bApplication callable raised an exception\b"
    r"|\bUncaught exception \(connection_type=websocket\b|\b(?:connect|disconnect|message)(?: async)? handler error\b"
)
_SERVER_FRAME = re.compile(
    r"[/\\](?:uvicorn[/\\]protocols[/\\]websockets[/\\]\w{1,60}|websockets[/\\](?:(?:legacy|asyncio|sync)[/\\])?server"
    r"|uvicorn[/\\]websockets_\w{1,40}"
    r"|(?:socketio|engineio)[/\\](?:async_)?(?:base_)?(?:server|socket|manager|namespace))\.py$"
)
_WEBSOCKET_FRAME = re.compile(
    r"[/\\](?:uvicorn[/\\]protocols[/\\]websockets[/\\]\w{1,60}|websockets[/\\](?:(?:legacy|asyncio|sync)[/\\])?server"
    r"|(?:websockets|wsproto|websockets_sansio)_impl|starlette[/\\]websockets|channels[/\\]generic[/\\]websocket"
    r"|daphne[/\\]ws_protocol|aiohttp[/\\]web_ws|tornado[/\\]websocket|geventwebsocket[/\\]\w{1,40}"
    r"|flask_sock[/\\]\w{1,40}|simple_websocket[/\\]\w{1,40}|hypercorn[/\\]protocol[/\\]ws_stream"
    r"|sanic[/\\]server[/\\](?:protocols[/\\]websocket_protocol|websockets[/\\]\w{1,40})"
    r"|litestar[/\\](?:routes[/\\]websocket|handlers[/\\]websocket_handlers[/\\][\w/\\]{1,60})"
    r"|strawberry[/\\]subscriptions[/\\][\w/\\]{1,80}"
    r"|(?:socketio|engineio)[/\\](?:async_)?(?:base_)?(?:server|socket|manager|namespace))\.py$"
)
_THREAD_FRAME = re.compile(r"[/\\](?:threading|concurrent[/\\]futures[/\\]thread)\.py$")
_ROUTING_FILE = re.compile(r"[/\\](?:starlette[/\\](?:routing|endpoints|_exception_handler)|fastapi[/\\]routing)\.py$")
_WEBSOCKET_SOURCE = re.compile(r"\((?:app, ?)?session\)|\bwebsocket\b")
_WEBSOCKET_FUNCTIONS = frozenset(
    ("websocket_session", "handle_websocket", "full_dispatch_websocket", "run_websocket", "_websocket_handler",
     "websocket_connect", "websocket_receive", "websocket_disconnect")
)  # fmt: skip
_AIOHTTP_FRAME = re.compile(r"[/\\]aiohttp[/\\]web_(?:protocol|app)\.py$")
_HANDLER_NAME = re.compile(r"(?:^|_)(?:web_?socket|ws)(?:_|$)", re.IGNORECASE)
_HANDLER_SOURCE = re.compile(
    r"\bws\.(?:send|receive|recv|close)|\bfor \w{1,40} in (?:ws|websocket)\b|\bWebSocketResponse\b"
)
_CHANNELS_CONSUMER = re.compile(r"[/\\]channels[/\\]consumer\.py$")
_CHANNELS_SOCKET = re.compile(r"[/\\]channels[/\\](?:security[/\\]websocket|sessions|auth)\.py$")
_CHANNELS_ROUTING = re.compile(r"[/\\]channels[/\\]routing\.py$")
_OF_ADDRESS = re.compile(r"\bawait application\( {0,3}(?:dict\(|\{|$)")
_CHANNELS_OTHER = re.compile(r"[/\\]channels[/\\](?:generic[/\\]http|worker)\.py$")
"""A consumer of one's own has no generic frame; what wraps the WebSockets of a site wraps no worker."""
_ENDS_OF_THE_CLIENT = frozenset(
    ("WebSocketDisconnect", "ClientDisconnected", "CancelledError", "ConnectionResetError", "BrokenPipeError",
     "ClientConnectionResetError", "KeyboardInterrupt", "SystemExit", "Disconnected", "WebSocketClosedError")
)  # fmt: skip
_CLOSED_CONNECTIONS = frozenset(("ConnectionClosed", "ConnectionClosedError", "ConnectionClosedOK"))
_OWN_SIDE_FUNCTIONS = frozenset(("asgi_send", "asgi_receive"))


def may_show_websocket_exception(text: str) -> bool:
    """False where `find_websocket_exception` finds nothing; costs next to nothing."""
    return TRACEBACK_HEADER in text


def find_websocket_exception(text: str) -> LoggedException | None:
    """The exception that ended a WebSocket of this server; None where the text shows none."""
    if not may_show_websocket_exception(text):
        return None
    text = text if len(text) <= 2 * _MAX_LENGTH else text[:_MAX_LENGTH] + "\n" + text[-_MAX_LENGTH:]
    raised = _find_outermost(parse_exceptions(text))
    if not any(_is_of_websocket(exception) for exception in raised):
        return None
    is_uncaught = any(map(_is_raised_to_server, raised))
    if not is_uncaught and _SERVER_WORDS.search(text.partition(TRACEBACK_HEADER)[0][-2_000:]) is None:
        return None
    failures = [exception for exception in raised if not is_group(exception) and not _is_end_of_client(exception)]
    return failures[0] if failures else None


def _find_outermost(exceptions: Sequence[LoggedException]) -> Sequence[LoggedException]:
    """What was raised in the end: the last exception; of a group, the group and its members."""
    group = next((at for at, exception in enumerate(exceptions) if is_group(exception)), len(exceptions) - 1)
    return exceptions[max(0, group) :]


def _is_raised_to_server(exception: LoggedException) -> bool:
    """Whether nobody between the service's code and the server's WebSocket caught it."""
    first = next((frame for frame in exception.frames if not _is_of_thread(frame)), None)
    return first is not None and _SERVER_FRAME.search(first.path) is not None


def _is_of_thread(frame: Frame) -> bool:
    """Frames with which every thread begins, and those of no file."""
    return frame.path.startswith("<") or _THREAD_FRAME.search(frame.path) is not None


def _is_of_websocket(exception: LoggedException) -> bool:
    """aiohttp has no frame of its own below the handler of a WebSocket: the handler's name or source line shows it."""
    if any(map(_is_websocket_frame, exception.frames)) or _is_of_channels(exception):
        return True
    of_aiohttp = any(_AIOHTTP_FRAME.search(frame.path) for frame in exception.frames)
    return of_aiohttp and any(
        not is_package_frame(frame)
        and (_HANDLER_NAME.search(frame.function) or _HANDLER_SOURCE.search(frame.source_text))
        for frame in exception.frames
    )


def _is_of_channels(exception: LoggedException) -> bool:
    paths = [frame.path for frame in exception.frames]
    if any(map(_CHANNELS_OTHER.search, paths)):
        return False
    is_routed = any(_CHANNELS_ROUTING.search(frame.path) and _is_of_url(frame) for frame in exception.frames)
    return any(map(_CHANNELS_CONSUMER.search, paths)) and (is_routed or any(map(_CHANNELS_SOCKET.search, paths)))


def _is_of_url(frame: Frame) -> bool:
    """Whether a site's addresses led to a consumer: their router hands on a scope with what it read of the address.

    `application(scope, receive, send)` is the router of protocols, which leads to a worker's channels as well.
    """
    return _OF_ADDRESS.search(frame.source_text) is not None


def _is_websocket_frame(frame: Frame) -> bool:
    if _WEBSOCKET_FRAME.search(frame.path) or frame.function in _WEBSOCKET_FUNCTIONS:
        return True
    return _ROUTING_FILE.search(frame.path) is not None and _WEBSOCKET_SOURCE.search(frame.source_text) is not None


def _is_end_of_client(exception: LoggedException) -> bool:
    """The client went away. Another connection that closes, such as one to an upstream, is no end of the client's."""
    name = exception.error_class.rpartition(".")[2]
    if name in _ENDS_OF_THE_CLIENT:
        return True
    if name not in _CLOSED_CONNECTIONS:
        return False
    protocol = [frame for frame in exception.frames if _SERVER_FRAME.search(frame.path)]
    is_asgi = any("uvicorn" in frame.path for frame in protocol)
    return not is_asgi or protocol[-1].function in _OWN_SIDE_FUNCTIONS
