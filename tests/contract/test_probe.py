"""The probe against real uvicorn services on loopback: each verdict is right, and within its deadline."""
# ruff: noqa: ARG001  # an ASGI application takes all three

import asyncio
import datetime
import select
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from shared.adapters.probe import NetworkProbe, ProbeTimeouts
from shared.proposal.rollout import ProbeOutcome, ProbeResult
from shared.secret import Secret
from shared.service import Service

SHORT = ProbeTimeouts(open_timeout=2.0, stay_open_seconds=0.6, close_timeout=0.3)
HASTY = ProbeTimeouts(open_timeout=0.2, stay_open_seconds=0.3, close_timeout=0.1)
SLACK = 3.0
"""Seconds that a busy machine may add."""

App = Callable[[Any, Any, Any], Any]
Serve = Callable[..., int]


class _Server(uvicorn.Server):
    """Says when it is up, so that nobody has to ask again and again."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


@contextmanager
def _served(app: App, **options: Any) -> Iterator[int]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            app, log_config=None, lifespan="off", ws="websockets-sansio", timeout_graceful_shutdown=1, **options
        )
        server = _Server(config)
        thread = Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            assert server.up.wait(20)
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(20)


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as held:
        yield lambda app, **options: held.enter_context(_served(app, **options))


def probed(url: str, patience: ProbeTimeouts = SHORT, message: str = "", status: int = 0) -> ProbeResult:
    service = Service("tide", "shore", "europe-west6", "harbour/tide", "C1", probe_url=url, probe_message=message)
    service = replace(service, probe_status=status)
    began = time.monotonic()
    answer = NetworkProbe(patience).check(service)
    assert time.monotonic() - began < patience.total + SLACK
    return answer


def ends(answer: ProbeResult) -> tuple[bool, ProbeOutcome | None, int | None]:
    """Whether a probe holds, how its connection ended, and with which code."""
    return answer.ok, answer.outcome, answer.code


async def good(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept"})
    while (heard := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": heard["text"]})


async def fails_at_once(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": 1011, "reason": "internal error"})


async def fails_at_the_first_message(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": "hello"})
    if (await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.close", "code": 1011, "reason": ""})


async def never_upgrades(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "websocket.http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "websocket.http.response.body", "body": b"<p>hello</p>"})


async def floods(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    heard = asyncio.ensure_future(receive())
    while not heard.done():
        await send({"type": "websocket.send", "text": "again"})
        await asyncio.sleep(0)
    await heard


def redirects_to(place: str) -> App:
    async def redirect(scope: Any, receive: Any, send: Any) -> None:
        kind = "http" if scope["type"] == "http" else "websocket.http"
        await send({"type": f"{kind}.response.start", "status": 307, "headers": [(b"location", place.encode())]})
        await send({"type": f"{kind}.response.body", "body": b""})

    return redirect


def test_a_service_that_works_stays_open(serve: Serve) -> None:
    answer = probed(f"ws://127.0.0.1:{serve(good)}/ws")
    assert (answer.ok, answer.outcome, answer.messages) == (True, ProbeOutcome.STAYED_OPEN, 0)


def test_a_first_message_is_said_and_its_answer_counted(serve: Serve) -> None:
    answer = probed(f"ws://127.0.0.1:{serve(good)}/ws", message='{"type": "hello"}')
    assert (answer.ok, answer.outcome, answer.messages) == (True, ProbeOutcome.STAYED_OPEN, 1)


def test_a_close_with_1011_right_after_the_connect_is_named(serve: Serve) -> None:
    answer = probed(f"ws://127.0.0.1:{serve(fails_at_once)}/ws")
    assert ends(answer) == (False, ProbeOutcome.CLOSED, 1011)
    assert answer.messages == 0
    assert "(internal error)" in answer.detail


def test_late_1011_is_only_seen_after_sending_a_message(serve: Serve) -> None:
    url = f"ws://127.0.0.1:{serve(fails_at_the_first_message)}/ws"
    assert probed(url).ok
    failed = probed(url, message="hello")
    assert ends(failed) == (False, ProbeOutcome.CLOSED, 1011)
    assert failed.messages == 1


def test_a_handler_that_crashes_breaks_off_without_a_code(serve: Serve) -> None:
    async def crashes(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        raise RuntimeError("the handler cannot be imported")

    answer = probed(f"ws://127.0.0.1:{serve(crashes)}/ws")
    assert ends(answer) == (False, ProbeOutcome.BROKE_OFF, None)
    assert answer.messages == 0


def test_who_accepts_and_never_upgrades_has_not_answered(serve: Serve) -> None:
    async def hang(scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["type"] == "websocket.connect"
        await receive()  # that is the client's going away

    answer = probed(f"ws://127.0.0.1:{serve(hang)}/ws", HASTY)
    assert ends(answer) == (False, ProbeOutcome.TIMED_OUT, None)
    assert " 0.2 s" in answer.detail


def test_a_blocked_loop_does_not_answer_pings(serve: Serve) -> None:
    released = Event()

    async def blocks(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await asyncio.sleep(0)
        released.wait(20)

    try:
        answer = probed(f"ws://127.0.0.1:{serve(blocks)}/ws")
    finally:
        released.set()
    assert ends(answer) == (False, ProbeOutcome.PING_UNANSWERED, None)


def test_a_flood_of_messages_ends_with_the_deadline(serve: Serve) -> None:
    answer = probed(f"ws://127.0.0.1:{serve(floods)}/ws")
    assert answer.ok
    assert answer.messages > 0


def test_a_redirect_is_not_followed(serve: Serve) -> None:
    elsewhere = f"ws://127.0.0.1:{serve(good)}/ws"
    answer = probed(f"ws://127.0.0.1:{serve(redirects_to(elsewhere))}/ws")
    assert ends(answer) == (False, ProbeOutcome.ANSWERED, 307)
    assert answer.location == elsewhere
    assert elsewhere in answer.detail


def test_an_answer_without_an_upgrade_is_none(serve: Serve) -> None:
    answer = probed(f"ws://127.0.0.1:{serve(never_upgrades)}/ws")
    assert ends(answer) == (False, ProbeOutcome.ANSWERED, 200)
    assert answer.location == ""


def test_a_slow_start_is_waited_for_as_long_as_there_is_patience() -> None:
    """The port listens before anything serves it, as on a platform that starts the instance for the first request."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        url = f"ws://127.0.0.1:{listening.getsockname()[1]}/ws"
        assert ends(probed(url, HASTY)) == (False, ProbeOutcome.TIMED_OUT, None)
        with listening.accept()[0]:  # that client has gone
            pass
        config = uvicorn.Config(good, log_config=None, lifespan="off", ws="websockets-sansio")
        server = _Server(config)

        def start() -> None:
            assert select.select([listening], [], [], 20)[0], "a client has come"
            server.run(sockets=[listening])

        thread = Thread(target=start)
        thread.start()
        try:
            answer = probed(url)
        finally:
            server.should_exit = True
            thread.join(20)
    assert answer.ok


def test_who_speaks_no_http_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            with listening.accept()[0] as one:
                one.recv(4096)
                one.sendall(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")

        thread = Thread(target=answer)
        thread.start()
        try:
            answered = probed(f"ws://127.0.0.1:{listening.getsockname()[1]}/ws")
        finally:
            thread.join()
    assert ends(answered) == (False, ProbeOutcome.NOT_HTTP, None)


def test_nobody_there_is_an_answer() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for url in (f"ws://127.0.0.1:{port}/ws", f"http://127.0.0.1:{port}/"):
        answer = probed(url)
        assert ends(answer) == (False, ProbeOutcome.UNREACHABLE, None)
        assert "refused" in answer.detail


def _certificate(folder: Path) -> dict[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tide")])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(7).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    form = serialization.Encoding.PEM
    (folder / "cert").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(form))
    private = key.private_bytes(form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key").write_bytes(private)
    return {"ssl_certfile": str(folder / "cert"), "ssl_keyfile": str(folder / "key")}


def test_a_certificate_that_nobody_trusts_is_a_failure(serve: Serve, tmp_path: Path) -> None:
    port = serve(good, ssl_version=ssl.PROTOCOL_TLS_SERVER, **_certificate(tmp_path))
    for scheme in ("wss", "https"):
        answer = probed(f"{scheme}://127.0.0.1:{port}/")
        assert ends(answer) == (False, ProbeOutcome.TLS_FAILED, None)
        assert "self-signed certificate" in answer.detail, "OpenSSL's words"


def test_tls_where_there_is_none_is_a_failure(serve: Serve) -> None:
    answer = probed(f"wss://127.0.0.1:{serve(good)}/")
    assert ends(answer) == (False, ProbeOutcome.TLS_FAILED, None)


def test_http_is_good_with_a_2xx_and_with_nothing_else(serve: Serve) -> None:
    answer = probed(f"http://127.0.0.1:{serve(good)}/healthz?deep=1")
    assert ends(answer) == (True, ProbeOutcome.ANSWERED, 204)
    answer = probed(f"http://127.0.0.1:{serve(redirects_to('https://login.invalid/'))}/")
    assert ends(answer) == (False, ProbeOutcome.ANSWERED, 307)
    assert answer.location == "https://login.invalid/"
    assert answer.location in answer.detail


def test_another_status_can_be_wanted(serve: Serve) -> None:
    url = f"http://127.0.0.1:{serve(good)}/healthz"
    assert probed(url, status=204).ok
    assert ends(probed(url, status=200)) == (False, ProbeOutcome.ANSWERED, 204)


def test_a_service_has_its_own_time_unless_the_probe_has_one_for_all() -> None:
    service = Service("tide", "shore", "europe-west6", "harbour/tide", "C1", probe_seconds=42)
    assert NetworkProbe().timeouts_for(service).stay_open_seconds == 42
    assert NetworkProbe(SHORT).timeouts_for(service) is SHORT


@pytest.mark.parametrize("begins", [b"", b"HTTP/1.1 200 OK\r\nServer: "])
def test_an_answer_byte_by_byte_ends_with_the_deadline(begins: bytes) -> None:
    """Also one whose status is known by then: a client would still wait for the rest."""
    ended = Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def trickle() -> None:
            with listening.accept()[0] as one:
                try:
                    one.sendall(begins)
                    while not ended.wait(0.02):
                        one.sendall(b"H")
                except OSError:
                    return

        thread = Thread(target=trickle)
        thread.start()
        try:
            answer = probed(f"http://127.0.0.1:{listening.getsockname()[1]}/", HASTY)
        finally:
            ended.set()
            thread.join()
    assert ends(answer) == (False, ProbeOutcome.TIMED_OUT, None)


def test_no_url_is_no_proof() -> None:
    assert ends(probed("")) == (False, ProbeOutcome.NO_URL, None)


def _asks_who_calls(seen: list[dict[str, str]]) -> App:
    """As Cloud Run with IAM: 403 for a caller that does not say who it is, at the platform's own header."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        seen.append(headers)
        let_in = headers.get("x-serverless-authorization") == "Bearer token for https://127.0.0.1"
        if scope["type"] == "websocket" and let_in:
            await send({"type": "websocket.accept"})
            await asyncio.sleep(5)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.http.response.start", "status": 403, "headers": []})
            await send({"type": "websocket.http.response.body", "body": b""})
        else:
            await send({"type": "http.response.start", "status": 200 if let_in else 403, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    return app


@pytest.mark.parametrize("scheme", ["ws", "http"])
def test_where_iam_asks_who_calls_the_probe_says_so_and_to_nobody_else(serve: Serve, scheme: str) -> None:
    seen: list[dict[str, str]] = []
    port = serve(_asks_who_calls(seen))
    service = replace(
        Service("tide", "shore", "europe-west6", "harbour/tide", "C1"),
        probe_url=f"{scheme}://127.0.0.1:{port}/ws",
        probe_origin="https://chat.acme.example",
    )

    def token(audience: str) -> Secret:
        return Secret(f"token for {audience}")

    assert NetworkProbe(SHORT, token, ".127.0.0.1").check(service).ok
    assert {headers["origin"] for headers in seen} == {"https://chat.acme.example"}
    assert "x-serverless-authorization" not in seen[0], "only who asks is told"
    refused = NetworkProbe(SHORT, token).check(service)
    assert (refused.outcome, refused.code) == (ProbeOutcome.ANSWERED, 403)
    assert "x-serverless-authorization" not in seen[-1]


def test_the_token_is_for_the_service_also_at_the_address_of_a_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    audiences: list[str] = []

    def token(audience: str) -> Secret:
        audiences.append(audience)
        return Secret("")

    answer = ProbeResult(ok=False, outcome=ProbeOutcome.ANSWERED, code=403)
    monkeypatch.setattr("shared.adapters.probe.probe_http", lambda *_: answer)
    service = replace(
        Service("tide", "shore", "europe-west6", "harbour/tide", "C1"),
        probe_url="https://pf-1a2b---tide-x7-ew.a.run.app/healthy",
    )
    assert NetworkProbe(SHORT, token).check(service) is answer
    assert audiences == ["https://tide-x7-ew.a.run.app"]
