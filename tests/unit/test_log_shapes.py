"""What is read from one failure in the shapes of frameworks and loggers: kind, exception, and the place in own code."""

from pathlib import Path

import pytest

from shared.adapters.logs.log_file import LogFile
from shared.detection.collect import collect_incidents
from tests.support.log_shapes import SHAPES

SOCKET = ("close_1011", "KeyError", "/app/harbour/berths.py:41 in moor")
CLOSED = ("close_1011", "", "")
START = ("failed_start", "ImportError", "/app/main.py:3 in <module>")
EXPECTED: dict[str, tuple[str, str, str]] = {
    "loguru": SOCKET,
    "loguru start": ("failed_start", "ImportError", "/app/harbour/berths.py:4 in run"),
    "loguru serialize": SOCKET,
    "rich box": SOCKET,
    "rich start": START,
    "py313 colour": SOCKET,
    "group": SOCKET,
    "uvicorn ws": SOCKET,
    "websockets": SOCKET,
    "websockets closed": (
        "close_1011", "websockets.exceptions.ConnectionClosedError", "/app/harbour/berths.py:41 in moor",
    ),
    "aiohttp": ("close_1011", "KeyError", "/app/harbour/berths.py:41 in socket_handler"),
    "aiohttp ws": ("close_1011", "TypeError", "/app/harbour/berths.py:41 in berth_socket"),
    "aiohttp code": CLOSED,
    "ws name": CLOSED,
    "ws name2": CLOSED,
    "daphne": SOCKET,
    "socketio": SOCKET,
    "socketio threading": SOCKET,
    "engineio": SOCKET,
    "hypercorn": SOCKET,
    "hypercorn fastapi": SOCKET,
    "quart": SOCKET,
    "gunicorn uvw": SOCKET,
    "gunicorn boot": START,
    "starlette close": CLOSED,
    "starlette close json": CLOSED,
    "starlette close dict": CLOSED,
    "structlog json": SOCKET,
    "structlog console": SOCKET,
    "json logger": SOCKET,
    "otel": SOCKET,
    "otel event": SOCKET,
    "sentry": SOCKET,
    "datadog": SOCKET,
    "datadog flat": SOCKET,
    "gcl structured": SOCKET,
    "gcl export": SOCKET,
    "disconnect 1011": CLOSED,
    "disconnect 1011b": CLOSED,
    "keepalive": ("keepalive_timeout", "websockets.exceptions.ConnectionClosedError", ""),
    "python main": START,
    "python -m": ("failed_start", "ImportError", "/app/harbour/__main__.py:3 in <module>"),
    "better exceptions": START,
    "task never": SOCKET,
    "logged exception": SOCKET,
    "litellm repr": ("close_1011", "KeyError", ""),
    "tornado": SOCKET,
    "sanic": SOCKET,
    "lifespan": ("failed_start", "KeyError", "/app/main.py:14 in lifespan"),
    "docker compose": SOCKET,
    "journald": SOCKET,
    "syntax rich": ("syntax_error", "", ""),
    "ecs": SOCKET,
    "litestar": SOCKET,
    "granian": SOCKET,
    "channels own consumer": SOCKET,
    "channels without sessions": SOCKET,
    "program that the image lacks": ("failed_start", "", ""),
    "program that a script does not find": ("failed_start", "", ""),
    "entry point that the image lacks": ("failed_start", "", ""),
    "module that the image lacks": ("failed_start", "ModuleNotFoundError", ""),
    "port that is taken": ("failed_start", "", ""),
}  # fmt: skip
NO_SIGNAL = frozenset(
    ("uvicorn http", "ws name src", "daphne ws", "daphne disconnect", "engineio msg", "disconnect", "thread",
     "cloudflare", "channels worker")
)  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_each_shape_is_read(name: str, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(SHAPES[name], encoding="utf-8")
    incidents = collect_incidents(LogFile(str(path)), service="harbour", environment="prod").incidents
    if name in NO_SIGNAL:
        assert incidents == ()
        return
    [incident] = incidents
    raised = incident.raised
    at = raised.location if raised is not None else None
    place = f"{at.path}:{at.line} in {at.function}" if at is not None else ""
    error_class = raised.exception.error_class if raised is not None else ""
    assert (incident.kind.value, error_class, place) == EXPECTED[name]
