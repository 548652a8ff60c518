"""Visits the running service over a WebSocket as a browser would, and says what came back."""

import base64
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import BinaryIO

from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import connect

from shared.adapters.http import HttpClient, NoResponse
from shared.errors import InputError

TIMEOUT_SECONDS = 15.0
OPEN_SECONDS = 0.3
"""How long a socket that has said something must stay open to count as one that does."""
_TEXT_FRAME, _CLOSE_FRAME = 0x1, 0x8


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
    ) as conversation:
        try:
            while True:
                conversation.recv(timeout=OPEN_SECONDS if messages else TIMEOUT_SECONDS)
                messages += 1
        except TimeoutError:
            if messages:
                return None, "", messages
            raise
        except ConnectionClosed as closed:
            if closed.rcvd is None:
                raise InputError(f"The example service on port {port} broke off without a close code.") from closed
            return closed.rcvd.code, closed.rcvd.reason, messages


def visit_silently(port: int) -> Visit:
    """Opens a conversation and answers nothing at all, no ping either, until the service closes it.

    Raises `shared.errors.InputError` where it does not.
    """
    key = base64.b64encode(os.urandom(16)).decode()
    head = f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    head += f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    try:
        with socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS) as connection:
            connection.sendall(head.encode())
            with connection.makefile("rb") as answer:
                while answer.readline().strip():
                    pass
                return _read_frames(answer)
    except OSError as error:
        raise InputError(f"The example service on port {port} did not answer: {error}") from error


def _read_frames(answer: BinaryIO) -> Visit:
    """Short frames without a mask, as a server sends them."""
    messages = 0
    while len(start := answer.read(2)) == len("xx"):
        payload = answer.read(start[1] & 0x7F)
        if start[0] & 0x0F == _CLOSE_FRAME:
            return Visit(int.from_bytes(payload[:2]), payload[2:].decode("utf-8", "replace"), messages, 0)
        messages += start[0] & 0x0F == _TEXT_FRAME
    raise InputError("The example service broke off without a close code.")


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
    is_waiting: bool = False
    """Whether they do not come yet."""

    def visit_repeatedly(self) -> None:
        """One after the other, until it is over."""
        while not self.stop.wait(_PAUSE_SECONDS):
            if self.is_waiting:
                continue
            try:
                self.last = visit_service(self.port)
            except InputError:
                self.last = None  # a service that does not answer is part of the story


@contextmanager
def run_visitors(port: int, *, is_waiting: bool = False) -> Iterator[Visitors]:
    """Visits the service on a port of the loopback; nobody does while they are waiting."""
    visitors = Visitors(port, is_waiting=is_waiting)
    thread = Thread(target=visitors.visit_repeatedly)
    thread.start()
    try:
        yield visitors
    finally:
        visitors.stop.set()
        thread.join()
