"""Slack's side of Socket Mode on loopback: a token in, an address for one connection out, envelopes and their answers.

As https://docs.slack.dev/apis/events-api/using-socket-mode says: `hello` first, an envelope is acknowledged by its id,
`disconnect` announces an end (`warning` ten seconds before, `refresh_requested` at once), and an address holds once.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Queue
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from tests.support.github.server import FakeRequest, FakeResponse, serve_fake
from tests.support.slack.workspace import APP

SECONDS = 10.0
"""So long a test waits for what must come."""
TOKEN = "xapp-1-of-these-tests"


@dataclass
class FakeSocketMode:
    """`address` is that of the Web API, `connections` are open ones, `answers` come in their order."""

    address: str = ""
    refusal: str = ""
    """Slack's code for why no address is given; "" gives one."""
    opened: int = 0
    answers: "Queue[dict[str, Any]]" = field(default_factory=Queue)
    connections: list[ServerConnection] = field(default_factory=list)
    sockets: str = ""
    _tickets: set[str] = field(default_factory=set)
    _has_connected: threading.Condition = field(default_factory=threading.Condition)

    def answer(self, asked: FakeRequest) -> FakeResponse:
        if not asked.path.endswith("/apps.connections.open"):
            return FakeResponse(200, {"ok": False, "error": "unknown_method"})
        if self.refusal or asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return FakeResponse(200, {"ok": False, "error": self.refusal or "invalid_auth"})
        ticket = f"ticket-{len(self._tickets)}"
        self._tickets.add(ticket)
        return FakeResponse(200, {"ok": True, "url": f"{self.sockets}/link/?ticket={ticket}&app_id={APP}"})

    def accept(self, connection: ServerConnection) -> None:
        """One connection, until it ends."""
        assert connection.request is not None
        (ticket,) = parse_qs(urlsplit(connection.request.path).query)["ticket"]
        self._tickets.remove(ticket)
        hello = {"type": "hello", "num_connections": 1, "connection_info": {"app_id": APP}}
        connection.send(json.dumps({**hello, "debug_info": {"host": "applink", "approximate_connection_time": 3600}}))
        with self._has_connected:
            self.opened += 1
            self.connections.append(connection)
            self._has_connected.notify_all()
        try:
            for message in connection:
                self.answers.put(json.loads(message))
        except ConnectionClosed:
            pass
        finally:
            self.connections.remove(connection)

    def wait_for_connection(self, number: int) -> None:
        with self._has_connected:
            assert self._has_connected.wait_for(lambda: self.opened >= number, SECONDS)

    def send(self, payload: Mapping[str, object], envelope: str, kind: str = "interactive") -> None:
        """Over the newest connection; a dialog's answer may be answered with a payload."""
        told = {"envelope_id": envelope, "type": kind, "accepts_response_payload": True, "payload": payload}
        self.connections[-1].send(json.dumps(told))

    def ask(self, payload: Mapping[str, object], envelope: str, kind: str = "interactive") -> dict[str, Any]:
        self.send(payload, envelope, kind)
        return self.answers.get(timeout=SECONDS)

    def announce_end(self, reason: str) -> None:
        told = {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink"}}
        self.connections[-1].send(json.dumps(told))


@contextmanager
def serve_socket_mode() -> Iterator[FakeSocketMode]:
    fake = FakeSocketMode()
    server: Server = serve(fake.accept, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    fake.sockets = f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
    try:
        with serve_fake(fake):  # type: ignore[arg-type]  # it answers as the others do
            yield fake
    finally:
        server.shutdown()
        thread.join()
