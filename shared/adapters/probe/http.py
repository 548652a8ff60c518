"""One GET: a URL in, whether it was answered as it should be out. Redirects are not followed, and no body is read."""

import http.client
import socket
import ssl
import time
import urllib.parse
from threading import Timer

from shared.adapters.probe.patience import Patience
from shared.domain.verdict import Probed


def ask(url: str, patience: Patience, status: int = 0) -> Probed:
    """`status` is the one that is wanted, 0 for any 2xx.

    Never raises because of the service; ends in time even where it answers byte by byte.
    """
    place = urllib.parse.urlsplit(url)
    make = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
    connection = make(place.hostname or "", place.port, timeout=patience.opening)
    late: list[bool] = []
    try:
        begun = time.monotonic()
        connection.connect()
        # The socket's own timeout starts anew with every byte.
        left = max(0.0, begun + patience.opening - time.monotonic())
        end = Timer(left, _end, (connection.sock, late))
        end.daemon = True
        end.start()
        try:
            connection.request("GET", f"{place.path or '/'}{f'?{place.query}' if place.query else ''}")
            answer = connection.getresponse()
        finally:
            end.cancel()
        if late:  # what was cut off in its headers may still look like an answer
            return _unanswered(patience)
        where = answer.getheader("Location")
        told = f"answered {answer.status}{f' and redirects to {where[:200]}' if where else ''}"
        return Probed(ok=answer.status == status if status else 200 <= answer.status < 300, detail=told)
    except TimeoutError:
        return _unanswered(patience)
    except ssl.SSLError as error:
        return Probed(ok=False, detail=f"TLS failed: {getattr(error, 'verify_message', '') or error.reason}")
    except (OSError, http.client.HTTPException) as error:
        if late:
            return _unanswered(patience)
        return Probed(ok=False, detail=f"could not be asked: {error or type(error).__name__}")
    finally:
        connection.close()


def _unanswered(patience: Patience) -> Probed:
    return Probed(ok=False, detail=f"did not answer within {patience.opening:g} seconds")


def _end(held: socket.socket, late: list[bool]) -> None:
    late.append(True)
    try:
        held.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it has ended by itself
