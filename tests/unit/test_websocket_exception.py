"""A WebSocket that an exception ended, where no close code is logged: what the servers print."""

import pytest

from shared.detection.close_code import CloseKind
from shared.detection.signal import SignalKind, SkipReason
from tests.support.log_samples import classify_text, signal_in
from tests.support.start_samples import HEADER, OWN_WEBSOCKET, PACKAGES, ROUTED, ROUTED_REQUEST, uvicorn_protocol

IMPLEMENTATIONS = ("websockets/websockets_impl", "websockets/wsproto_impl", "websockets/websockets_sansio_impl")


def frame(file: str, function: str, source: str = "await it()") -> str:
    return f'  File "{PACKAGES}/{file}.py", line 7, in {function}\n    {source}\n'


@pytest.mark.parametrize(
    "text",
    [
        *(f"ERROR:    Exception in ASGI application\n{HEADER}{uvicorn_protocol(name)}" for name in IMPLEMENTATIONS),
        *(HEADER + uvicorn_protocol(name) + ROUTED for name in IMPLEMENTATIONS),
        "[2026-03-01 03:43:43 +0000] [7] [ERROR] Error in ASGI Framework\n"
        + HEADER
        + frame("hypercorn/asyncio/task_group", "_handle")
        + ROUTED,
        f"2026-03-01 03:43:43,631 ERROR    Exception inside application: 'red'\n{HEADER}{ROUTED}",
        f"ERROR Exception inside application: 'red'\n{HEADER}" + frame("channels/generic/websocket", "receive"),
        f"Exception in ASGI application\n{HEADER}" + frame("starlette/routing", "websocket_session"),
        "ERROR:websockets.server:connection handler failed\n"
        + HEADER
        + frame("websockets/asyncio/server", "conn_handler"),
        "connection handler failed\n" + HEADER + frame("websockets/legacy/server", "handler"),
        "Uncaught exception GET /ws (127.0.0.1)\n" + HEADER + frame("tornado/websocket", "_run_callback"),
        "Exception on websocket /ws\n" + HEADER + frame("quart/app", "handle_websocket"),
    ],
)
def test_exception_of_a_websocket_is_a_close(text: str) -> None:
    found = signal_in(text + OWN_WEBSOCKET)
    assert (found.kind, found.close_kind) == (SignalKind.CLOSE_1011, CloseKind.EXCEPTION)
    assert (found.error_class, found.message, found.path) == ("KeyError", "KeyError: 'red'", "")


@pytest.mark.parametrize(
    "text",
    [
        f"Exception in ASGI application\n{HEADER}{uvicorn_protocol('http/h11_impl')}{ROUTED_REQUEST}",
        f"Exception in ASGI application\n{HEADER}{uvicorn_protocol('http/httptools_impl')}",
        f"[ERROR] Error in ASGI Framework\n{HEADER}{ROUTED_REQUEST}",
        f"the berth is taken\n{HEADER}{ROUTED}",
        "Error handling request from 127.0.0.1\n" + HEADER + frame("aiohttp/web_protocol", "_handle_request"),
        "Exception in ASGI application\n",
    ],
)
def test_other_exceptions_are_none(text: str) -> None:
    assert classify_text(text + OWN_WEBSOCKET) is SkipReason.NO_SIGNAL


@pytest.mark.parametrize(
    "last",
    [
        "starlette.websockets.WebSocketDisconnect: (1006, None)",
        "starlette.websockets.WebSocketDisconnect: (<CloseCode.ABNORMAL_CLOSURE: 1006>, '')",
        "uvicorn.protocols.utils.ClientDisconnected",
        "asyncio.exceptions.CancelledError",
        "ConnectionResetError: Cannot write to closing transport",
    ],
)
def test_client_that_went_away_is_none(last: str) -> None:
    text = f"Exception in ASGI application\n{HEADER}{uvicorn_protocol(IMPLEMENTATIONS[0])}{ROUTED}"
    assert classify_text(text + frame("starlette/websockets", "receive_text") + last) is SkipReason.NO_SIGNAL


LEFT = "websockets.exceptions.ConnectionClosedError: received 1008 (policy violation); then sent 1008"


def test_connection_to_somewhere_else_that_closes_ends_the_websocket() -> None:
    text = f"Exception in ASGI application\n{HEADER}{uvicorn_protocol(IMPLEMENTATIONS[0])}{ROUTED}"
    upstream = '  File "/app/ferry/pilot.py", line 8, in ask\n    await pilot.recv()\n'
    found = signal_in(text + upstream + frame("websockets/asyncio/connection", "recv") + LEFT)
    assert (found.close_kind, found.error_class) == (CloseKind.EXCEPTION, "websockets.exceptions.ConnectionClosedError")
    sent = frame("uvicorn/protocols/websockets/websockets_impl", "asgi_send")
    assert classify_text(text + sent + LEFT) is SkipReason.NO_SIGNAL


def test_handler_whose_client_left_is_none() -> None:
    text = f"connection handler failed\n{HEADER}" + frame("websockets/asyncio/server", "conn_handler")
    assert classify_text(text + frame("websockets/asyncio/connection", "recv") + LEFT) is SkipReason.NO_SIGNAL


def test_close_code_beside_it_says_which_end_closed() -> None:
    text = f"Exception in ASGI application\n{HEADER}{uvicorn_protocol(IMPLEMENTATIONS[0])}{ROUTED}"
    last = "websockets.exceptions.ConnectionClosedError: received 1011 (internal error); then sent 1011\n"
    assert signal_in(text + last).close_kind is CloseKind.REMOTE_END
