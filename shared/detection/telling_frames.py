"""Tells by one line of a traceback that the whole of it may show a failed start, or a WebSocket that it ended.

Where a traceback is logged line by line, only a few of its lines may pass a log sink. These frames are among them: the
top level of the service's own modules, what a server calls to load or start the application, and a server's WebSocket.
"""

import re

_FRAME_LINE = re.compile(
    r'[ \t|+]{0,80}File "(?P<path>[^"\n]{1,1024})", line \d{1,9}, in (?P<function>[\w<>.]{1,200})\s*'
)
_BOX_FRAME = re.compile(r"[ \t]{0,200}│ (?P<path>\S{1,1024}\.py):\d{1,9} in (?P<function><module>)[ \t]*│?\s*")
_PACKAGES = re.compile(
    r"[/\\](?:site|dist)-packages[/\\]|/lib(?:64)?/(?:python|pypy)\d|[/\\]s?bin[/\\][^/\\.]{1,100}$|^<"
)
_LOADERS = re.compile(
    r"[/\\](?:uvicorn[/\\]importer|gunicorn[/\\]util|hypercorn[/\\]utils|daphne[/\\]cli"
    r"|functions_framework[/\\]_function_registry|celery[/\\]utils[/\\]imports)\.py$"
)
_SOCKETS = re.compile(
    r"[/\\](?:uvicorn[/\\]protocols[/\\]websockets[/\\]\w{1,60}|websockets[/\\](?:(?:legacy|asyncio|sync)[/\\])?server"
    r"|channels[/\\]generic[/\\]websocket|daphne[/\\]ws_protocol|aiohttp[/\\]web_ws|tornado[/\\]websocket"
    r"|hypercorn[/\\]protocol[/\\]ws_stream|sanic[/\\]server[/\\]websockets[/\\]\w{1,40}"
    r"|(?:socketio|engineio)[/\\]\w{1,40})\.py$"
)
_SOCKET_FUNCTIONS = frozenset(("websocket_session", "handle_websocket", "full_dispatch_websocket"))


def is_telling_frame(text: str) -> bool:
    """Whether an entry is one such line."""
    if 'File "' not in text[:100] and "in <module>" not in text:
        return False
    frame = _FRAME_LINE.fullmatch(text[:2_000]) or _BOX_FRAME.fullmatch(text[:2_000])
    if frame is None:
        return False
    path, function = frame["path"], frame["function"]
    if function == "<module>":
        return _PACKAGES.search(path) is None
    if function in _SOCKET_FUNCTIONS or function == "lifespan":
        return True
    return _LOADERS.search(path) is not None or _SOCKETS.search(path) is not None
