"""Visits the running service over a WebSocket as a browser would, and says what came back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread

from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import connect

from shared.adapters.http import HttpClient, NoResponse
from shared.errors import InputError

TIMEOUT_SECONDS = 15.0
OPEN_SECONDS = 0.3
"""How long a socket that has said something must stay open to count as one that does."""


@dataclass(frozen=True, slots=True)
class Visit:
    """How the socket fared, and whether the transcript could be read afterwards."""

    close_code: int | None
    """None where the service kept it open."""
    close_reason: str
    messages: int
    """Received before the end."""
    transcript_status: int

    @property
    def summary(self) -> str:
        """In words."""
        if self.close_code is None:
            return f"stays open, and {self.messages} {'message' if self.messages == 1 else 'messages'} came"
        return f"was closed with {self.close_code}{f' ({self.close_reason})' if self.close_reason else ''}"


def visit_service(port: int) -> Visit:
    """Opens a conversation, sees whether it stays open, then asks for the transcript.

    Raises `shared.errors.InputError` where the service does not answer.
    """
    try:
        code, reason, messages = _hold_conversation(port)
        return Visit(code, reason, messages, _read_transcript_status(port))
    except (OSError, InvalidHandshake, NoResponse) as error:
        raise InputError(f"The example service on port {port} did not answer: {error}") from error


def _hold_conversation(port: int) -> tuple[int | None, str, int]:
    messages = 0
    with connect(
        f"ws://127.0.0.1:{port}/ws", proxy=None, open_timeout=TIMEOUT_SECONDS, close_timeout=TIMEOUT_SECONDS
    ) as socket:
        try:
            while True:
                socket.recv(timeout=OPEN_SECONDS if messages else TIMEOUT_SECONDS)
                messages += 1
        except TimeoutError:
            if messages:
                return None, "", messages
            raise
        except ConnectionClosed as closed:
            if closed.rcvd is None:
                raise InputError(f"The example service on port {port} broke off without a close code.") from closed
            return closed.rcvd.code, closed.rcvd.reason, messages


def _read_transcript_status(port: int) -> int:
    http = HttpClient(TIMEOUT_SECONDS)  # a new connection each time: the platform splits traffic by connection
    try:
        return http.request("GET", f"http://127.0.0.1:{port}/transcript").status
    finally:
        http.close()


_PAUSE_SECONDS = 0.7


@dataclass(slots=True)
class Visitors:
    """`last` is None while no visitor gets an answer."""

    port: int
    last: Visit | None = None
    stop: Event = field(default_factory=Event)

    def visit_repeatedly(self) -> None:
        """One after the other, until it is over."""
        while not self.stop.wait(_PAUSE_SECONDS):
            try:
                self.last = visit_service(self.port)
            except InputError:
                self.last = None  # a service that does not answer is part of the story


@contextmanager
def run_visitors(port: int) -> Iterator[Visitors]:
    """Visits the service on a port of the loopback."""
    visitors = Visitors(port)
    thread = Thread(target=visitors.visit_repeatedly)
    thread.start()
    try:
        yield visitors
    finally:
        visitors.stop.set()
        thread.join()
