"""Google's APIs over REST when they fail: what may be repeated is, a change never, and nothing is guessed."""

import json
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import pytest

from shared.adapters.google import rest_client
from shared.adapters.google.credentials import UserCredentials
from shared.adapters.google.firestore_store import FirestoreStore
from shared.adapters.google.pubsub import PubSubBus
from shared.adapters.google.rest_client import ApiRefusal, Endpoint, RestClient, resolve_endpoint
from shared.errors import Retry, UsageError
from shared.secret import Secret

HANG_UP = b""
"""The connection ends without an answer."""
RESET = b"RST"
"""It is reset, with the request in the server's hands."""
LATER = b"HTTP/1.1 503 X\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"


def answer(body: object, code: int = 200) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (code, len(content), content)


def error(code: int, status: str) -> bytes:
    return answer({"error": {"code": code, "status": status, "message": "no"}}, code)


@dataclass
class Scripted:
    """Answers each request with the next of `answers`; keeps what it was asked."""

    answers: list[bytes]
    host: str = ""
    asked: list[bytes] = field(default_factory=list)
    connections: int = 0

    def serve(self, listening: socket.socket) -> None:
        while self.answers:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            self.connections += 1
            with connection, connection.makefile("rb") as lines:
                while self.answers and self._one(connection, lines):
                    pass

    def _one(self, connection: socket.socket, lines: BinaryIO) -> bool:
        head = b"".join(iter(lines.readline, b"\r\n")) if lines.peek(1) else b""  # type: ignore[attr-defined]
        if not head:
            return False
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        self.asked.append(head + b"\r\n" + lines.read(length))
        reply = self.answers.pop(0)
        if reply == RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        connection.sendall(reply)
        return reply != HANG_UP and b"Content-Length" in reply


@contextmanager
def scripted(*answers: bytes) -> Iterator[Scripted]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(30)
        server = Scripted(list(answers), f"127.0.0.1:{listening.getsockname()[1]}")
        thread = threading.Thread(target=server.serve, args=(listening,))
        thread.start()
        yield server
        server.answers.clear()
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(30)
    assert not thread.is_alive()


def store(server: Scripted) -> FirestoreStore:
    return FirestoreStore("shore", seconds=5, emulator=server.host)


FOUND = {
    "name": "projects/shore/databases/(default)/documents/boats/heron",
    "fields": {"json": {"stringValue": "{}"}, "writes": {"integerValue": "1"}},
    "updateTime": "2026-04-07T08:00:00.123456Z",
}


@pytest.mark.parametrize(
    "lost",
    [HANG_UP, RESET, b"HTTP/1.1 200", answer(b"<html>"), error(503, "UNAVAILABLE"), answer(b"", 502), LATER],
)
class TestLost:
    def test_a_write_goes_out_once_and_asks_to_look_again(self, lost: bytes) -> None:
        with scripted(lost, answer({})) as server:
            kept = store(server)
            with pytest.raises(Retry):
                kept.create("boats", "heron", {})
            assert len(server.asked) == 1
            kept.close()

    def test_a_read_is_repeated(self, lost: bytes) -> None:
        with scripted(lost, answer([{"found": FOUND}])) as server:
            kept = store(server)
            read = kept.read("boats", "heron")
            assert read is not None
            assert read.version == "1@2026-04-07T08:00:00.123456Z"
            assert len(server.asked) == 2
            kept.close()

    def test_a_message_is_published_until_it_is_taken(self, lost: bytes) -> None:
        with scripted(lost, lost, answer({"messageIds": ["1"]})) as server:
            bus = PubSubBus("shore", seconds=5, emulator=server.host)
            bus.publish("tick", {"a": "b"})
            assert len(server.asked) == 3
            bus.close()


@pytest.mark.parametrize("status", ["PERMISSION_DENIED", "UNAUTHENTICATED", "INVALID_ARGUMENT"])
def test_a_refusal_is_neither_repeated_nor_taken_for_a_lost_race(status: str) -> None:
    with scripted(*[error(403, status)] * 3) as server:
        kept, bus = store(server), PubSubBus("shore", seconds=5, emulator=server.host)
        with pytest.raises(ApiRefusal, match=status):
            kept.create("boats", "heron", {})
        with pytest.raises(ApiRefusal, match=status):
            kept.read("boats", "heron")
        kept.close()
        with pytest.raises(ApiRefusal, match=status):
            bus.publish("tick", {})
        bus.close()
        assert len(server.asked) == 3


@pytest.mark.parametrize("status", ["ABORTED", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"])
def test_what_may_work_later_is_left_to_the_next_delivery(status: str) -> None:
    with scripted(*[error(409, status)] * 2) as server:
        kept, bus = store(server), PubSubBus("shore", seconds=5, emulator=server.host)
        with pytest.raises(Retry, match=status):
            kept.read("boats", "heron")
        kept.close()
        with pytest.raises(Retry, match=status):
            bus.publish("tick", {})
        bus.close()
        assert len(server.asked) == 2


def test_an_error_within_a_stream_is_one() -> None:
    with scripted(answer([{"error": {"code": 403, "status": "PERMISSION_DENIED"}}])) as server:
        kept = store(server)
        with pytest.raises(ApiRefusal):
            kept.find("boats", "state", "moored")
        kept.close()


def test_a_connection_is_kept_and_an_old_one_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(*[answer({})] * 4) as server:
        kept = store(server)
        for key in "ab":
            kept.create("boats", key, {})
        assert server.connections == 1
        monkeypatch.setattr(rest_client, "_MAX_IDLE_SECONDS", -1.0)
        kept.create("boats", "c", {})
        assert server.connections == 2
        kept.close()


def test_a_connection_that_the_server_ended_meanwhile_carries_no_write() -> None:
    ends = answer({}).replace(b"Content-Length", b"content-length")  # the client is not told that it is the last
    with scripted(ends, answer({})) as server:
        kept = store(server)
        kept.create("boats", "a", {})
        host, _, port = server.host.partition(":")
        with socket.create_connection((host, int(port)), 30) as later:  # served only when the first has ended
            later.shutdown(socket.SHUT_WR)
            assert later.recv(1) == b""
        kept.create("boats", "b", {})
        assert len(server.asked) == 2
        kept.close()


def test_a_redirection_is_a_refusal_and_takes_no_token_elsewhere() -> None:
    with scripted(answer({})) as elsewhere:
        moved = b"HTTP/1.1 307 X\r\nLocation: http://%b/\r\nContent-Length: 0\r\n\r\n" % elsewhere.host.encode()
        with scripted(moved) as server:
            kept = store(server)
            with pytest.raises(ApiRefusal, match="307"):
                kept.create("boats", "heron", {})
            kept.close()
        assert elsewhere.asked == []


def test_foreign_version_is_refused_before_sending() -> None:
    with scripted(answer({})) as server:
        kept = store(server)
        for version in ("1", "x@2026-01-01T00:00:00Z", '1@2026"}', ""):
            with pytest.raises(ValueError, match="no version"):
                kept.replace("boats", "heron", {}, version)
        assert server.asked == []
        kept.close()


def test_google_is_asked_with_tls_and_a_token_and_an_emulator_with_neither() -> None:
    assert resolve_endpoint("x.googleapis.com", "", lambda: Secret("t")).is_plain_http is False
    assert resolve_endpoint("x.googleapis.com", "127.0.0.1:1", lambda: Secret("t")).token().reveal() == "owner"
    with pytest.raises(ValueError, match="token"):
        resolve_endpoint("x.googleapis.com", "", None)
    with scripted(answer({})) as server:
        asking = RestClient(Endpoint(server.host, lambda: Secret("0ddba11"), is_plain_http=True), 5)
        asking.post("/v1/x", {})
        assert b"\r\nAuthorization: Bearer 0ddba11\r\n" in server.asked[0]
        asking.close()
    with socket.create_server(("127.0.0.1", 0)) as listening:  # speaks no TLS: nothing is sent in the clear
        there = f"127.0.0.1:{listening.getsockname()[1]}"
        asking = RestClient(resolve_endpoint(there, "", lambda: Secret("0ddba11")), 0.5)
        with pytest.raises(Retry):
            asking.post("/v1/x", {})
        connection, _ = listening.accept()
        with connection:
            assert b"0ddba11" not in connection.recv(4096)
        asking.close()


@pytest.mark.parametrize(("sizes", "requests"), [([1], 1), ([1] * 1001, 2), ([3 << 20, 3 << 20, 1], 2), ([], 0)])
def test_many_messages_share_a_request(sizes: Sequence[int], requests: int) -> None:
    with scripted(*[answer({})] * requests, answer({})) as server:
        bus = PubSubBus("shore", seconds=5, emulator=server.host)
        bus.publish_raw("log-entries", (b"x" * size for size in sizes), {"a": "b"})
        assert len(server.asked) == requests
        sent = [json.loads(each.partition(b"\r\n\r\n")[2])["messages"] for each in server.asked]
        assert sum(map(len, sent)) == len(sizes)
        assert all(message["attributes"] == {"a": "b"} for some in sent for message in some)
        bus.close()


def test_without_credentials_of_ones_own_the_sentence_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(UsageError, match="gcloud auth application-default login"):
        UserCredentials()()
