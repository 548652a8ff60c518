"""A WebSocket as a browser would open it: a URL in, whether it connects and stays open out.

Redirects are not followed: a browser would not either, and whoever answers elsewhere is not the service.
"""

import ssl
import time
from dataclasses import replace

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidStatus
from websockets.protocol import State
from websockets.sync.client import ClientConnection, connect

from shared.adapters.probe.http import http_result, timeout_result, tls_failure
from shared.adapters.probe.patience import ProbeTimeouts
from shared.proposal.verdict import ProbeResult, ProbeOutcome

_MAX_MESSAGE_BYTES = 16 * 2**20
_PING_UNANSWERED = ProbeResult(
    ok=False, detail="connected, but did not answer a ping: its loop is blocked", outcome=ProbeOutcome.PING_UNANSWERED
)


class _HandshakeRejected(Exception):
    """The service answered the handshake with another status than 101."""

    def __init__(self, status: int, location: str | None) -> None:
        super().__init__(status)
        self.status = status
        self.location = location


class _NoRedirectConnection(ClientConnection):
    """A connection whose handshake ends with the first answer: the client follows only the library's own error."""

    def handshake(self, *arguments: object, **named: object) -> None:
        try:
            super().handshake(*arguments, **named)  # type: ignore[arg-type]  # passed on as they came
        except InvalidStatus as refused:
            response = refused.response
            raise _HandshakeRejected(response.status_code, response.headers.get("Location")) from refused


def probe_websocket(url: str, message: str, timeouts: ProbeTimeouts) -> ProbeResult:
    """Opens `url`, sends `message` unless it is "", and keeps it open. Never raises because of the service."""
    third = timeouts.stay_open_seconds / 3
    try:
        with connect(
            url,
            proxy=None,
            open_timeout=timeouts.open_timeout,
            ping_interval=third,
            ping_timeout=third,
            close_timeout=timeouts.close_timeout,
            max_size=_MAX_MESSAGE_BYTES,
            create_connection=_NoRedirectConnection,
            legacy=True,
        ) as socket:
            return _stay_connected(socket, message, time.monotonic() + timeouts.stay_open_seconds)
    except (_HandshakeRejected, OSError, InvalidHandshake, EOFError) as error:
        return _connection_failure(error, timeouts)


def _stay_connected(socket: ClientConnection, message: str, until: float) -> ProbeResult:
    """Whatever the service says is taken; only the end of the connection counts."""
    received = 0
    try:
        if message:
            socket.send(message)
        while (left := until - time.monotonic()) > 0:
            socket.recv(timeout=left)
            received += 1
    except TimeoutError:
        pass  # nothing more came
    except ConnectionClosed as closed:
        return _closed_result(closed, received)
    if socket.state is not State.OPEN:  # a ping went unanswered, and so does the close
        return replace(_PING_UNANSWERED, messages=received)
    told = f"connected and stayed open; {received} messages came"
    return ProbeResult(ok=True, detail=told, outcome=ProbeOutcome.STAYED_OPEN, messages=received)


def _closed_result(closed: ConnectionClosed, received: int) -> ProbeResult:
    after = f"after {received} messages" if received else "before it said anything"
    if closed.rcvd is not None:
        reason = f" ({closed.rcvd.reason})" if closed.rcvd.reason else ""
        told = f"closed with {closed.rcvd.code}{reason} {after}"
        return ProbeResult(ok=False, detail=told, outcome=ProbeOutcome.CLOSED, code=closed.rcvd.code, messages=received)
    if closed.sent is not None and "ping" in closed.sent.reason:
        return replace(_PING_UNANSWERED, messages=received)
    told = f"broke off without a close code {after}"
    return ProbeResult(ok=False, detail=told, outcome=ProbeOutcome.BROKE_OFF, messages=received)


def _connection_failure(error: Exception, timeouts: ProbeTimeouts) -> ProbeResult:
    if isinstance(error, _HandshakeRejected):
        answer = http_result(error.status, error.location)
        return replace(answer, ok=False, detail=f"did not upgrade to a WebSocket: {answer.detail}")
    if isinstance(error, ssl.SSLError) and not isinstance(error, TimeoutError):
        return tls_failure(error)
    if isinstance(error, TimeoutError):
        return timeout_result(timeouts)
    if isinstance(error, InvalidMessage):
        return ProbeResult(ok=False, detail="answered something else than HTTP", outcome=ProbeOutcome.NOT_HTTP)
    return ProbeResult(ok=False, detail=f"could not be connected to: {error}", outcome=ProbeOutcome.UNREACHABLE)
