"""What Google's refusals mean: a token is renewed once, a young process waits for roles, `Retry-After` is obeyed."""

import time
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.api_core import exceptions

from shared.adapters.compilers.remote import MAX_WAIT_SECONDS, RETRY_PAUSES, RequestFailed, post_json
from shared.adapters.google import errors
from shared.adapters.google.credentials import CachedToken, SecretManager
from shared.adapters.google.errors import find_rule, translate_errors
from shared.adapters.google.rest_client import ApiRefusal, Endpoint, RestClient, Unavailable
from shared.adapters.http import HttpClient
from shared.errors import Reject, Retry
from shared.secret import Secret
from tests.support.scripted_server import ScriptedServer, google_error, http_answer, serve_scripted

EXPIRED = google_error(401, "UNAUTHENTICATED")
FORBIDDEN = google_error(403, "PERMISSION_DENIED")


def grpc_error(code: grpc.StatusCode) -> exceptions.GoogleAPICallError:
    error: exceptions.GoogleAPICallError = exceptions.from_grpc_status(code, "no")  # type: ignore[no-untyped-call]
    return error


class NumberedTokens:
    """Each token that is fetched has another number."""

    def __init__(self) -> None:
        self.fetched = 0
        self.token = CachedToken(self._fetch, lambda: 0.0)

    def _fetch(self) -> tuple[str, float]:
        self.fetched += 1
        return f"token-{self.fetched}", 3600.0


def rest_client(server: ScriptedServer, token: Callable[[], Secret]) -> RestClient:
    return RestClient(Endpoint(server.host, token, is_plain_http=True), 5)


def sent_tokens(server: ScriptedServer) -> list[str]:
    return [
        line.partition(b"Bearer ")[2].decode()
        for request in server.requests
        for line in request.splitlines()
        if line.lower().startswith(b"authorization:")
    ]


class TestRefusedToken:
    def test_it_is_renewed_once_and_the_request_goes_out_again(self) -> None:
        tokens = NumberedTokens()
        with serve_scripted(EXPIRED, http_answer({"ok": True}), http_answer({})) as server:
            client = rest_client(server, tokens.token)
            assert client.post("/v1/x", {}) == {"ok": True}
            client.post("/v1/x", {})
            assert sent_tokens(server) == ["token-1", "token-2", "token-2"]
            client.close()

    def test_the_new_one_may_be_refused_too_and_then_it_ends(self) -> None:
        tokens = NumberedTokens()
        with serve_scripted(EXPIRED, EXPIRED, http_answer({})) as server:
            client = rest_client(server, tokens.token)
            with pytest.raises(ApiRefusal, match="UNAUTHENTICATED"):
                client.post("/v1/x", {}, retry_for=1.0)
            assert (len(server.requests), tokens.fetched) == (2, 2)
            client.close()

    def test_one_that_is_fixed_is_not_sent_again(self) -> None:
        with serve_scripted(EXPIRED, http_answer({})) as server:
            client = rest_client(server, lambda: Secret("fixed"))
            with pytest.raises(ApiRefusal, match="UNAUTHENTICATED"):
                client.post("/v1/x", {})
            assert len(server.requests) == 1
            client.close()

    def test_a_secret_is_read_with_the_new_one(self) -> None:
        tokens = NumberedTokens()
        content = http_answer({"payload": {"data": "aHVzaA=="}})
        with serve_scripted(EXPIRED, content) as server:
            manager = SecretManager(tokens.token, f"http://{server.host}")
            assert manager.read("projects/p/secrets/s/versions/1").reveal() == "hush"
            assert sent_tokens(server) == ["token-1", "token-2"]


class TestMissingPermission:
    def test_it_is_delivered_again_while_the_process_is_young(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(errors, "PROCESS_START", time.monotonic())
        with serve_scripted(FORBIDDEN) as server:
            client = rest_client(server, lambda: Secret("t"))
            with pytest.raises(Retry, match="PERMISSION_DENIED"):
                client.post("/v1/x", {})
            client.close()
        with pytest.raises(Retry, match="PERMISSION_DENIED"), translate_errors("Cloud Run"):
            raise grpc_error(grpc.StatusCode.PERMISSION_DENIED)

    def test_it_is_final_ten_minutes_later(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(errors, "PROCESS_START", time.monotonic() - errors.GRANT_SECONDS)
        with serve_scripted(FORBIDDEN) as server:
            client = rest_client(server, lambda: Secret("t"))
            with pytest.raises(ApiRefusal, match="PERMISSION_DENIED"):
                client.post("/v1/x", {})
            client.close()
        with pytest.raises(Reject) as refused, translate_errors("Cloud Run"):
            raise grpc_error(grpc.StatusCode.PERMISSION_DENIED)
        assert refused.value.reason == "denied"

    def test_another_refusal_is_final_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(errors, "PROCESS_START", time.monotonic())
        with pytest.raises(Reject) as refused, translate_errors("Cloud Run"):
            raise grpc_error(grpc.StatusCode.NOT_FOUND)
        assert refused.value.reason == "not_found"


class TestRetryAfter:
    def test_a_read_does_not_come_before_the_time_that_it_is_told(self) -> None:
        later = b"HTTP/1.1 503 X\r\nRetry-After: 600\r\nContent-Length: 0\r\n\r\n"
        with serve_scripted(later, http_answer({})) as server:
            client = rest_client(server, lambda: Secret("t"))
            with pytest.raises(Unavailable) as refused:
                client.post("/v1/x", {}, retry_for=5.0)
            assert (refused.value.retry_after, len(server.requests)) == (600.0, 1)
            client.close()

    @pytest.mark.parametrize(("seconds", "pauses"), [(7, [7.0]), (0, [RETRY_PAUSES[0]])])
    def test_a_compiler_is_asked_again_after_it(self, seconds: int, pauses: list[float]) -> None:
        slept: list[float] = []
        busy = b"HTTP/1.1 429 X\r\nRetry-After: %d\r\nContent-Length: 0\r\n\r\n" % seconds
        with serve_scripted(busy, http_answer({"ok": True})) as server:
            url = f"http://{server.host}/"
            assert post_json(HttpClient(5), url, b"{}", Secret(""), slept.append) == {"ok": True}
        assert slept == pauses

    def test_a_compiler_that_asks_for_too_long_is_given_up(self) -> None:
        slept: list[float] = []
        busy = b"HTTP/1.1 503 X\r\nRetry-After: %d\r\nContent-Length: 0\r\n\r\n" % (MAX_WAIT_SECONDS + 1)
        with serve_scripted(busy) as server, pytest.raises(RequestFailed, match="503"):
            post_json(HttpClient(5), f"http://{server.host}/", b"{}", Secret(""), slept.append)
        assert slept == []


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK])
def test_every_status_has_its_rule_and_both_ways_follow_it(code: grpc.StatusCode) -> None:
    rule = find_rule(code.name)
    assert rule is not None
    with pytest.raises((Retry, Reject)) as raised, translate_errors("Cloud Run"):
        raise grpc_error(code)
    assert (raised.value.reason if isinstance(raised.value, Reject) else "") == rule.reason
    with serve_scripted(google_error(400, code.name)) as server:
        client = rest_client(server, lambda: Secret("t"))
        is_final = bool(rule.reason) and code is not grpc.StatusCode.ABORTED
        with pytest.raises(ApiRefusal if is_final else Retry):
            client.post("/v1/x", {})
        client.close()


@pytest.mark.parametrize(("code", "error"), [(403, Reject), (429, Retry), (500, Retry), (418, Retry)])
def test_an_error_without_a_status_is_known_by_its_code(code: int, error: type[Any]) -> None:
    with pytest.raises(error), translate_errors("Cloud Run"):
        raise exceptions.from_http_status(code, "no")  # type: ignore[no-untyped-call]
