"""Google's APIs over REST when they fail: what may be repeated is, a change never, and nothing is guessed."""

import json
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from shared.adapters import http
from shared.adapters.google.credentials import UserCredentials
from shared.adapters.google.firestore_store import FirestoreStore
from shared.adapters.google.pubsub import PubSubBus
from shared.adapters.google.rest_client import ApiRefusal, Endpoint, RestClient, resolve_endpoint
from shared.errors import Retry, UsageError
from shared.secret import Secret
from tests.support.scripted_server import (
    HANG_UP,
    LATER,
    RESET,
    ScriptedServer,
    google_error,
    http_answer,
    serve_scripted,
)


def store(server: ScriptedServer) -> FirestoreStore:
    return FirestoreStore("shore", seconds=5, emulator=server.host)


FOUND = {
    "name": "projects/shore/databases/(default)/documents/boats/heron",
    "fields": {"json": {"stringValue": "{}"}, "writes": {"integerValue": "1"}},
    "updateTime": "2026-04-07T08:00:00.123456Z",
}


@pytest.mark.parametrize(
    "lost",
    [
        HANG_UP,
        RESET,
        b"HTTP/1.1 200",
        http_answer(b"<html>"),
        google_error(503, "UNAVAILABLE"),
        http_answer(b"", 502),
        LATER,
    ],
)
class TestLost:
    def test_a_write_goes_out_once_and_asks_to_look_again(self, lost: bytes) -> None:
        with serve_scripted(lost, http_answer({})) as server:
            kept = store(server)
            with pytest.raises(Retry):
                kept.create("boats", "heron", {})
            assert len(server.requests) == 1
            kept.close()

    def test_a_read_is_repeated(self, lost: bytes) -> None:
        with serve_scripted(lost, http_answer([{"found": FOUND}])) as server:
            kept = store(server)
            read = kept.read("boats", "heron")
            assert read is not None
            assert read.version == "1@2026-04-07T08:00:00.123456Z"
            assert len(server.requests) == 2
            kept.close()

    def test_a_message_is_published_until_it_is_taken(self, lost: bytes) -> None:
        with serve_scripted(lost, lost, http_answer({"messageIds": ["1"]})) as server:
            bus = PubSubBus("shore", seconds=5, emulator=server.host)
            bus.publish("tick", {"a": "b"})
            assert len(server.requests) == 3
            bus.close()


@pytest.mark.parametrize("status", ["PERMISSION_DENIED", "UNAUTHENTICATED", "INVALID_ARGUMENT"])
def test_a_refusal_is_neither_repeated_nor_taken_for_a_lost_race(status: str) -> None:
    with serve_scripted(*[google_error(403, status)] * 3) as server:
        kept, bus = store(server), PubSubBus("shore", seconds=5, emulator=server.host)
        with pytest.raises(ApiRefusal, match=status):
            kept.create("boats", "heron", {})
        with pytest.raises(ApiRefusal, match=status):
            kept.read("boats", "heron")
        kept.close()
        with pytest.raises(ApiRefusal, match=status):
            bus.publish("tick", {})
        bus.close()
        assert len(server.requests) == 3


@pytest.mark.parametrize("status", ["ABORTED", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"])
def test_what_may_work_later_is_left_to_the_next_delivery(status: str) -> None:
    with serve_scripted(*[google_error(409, status)] * 2) as server:
        kept, bus = store(server), PubSubBus("shore", seconds=5, emulator=server.host)
        with pytest.raises(Retry, match=status):
            kept.read("boats", "heron")
        kept.close()
        with pytest.raises(Retry, match=status):
            bus.publish("tick", {})
        bus.close()
        assert len(server.requests) == 2


def test_an_error_within_a_stream_is_one() -> None:
    with serve_scripted(http_answer([{"error": {"code": 403, "status": "PERMISSION_DENIED"}}])) as server:
        kept = store(server)
        with pytest.raises(ApiRefusal):
            kept.find("boats", "state", "moored")
        kept.close()


def test_a_connection_is_kept_and_an_old_one_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve_scripted(*[http_answer({})] * 4) as server:
        kept = store(server)
        for key in "ab":
            kept.create("boats", key, {})
        assert server.connections == 1
        monkeypatch.setattr(http, "_MAX_IDLE_SECONDS", -1.0)
        kept.create("boats", "c", {})
        assert server.connections == 2
        kept.close()


def test_a_connection_that_the_server_ended_meanwhile_carries_no_write() -> None:
    ends = http_answer({}).replace(b"Content-Length", b"content-length")  # the client does not know that it is the last
    with serve_scripted(ends, http_answer({})) as server:
        kept = store(server)
        kept.create("boats", "a", {})
        host, _, port = server.host.partition(":")
        with socket.create_connection((host, int(port)), 30) as later:  # served only when the first has ended
            later.shutdown(socket.SHUT_WR)
            assert later.recv(1) == b""
        kept.create("boats", "b", {})
        assert len(server.requests) == 2
        kept.close()


def test_a_redirection_is_a_refusal_and_takes_no_token_elsewhere() -> None:
    with serve_scripted(http_answer({})) as elsewhere:
        moved = b"HTTP/1.1 307 X\r\nLocation: http://%b/\r\nContent-Length: 0\r\n\r\n" % elsewhere.host.encode()
        with serve_scripted(moved) as server:
            kept = store(server)
            with pytest.raises(ApiRefusal, match="307"):
                kept.create("boats", "heron", {})
            kept.close()
        assert elsewhere.requests == []


def test_foreign_version_is_refused_before_sending() -> None:
    with serve_scripted(http_answer({})) as server:
        kept = store(server)
        for version in ("1", "x@2026-01-01T00:00:00Z", '1@2026"}', ""):
            with pytest.raises(ValueError, match="no version"):
                kept.replace("boats", "heron", {}, version)
        assert server.requests == []
        kept.close()


def test_google_is_asked_with_tls_and_a_token_and_an_emulator_with_neither() -> None:
    assert resolve_endpoint("x.googleapis.com", "", lambda: Secret("t")).is_plain_http is False
    assert resolve_endpoint("x.googleapis.com", "127.0.0.1:1", lambda: Secret("t")).token().reveal() == "owner"
    with pytest.raises(ValueError, match="token"):
        resolve_endpoint("x.googleapis.com", "", None)
    with serve_scripted(http_answer({})) as server:
        asking = RestClient(Endpoint(server.host, lambda: Secret("0ddba11"), is_plain_http=True), 5)
        asking.post("/v1/x", {})
        assert b"\r\nAuthorization: Bearer 0ddba11\r\n" in server.requests[0]
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
    with serve_scripted(*[http_answer({})] * requests, http_answer({})) as server:
        bus = PubSubBus("shore", seconds=5, emulator=server.host)
        bus.publish_raw("log-entries", (b"x" * size for size in sizes), {"a": "b"})
        assert len(server.requests) == requests
        sent = [json.loads(each.partition(b"\r\n\r\n")[2])["messages"] for each in server.requests]
        assert sum(map(len, sent)) == len(sizes)
        assert all(message["attributes"] == {"a": "b"} for some in sent for message in some)
        bus.close()


def test_without_credentials_of_ones_own_the_sentence_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(UsageError, match="gcloud auth application-default login"):
        UserCredentials()()
