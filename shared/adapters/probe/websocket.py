"""A WebSocket as a browser would open it: a URL in, whether it connects and stays open out.

Redirects are not followed: a browser would not either, and whoever answers elsewhere is not the service.
"""

import ssl
import time
from dataclasses import replace

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidStatus
from websockets.protocol import State
from websockets.sync.client import ClientConnection, connect

from shared.adapters.probe.http import answered, timed_out, tls_failed
from shared.adapters.probe.patience import Patience
from shared.proposal.verdict import ProbeResult, ProbeOutcome

_LARGEST = 16 * 2**20
_SILENT = ProbeResult(
    ok=False, detail="connected, but did not answer a ping: its loop is blocked", end=ProbeOutcome.PING_UNANSWERED
)


class _Refused(Exception):
    """The service answered the handshake with another status than 101."""

    def __init__(self, status: int, location: str | None) -> None:
        super().__init__(status)
        self.status = status
        self.location = location


class _Direct(ClientConnection):
    """A connection whose handshake ends with the first answer: the client follows only the library's own error."""

    def handshake(self, *arguments: object, **named: object) -> None:
        try:
            super().handshake(*arguments, **named)  # type: ignore[arg-type]  # passed on as they came
        except InvalidStatus as refused:
            response = refused.response
            raise _Refused(response.status_code, response.headers.get("Location")) from refused


def converse(url: str, message: str, patience: Patience) -> ProbeResult:
    """Opens `url`, sends `message` unless it is "", and keeps it open. Never raises because of the service."""
    third = patience.staying / 3
    try:
        with connect(
            url,
            proxy=None,
            open_timeout=patience.opening,
            ping_interval=third,
            ping_timeout=third,
            close_timeout=patience.closing,
            max_size=_LARGEST,
            create_connection=_Direct,
            legacy=True,
        ) as socket:
            return _stay(socket, message, time.monotonic() + patience.staying)
    except (_Refused, OSError, InvalidHandshake, EOFError) as error:
        return _not_opened(error, patience)


def _stay(socket: ClientConnection, message: str, until: float) -> ProbeResult:
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
        return _ended(closed, received)
    if socket.state is not State.OPEN:  # a ping went unanswered, and so does the close
        return replace(_SILENT, messages=received)
    told = f"connected and stayed open; {received} messages came"
    return ProbeResult(ok=True, detail=told, end=ProbeOutcome.STAYED_OPEN, messages=received)


def _ended(closed: ConnectionClosed, received: int) -> ProbeResult:
    after = f"after {received} messages" if received else "before it said anything"
    if closed.rcvd is not None:
        reason = f" ({closed.rcvd.reason})" if closed.rcvd.reason else ""
        told = f"closed with {closed.rcvd.code}{reason} {after}"
        return ProbeResult(ok=False, detail=told, end=ProbeOutcome.CLOSED, code=closed.rcvd.code, messages=received)
    if closed.sent is not None and "ping" in closed.sent.reason:
        return replace(_SILENT, messages=received)
    told = f"broke off without a close code {after}"
    return ProbeResult(ok=False, detail=told, end=ProbeOutcome.BROKE_OFF, messages=received)


def _not_opened(error: Exception, patience: Patience) -> ProbeResult:
    if isinstance(error, _Refused):
        answer = answered(error.status, error.location)
        return replace(answer, ok=False, detail=f"did not upgrade to a WebSocket: {answer.detail}")
    if isinstance(error, ssl.SSLError) and not isinstance(error, TimeoutError):
        return tls_failed(error)
    if isinstance(error, TimeoutError):
        return timed_out(patience)
    if isinstance(error, InvalidMessage):
        return ProbeResult(ok=False, detail="answered something else than HTTP", end=ProbeOutcome.NOT_HTTP)
    return ProbeResult(ok=False, detail=f"could not be connected to: {error}", end=ProbeOutcome.UNREACHABLE)
