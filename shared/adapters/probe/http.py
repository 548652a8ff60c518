"""One GET: a URL in, whether it was answered as it should be out. Redirects are not followed, and no body is read."""

import http.client
import socket
import ssl
import time
import urllib.parse
from threading import Timer

from shared.adapters.probe.patience import ProbeTimeouts
from shared.proposal.verdict import ProbeResult, ProbeOutcome


def probe_http(url: str, timeouts: ProbeTimeouts, expected_status: int = 0) -> ProbeResult:
    """`status` is the one that is wanted, 0 for any 2xx.

    Never raises because of the service; ends in time even where it answers byte by byte.
    """
    place = urllib.parse.urlsplit(url)
    make = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
    connection = make(place.hostname or "", place.port, timeout=timeouts.open_timeout)
    late: list[bool] = []
    try:
        begun = time.monotonic()
        connection.connect()
        # The socket's own timeout starts anew with every byte.
        left = max(0.0, begun + timeouts.open_timeout - time.monotonic())
        end = Timer(left, _cut_off, (connection.sock, late))
        end.daemon = True
        end.start()
        try:
            connection.request("GET", f"{place.path or '/'}{f'?{place.query}' if place.query else ''}")
            answer = connection.getresponse()
        finally:
            end.cancel()
        if late:  # what was cut off in its headers may still look like an answer
            return timeout_result(timeouts)
        return http_result(answer.status, answer.getheader("Location"), expected_status)
    except TimeoutError:
        return timeout_result(timeouts)
    except ssl.SSLError as error:
        return tls_failure(error)
    except (OSError, http.client.HTTPException) as error:
        if late:
            return timeout_result(timeouts)
        told = f"could not be asked: {error or type(error).__name__}"
        return ProbeResult(ok=False, detail=told, outcome=ProbeOutcome.UNREACHABLE)
    finally:
        connection.close()


def http_result(status: int, location: str | None, expected: int = 0) -> ProbeResult:
    """An answer by a status; it is good where it is the wanted one, 0 for any 2xx."""
    where = (location or "")[:200]
    told = f"answered {status}{f' and redirects to {where}' if where else ''}"
    good = status == expected if expected else 200 <= status < 300
    return ProbeResult(ok=good, detail=told, outcome=ProbeOutcome.ANSWERED, code=status, location=where)


def tls_failure(error: ssl.SSLError) -> ProbeResult:
    """A connection that could not be made secret, in the words of OpenSSL."""
    told = f"TLS failed: {getattr(error, 'verify_message', '') or error.reason}"
    return ProbeResult(ok=False, detail=told, outcome=ProbeOutcome.TLS_FAILED)


def timeout_result(timeouts: ProbeTimeouts) -> ProbeResult:
    """A connection that was not open, or not answered, in time."""
    told = f"did not answer within {timeouts.open_timeout:g} seconds"
    return ProbeResult(ok=False, detail=told, outcome=ProbeOutcome.TIMED_OUT)


def _cut_off(held: socket.socket, late: list[bool]) -> None:
    late.append(True)
    try:
        held.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it has ended by itself
