"""The number 1011: a WebSocket close code, and everything else that it may be."""

import pytest

from shared.detection.close_code import CloseKind, detect_close_1011
from shared.detection.signal import SignalKind, SkipReason
from tests.support.log_samples import classify_text, signal_in


@pytest.mark.parametrize(
    "text",
    [
        "received 1011 (internal error); then sent 1011 (internal error)",
        "received 1011 (internal error) Internal error",
        "sent 1011",
        "code=1011",
        "code: 1011",
        "code = 1011 (unexpected error), no reason",
        '{"type": "close", "code":1011}',
        "close_code=1011",
        "closeCode: 1011",
        "close code 1011",
        "connection closed with 1011",
        "websocket closed with code 1011.",
        "closed with status code 1011",
        "1011 (unexpected error)",
        "1011 internal error",
        "> CLOSE 1011 (internal error) [2 bytes]",
        "websockets.exceptions.ConnectionClosedError: received 1011 (internal error) quay; then sent 1011",
        "ConnectionClosedError(Close(code=1011, reason=''), None, None)",
        "starlette.websockets.WebSocketDisconnect: (1011, 'gone')",
        "WebSocketDisconnect(code=1011, reason=None)",
        "await websocket.close(1011)",
        "WebSocket connection closed: 1011",
        "WebSocket error code: 1011",
        "Connection closed: Close code 1011 reason gone",
        "\x1b[31mconnection closed (code=1011)\x1b[0m",
        "ConnectionClosedError(<CloseCode.INTERNAL_ERROR: 1011>)",
        "starlette.websockets.WebSocketDisconnect: (<CloseCode.INTERNAL_ERROR: 1011>, '')",
        "{'type': 'websocket.close', 'code': <CloseCode.INTERNAL_ERROR: 1011>}",
        "WSMessage(type=<WSMsgType.CLOSE: 8>, data=<WSCloseCode.INTERNAL_ERROR: 1011>, extra='')",
        "WSMessage(type=<WSMsgType.CLOSE: 8>, data=1011, extra='gone')",
        "ws closed with WSCloseCode.INTERNAL_ERROR",
        "Connection closed: 1011 - None",
        "WebSocket connection closed: 1011 - gone",
        "session closed: 1011 None. Resource exhausted",
        "{'type': 'websocket.disconnect', 'code': 1011}",
        "{'type': 'websocket.disconnect', 'code': 1011, 'reason': None}",
        "WebSocket DISCONNECT /ws [127.0.0.1:40366] code 1011",
        "dropping connection with code 1011",
        "socket.io: websocket transport closed 1011",
        "onclose 1011",
        "WebSocket error: 1011",
        "websocket ended, statusCode: 1011",
        "websocket closed by the server (1011)",
        "websocket closed unexpectedly: 1011",
        "the websocket connection was closed by upstream, 1011",
        "ws disconnected with error 1011",
        "ws closed, reason: 1011",
        "ConnectionClosedError: 1011",
        "closing connection: 1011",
        "live session: APIError: 1011 None The service is currently unavailable.",
    ],
)
def test_close_code_1011_is_a_signal(text: str) -> None:
    assert signal_in(text).kind is SignalKind.CLOSE_1011


@pytest.mark.parametrize(
    "text",
    [
        "google.genai.errors.APIError: 1011 None. Internal error encountered.",
        "google.genai.errors.APIError: 1011 None The service is currently unavailable.",
        "received 1011 (internal error); then sent 1011 (internal error)",
    ],
)
def test_close_of_the_other_end_is_told_from_ours(text: str) -> None:
    assert signal_in(text).close_kind is CloseKind.REMOTE_END


@pytest.mark.parametrize(
    "text",
    [
        "sent 1011 (internal error) keepalive ping timeout; no close frame received",
        "received 1011 (unexpected error) keepalive ping timeout; then sent 1011",
        "code = 1011 (unexpected error), reason: keepalive ping timeout",
        "Connection closed: Close code 1011 reason timed out waiting for pong",
        "WebSocket closed: code=1011, ping timeout",
    ],
)
def test_keepalive_timeout_is_a_signal(text: str) -> None:
    assert signal_in(text).kind is SignalKind.KEEPALIVE_TIMEOUT


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("session c2615310-1011-475c-9d1e-1b2c3d4e5f60 closed", id="uuid"),
        pytest.param("listening on 0.0.0.0:1011", id="port"),
        pytest.param("websocket server closed port 1011", id="port in words"),
        pytest.param("2026-03-01T03:43:43.1011Z websocket closed", id="decimals of a second"),
        pytest.param("at 03:43:43,101112 the websocket was closed", id="microsecond"),
        pytest.param("sent 1011 bytes", id="byte count"),
        pytest.param("received 1011 KB over websocket", id="kilobytes"),
        pytest.param("received 1011 messages", id="message count"),
        pytest.param('File "/app/quay.py", line 1011, in close', id="line number"),
        pytest.param("websocket closed for user id 1011", id="id"),
        pytest.param("closed websocket for boat 1011", id="number of a thing"),
        pytest.param("websocket of berth 1011 closed", id="number of a thing before the closing"),
        pytest.param("ws closed by skipper 1011", id="number of somebody"),
        pytest.param("websocket closed for boat (1011)", id="number of a thing in brackets"),
        pytest.param("closing connection 1011", id="number of a connection"),
        pytest.param("disconnected websocket 1011", id="number of a websocket"),
        pytest.param("connection 1011 closed", id="number of a connection before the closing"),
        pytest.param("[2026-03-01 03:43:43 +0000] [1011] [INFO] closing websocket", id="process in a log line"),
        pytest.param("Closing websocket server process [1011]", id="process"),
        pytest.param("APIError: 1011 Nonexistent berths", id="word behind an API's error"),
        pytest.param("GET /ws?berth=1011 closed", id="query"),
        pytest.param("websocket /ws/1011 closed", id="path"),
        pytest.param("closed the deal at $1011", id="price"),
        pytest.param("closed the deal at 1011.50", id="decimal"),
        pytest.param("websocket closed after 1011 ms", id="duration"),
        pytest.param("process exited with code 1011", id="exit code"),
        pytest.param("websocket worker closed, exit code 1011", id="exit code beside a websocket"),
        pytest.param("zip code: 1011", id="zip code"),
        pytest.param("error code: 1011", id="another error code"),
        pytest.param("code=10110", id="longer number"),
        pytest.param("decode: 1011", id="another word"),
        pytest.param("websocket connections closed: 1011 total", id="total"),
        pytest.param("1011 passengers waiting", id="plain number"),
        pytest.param("order 1011 closed", id="order"),
        pytest.param("websocket server exited with code 1011", id="exit code of a websocket server"),
        pytest.param("Cloudflare returned error code: 1011 for websocket upgrade", id="proxy"),
        pytest.param("{'type': 'http.disconnect', 'code': 1011}", id="request"),
        pytest.param('{"error": {"code": 1011, "message": "no such berth"}}', id="code of an API"),
        pytest.param("APIError: 1011 items failed", id="count behind an API's error"),
        pytest.param("connections closed: 1011 - 12 left", id="count with a dash"),
        pytest.param("    await ws.close(code=WSCloseCode.INTERNAL_ERROR)", id="source line"),
        pytest.param("from websockets.frames import CloseCode.INTERNAL_ERROR", id="name alone"),
    ],
)
def test_other_numbers_are_no_close_code(text: str) -> None:
    assert classify_text(text) in {SkipReason.NOT_A_CLOSE_CODE, SkipReason.NO_SIGNAL}


def test_of_a_close_with_a_traceback_the_line_that_names_the_code_is_told() -> None:
    last = "websockets.exceptions.ConnectionClosedError: sent 1011 (internal error); no close frame received"
    text = (
        f'ERROR: failed\nTraceback (most recent call last):\n  File "/app/quay.py", line 1011, in moor\n    x()\n{last}'
    )
    assert signal_in(text).message == last


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        ("connection closed with CloseCode.INTERNAL_ERROR", CloseKind.INTERNAL_ERROR),
        ("CloseCode.INTERNAL_ERROR; connection closed with CloseCode.INTERNAL_ERROR", CloseKind.INTERNAL_ERROR),
        ("\tclosed with CloseCode.INTERNAL_ERROR", None),
        ("    closed with CloseCode.INTERNAL_ERROR", None),
        ("await closed with CloseCode.INTERNAL_ERROR", None),
        ("a value CloseCode.INTERNAL_ERROR", None),
        ("closed with code 1011- (internal error)", CloseKind.INTERNAL_ERROR),
        ("closed with code 1011-a (internal error)", None),
        ("closed with code 1011/a b", None),
    ],
)
def test_a_name_counts_outside_of_source_lines_and_a_number_on_its_own(text: str, closed: CloseKind | None) -> None:
    assert detect_close_1011(text) is closed


def test_a_close_without_a_traceback_is_told_as_a_whole_up_to_a_length() -> None:
    text = "ebb at the quay\nreceived 1011 (internal error)"
    assert signal_in(text).message == text
    assert len(signal_in(text + "." * 400).message) == 300


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        ("websocket closed with code 1011 2026-03-01", CloseKind.INTERNAL_ERROR),
        ('{"event": "disconnect", "code": 1011}', CloseKind.INTERNAL_ERROR),
        ('{"kind": "websocket", "code": 1011}', CloseKind.INTERNAL_ERROR),
        ('{"kind": "berth", "code": 1011}', None),
        ("websocket closed early, error 1011", CloseKind.INTERNAL_ERROR),
        ("stream closed early, error 1011", None),
        ("websocket of the quay, error 1011", None),
        ("at berth 1011 None", None),
    ],
)
def test_words_about_a_websocket_and_its_closing_make_a_number_a_code(text: str, closed: CloseKind | None) -> None:
    assert detect_close_1011(text) is closed
