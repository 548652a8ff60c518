"""Probes a service as a client of it would, by the scheme of its URL."""

import http.client
import socket
import ssl
import time
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from threading import Timer

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidStatus
from websockets.protocol import State
from websockets.sync.client import ClientConnection, connect

from shared.errors import Reject, Retry, UsageError
from shared.proposal.rollout import ProbeOutcome, ProbeResult
from shared.secret import Secret
from shared.service import Service


@dataclass(frozen=True, slots=True)
class ProbeTimeouts:
    """All in seconds. A probe takes `longest` at most."""

    open_timeout: float = 60.0
    """Until the connection is open. A service that was scaled to zero has to start first."""
    stay_open_seconds: float = 10.0
    """How long a WebSocket must stay open. A third of it is allowed for the answer to a ping."""
    close_timeout: float = 2.0

    @property
    def total(self) -> float:
        """When a probe has ended for certain."""
        return self.open_timeout + self.stay_open_seconds + self.close_timeout


def probe_http(
    url: str, timeouts: ProbeTimeouts, expected_status: int = 0, headers: Mapping[str, str] | None = None
) -> ProbeResult:
    """`status` is the one that is wanted, 0 for any 2xx.

    Never raises because of the service; ends in time even where it answers byte by byte.
    """
    address = urllib.parse.urlsplit(url)
    make = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    connection = make(address.hostname or "", address.port, timeout=timeouts.open_timeout)
    late: list[bool] = []
    try:
        begun = time.monotonic()
        connection.connect()
        # The socket's own timeout restarts with every byte.
        left = max(0.0, begun + timeouts.open_timeout - time.monotonic())
        end = Timer(left, _cut_off, (connection.sock, late))
        end.daemon = True
        end.start()
        try:
            path = f"{address.path or '/'}{f'?{address.query}' if address.query else ''}"
            connection.request("GET", path, headers=dict(headers or {}))
            answer = connection.getresponse()
        finally:
            end.cancel()
        if late:  # what was cut off in its headers may still look like an answer
            return build_timeout_result(timeouts)
        return read_http_result(answer.status, answer.getheader("Location"), expected_status)
    except TimeoutError:
        return build_timeout_result(timeouts)
    except ssl.SSLError as error:
        return describe_tls_failure(error)
    except (OSError, http.client.HTTPException) as error:
        if late:
            return build_timeout_result(timeouts)
        detail = f"request failed: {error or type(error).__name__}"
        return ProbeResult(ok=False, detail=detail, outcome=ProbeOutcome.UNREACHABLE)
    finally:
        connection.close()


def read_http_result(status: int, location: str | None, expected: int = 0) -> ProbeResult:
    """An answer by a status; it is good where it is the wanted one, 0 for any 2xx."""
    where = (location or "")[:200]
    detail = f"answered {status}{f' and redirects to {where}' if where else ''}"
    good = status == expected if expected else 200 <= status < 300
    return ProbeResult(ok=good, detail=detail, outcome=ProbeOutcome.ANSWERED, code=status, location=where)


def describe_tls_failure(error: ssl.SSLError) -> ProbeResult:
    """A connection that could not be made secret, in the words of OpenSSL."""
    detail = f"TLS failed: {getattr(error, 'verify_message', '') or error.reason}"
    return ProbeResult(ok=False, detail=detail, outcome=ProbeOutcome.TLS_FAILED)


def build_timeout_result(timeouts: ProbeTimeouts) -> ProbeResult:
    """A connection that was not open, or not answered, in time."""
    detail = f"did not answer within {timeouts.open_timeout:g} seconds"
    return ProbeResult(ok=False, detail=detail, outcome=ProbeOutcome.TIMED_OUT)


def _cut_off(held: socket.socket, late: list[bool]) -> None:
    late.append(True)
    try:
        held.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it has ended by itself


_MAX_MESSAGE_BYTES = 16 * 2**20
_PING_UNANSWERED = ProbeResult(
    ok=False,
    detail="connected, but did not answer a ping: its event loop is blocked",
    outcome=ProbeOutcome.PING_UNANSWERED,
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


def probe_websocket(
    url: str, message: str, timeouts: ProbeTimeouts, headers: Mapping[str, str] | None = None
) -> ProbeResult:
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
            additional_headers=dict(headers or {}),
            create_connection=_NoRedirectConnection,
            legacy=True,
        ) as socket:
            return _stay_connected(socket, message, time.monotonic() + timeouts.stay_open_seconds)
    except (_HandshakeRejected, OSError, InvalidHandshake, EOFError) as error:
        return _describe_connection_failure(error, timeouts)


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
        return _build_closed_result(closed, received)
    if socket.state is not State.OPEN:  # a ping went unanswered, and so does the close
        return replace(_PING_UNANSWERED, messages=received)
    detail = f"connected and stayed open; {received} messages received"
    return ProbeResult(ok=True, detail=detail, outcome=ProbeOutcome.STAYED_OPEN, messages=received)


def _build_closed_result(closed: ConnectionClosed, received: int) -> ProbeResult:
    after = f"after {received} messages" if received else "before any message"
    if closed.rcvd is not None:
        reason = f" ({closed.rcvd.reason})" if closed.rcvd.reason else ""
        detail = f"closed with {closed.rcvd.code}{reason} {after}"
        return ProbeResult(
            ok=False, detail=detail, outcome=ProbeOutcome.CLOSED, code=closed.rcvd.code, messages=received
        )
    if closed.sent is not None and "ping" in closed.sent.reason:
        return replace(_PING_UNANSWERED, messages=received)
    detail = f"connection lost without a close code {after}"
    return ProbeResult(ok=False, detail=detail, outcome=ProbeOutcome.BROKE_OFF, messages=received)


def _describe_connection_failure(error: Exception, timeouts: ProbeTimeouts) -> ProbeResult:
    if isinstance(error, _HandshakeRejected):
        answer = read_http_result(error.status, error.location)
        return replace(answer, ok=False, detail=f"did not upgrade to a WebSocket: {answer.detail}")
    if isinstance(error, ssl.SSLError) and not isinstance(error, TimeoutError):
        return describe_tls_failure(error)
    if isinstance(error, TimeoutError):
        return build_timeout_result(timeouts)
    if isinstance(error, InvalidMessage):
        return ProbeResult(ok=False, detail="did not answer with HTTP", outcome=ProbeOutcome.NOT_HTTP)
    return ProbeResult(ok=False, detail=f"could not be connected to: {error}", outcome=ProbeOutcome.UNREACHABLE)


PLATFORM_DOMAIN = ".run.app"
IDENTITY_HEADER = "X-Serverless-Authorization"
"""Cloud Run checks this one first and takes it off, so that a service never sees our token in place of its own. The
token's audience is the service's address, also at a tag of it:
https://cloud.google.com/run/docs/authenticating/service-to-service, read 2026-11-26."""
_REFUSALS = frozenset((401, 403))


class NetworkProbe:
    """Implements `shared.ports.Probe`: `ws` and `wss` must connect and stay open, `http` and `https` answer well.

    `patience` is for all services; None waits as long as each service's own settings say.
    """

    def __init__(
        self,
        timeouts: ProbeTimeouts | None = None,
        identity_token: Callable[[str], Secret] | None = None,
        platform_domain: str = PLATFORM_DOMAIN,
    ) -> None:
        self._timeouts = timeouts
        self._identity_token = identity_token
        self._platform_domain = platform_domain

    def check(self, service: Service) -> ProbeResult:
        """See `shared.ports.Probe`. Ends within `Patience.longest`; twice that where the platform asks who calls."""
        headers = {"Origin": service.probe_origin} if service.probe_origin else {}
        result = self._connect(service, headers)
        if result.outcome is not ProbeOutcome.ANSWERED or result.code not in _REFUSALS:
            return result
        token = self._fetch_identity(service.probe_url)
        return self._connect(service, {**headers, IDENTITY_HEADER: f"Bearer {token.reveal()}"}) if token else result

    def _connect(self, service: Service, headers: Mapping[str, str]) -> ProbeResult:
        url, patience = service.probe_url, self.timeouts_for(service)
        if url.startswith(("ws://", "wss://")):
            return probe_websocket(url, service.probe_message, patience, headers)
        if url.startswith(("http://", "https://")):
            return probe_http(url, patience, service.probe_status, headers)
        return ProbeResult(ok=False, detail="no probe_url is configured", outcome=ProbeOutcome.NO_URL)

    def _fetch_identity(self, url: str) -> Secret | None:
        """None where the address is not the platform's own: a token is for nobody else."""
        address = urllib.parse.urlsplit(url)
        host = address.hostname or ""
        if self._identity_token is None or not f".{host}".endswith(self._platform_domain):
            return None
        try:
            return self._identity_token(f"https://{host.rpartition('---')[2]}")
        except (Reject, Retry, UsageError):
            return None  # then the refusal is what a client sees

    def timeouts_for(self, service: Service) -> ProbeTimeouts:
        """How long this service is waited for."""
        return self._timeouts or ProbeTimeouts(stay_open_seconds=float(service.probe_seconds))
