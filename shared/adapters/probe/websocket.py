"""A WebSocket as a browser would open it: a URL in, whether it connects and stays open out.

Redirects are not followed: a browser would not either, and whoever answers elsewhere is not the service.
"""

import ssl
import time

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidStatus
from websockets.protocol import State
from websockets.sync.client import ClientConnection, connect

from shared.adapters.probe.patience import Patience
from shared.domain.verdict import Probed

_LARGEST = 16 * 2**20
_SILENT = "connected, but did not answer a ping: its loop is blocked"


class _Refused(Exception):
    """The service answered the handshake with another status than 101."""


class _Direct(ClientConnection):
    """A connection whose handshake ends with the first answer: the client follows only the library's own error."""

    def handshake(self, *arguments: object, **named: object) -> None:
        try:
            super().handshake(*arguments, **named)  # type: ignore[arg-type]  # passed on as they came
        except InvalidStatus as refused:
            status, where = refused.response.status_code, refused.response.headers.get("Location")
            raise _Refused(f"answered {status}{f' and redirects to {where[:200]}' if where else ''}") from refused


def converse(url: str, message: str, patience: Patience) -> Probed:
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
        return Probed(ok=False, detail=_told(error, patience))


def _stay(socket: ClientConnection, message: str, until: float) -> Probed:
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
        return Probed(ok=False, detail=_ended(closed, received))
    if socket.state is not State.OPEN:  # a ping went unanswered, and so does the close
        return Probed(ok=False, detail=_SILENT)
    return Probed(ok=True, detail=f"connected and stayed open; {received} messages came")


def _ended(closed: ConnectionClosed, received: int) -> str:
    after = f"after {received} messages" if received else "before it said anything"
    if closed.rcvd is not None:
        reason = f" ({closed.rcvd.reason})" if closed.rcvd.reason else ""
        return f"closed with {closed.rcvd.code}{reason} {after}"
    if closed.sent is not None and "ping" in closed.sent.reason:
        return _SILENT
    return f"broke off without a close code {after}"


def _told(error: Exception, patience: Patience) -> str:
    if isinstance(error, _Refused):
        return f"did not upgrade to a WebSocket: {error}"
    if isinstance(error, ssl.SSLError) and not isinstance(error, TimeoutError):
        return f"TLS failed: {getattr(error, 'verify_message', '') or error.reason}"
    if isinstance(error, TimeoutError):
        return f"did not answer within {patience.opening:g} seconds"
    if isinstance(error, InvalidMessage):
        return "answered something else than HTTP"
    return f"could not be connected to: {error}"
