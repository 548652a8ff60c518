"""A server on loopback that answers each request with the next of some scripted bytes, or breaks the connection."""

import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO

HANG_UP = b""
"""The connection ends without an answer."""
RESET = b"RST"
"""It is reset, with the request in the server's hands."""
LATER = b"HTTP/1.1 503 X\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"


def http_answer(body: object, code: int = 200) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (code, len(content), content)


def google_error(code: int, status: str) -> bytes:
    return http_answer({"error": {"code": code, "status": status, "message": "no"}}, code)


@dataclass
class ScriptedServer:
    """Answers each request with the next of `answers`; keeps the requests."""

    answers: list[bytes]
    host: str = ""
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    def serve(self, listening: socket.socket) -> None:
        while self.answers:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            self.connections += 1
            with connection, connection.makefile("rb") as lines:
                while self.answers and self._answer_one(connection, lines):
                    pass

    def _answer_one(self, connection: socket.socket, lines: BinaryIO) -> bool:
        head = b"".join(iter(lines.readline, b"\r\n")) if lines.peek(1) else b""  # type: ignore[attr-defined]
        if not head:
            return False
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        self.requests.append(head + b"\r\n" + lines.read(length))
        reply = self.answers.pop(0)
        if reply == RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        connection.sendall(reply)
        return reply != HANG_UP and b"Content-Length" in reply


@contextmanager
def serve_scripted(*answers: bytes) -> Iterator[ScriptedServer]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(30)
        server = ScriptedServer(list(answers), f"127.0.0.1:{listening.getsockname()[1]}")
        thread = threading.Thread(target=server.serve, args=(listening,))
        thread.start()
        yield server
        server.answers.clear()
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(30)
    assert not thread.is_alive()
