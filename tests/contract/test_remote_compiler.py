"""The compiler that asks a private function: what it does when the function fails, lies, moves or is gone."""

import json
import threading
from collections.abc import Iterator

import pytest

from shared.adapters.compilers import remote
from shared.adapters.compilers.remote import RemoteCompiler
from shared.adapters.google.credentials import MetadataServer
from shared.errors import Retry
from shared.proof.model.compilation import Compilation, Source
from shared.secret import Secret
from tests.support.compile_server import CompileServer, verdicts

GOOD = Source("app/good.py", b"x = 1\n")
BAD = Source("app/bad.py", b"x = (\n")


class FallbackCompiler:
    """A compiler that counts how often it is asked."""

    python = "3.11"
    checked_by = "ruff-0.0.0"

    def __init__(self) -> None:
        self.compiled: list[str] = []

    def prepare(self, sources: object) -> None:
        """Nothing to gain."""

    def compile(self, source: Source) -> Compilation:
        self.compiled.append(source.path)
        return Compilation(compiles=True, fault=None, checked_by=self.checked_by)


class TokenSource:
    """A stand, a compiler that asks it, and the time."""

    def __init__(self, stand: CompileServer) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self.stand = stand
        self.instead = FallbackCompiler()
        self.compiler = RemoteCompiler(
            "3.11", stand.url, self.token, self.instead, clock=lambda: self.now, sleep=self.slept.append
        )

    def token(self, audience: str) -> Secret:
        return Secret(f"token-for-{audience}")


@pytest.fixture
def world() -> Iterator[TokenSource]:
    stand = CompileServer()
    thread = threading.Thread(target=stand.serve_forever, args=(0.01,))
    thread.start()
    yield TokenSource(stand)
    stand.shutdown()
    thread.join()
    stand.server_close()


def test_expected_sources_cost_one_request_and_none_again(world: TokenSource) -> None:
    world.compiler.prepare([GOOD, BAD, GOOD])
    assert [world.compiler.compile(one).checked_by for one in (GOOD, BAD, GOOD)] == ["cpython-3.11.9"] * 3
    assert [len(asked["sources"]) for asked in world.stand.asked] == [2]  # type: ignore[arg-type]


def test_identity_token_is_sent_with_each_request(world: TokenSource) -> None:
    world.compiler.compile(GOOD)
    assert world.stand.headers[0]["Authorization"] == f"Bearer token-for-{world.stand.url}"


def test_batches_are_cut_by_number_and_by_bytes(world: TokenSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "MAX_BATCH_SOURCES", 3)
    monkeypatch.setattr(remote, "MAX_BATCH_BYTES", 100)
    world.compiler.prepare([Source(f"{n}.py", b"") for n in range(7)] + [Source(f"b{n}", b"#" * 60) for n in range(2)])
    assert [len(asked["sources"]) for asked in world.stand.asked] == [3, 3, 2, 1]  # type: ignore[arg-type]


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_passing_failure_is_tried_again(world: TokenSource, status: int) -> None:
    world.stand.answers = [(status, b"no"), (status, b"no"), (200, b"")]
    assert world.compiler.compile(GOOD).checked_by == "cpython-3.11.9"
    assert world.slept == list(remote.RETRY_PAUSES)


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 413])
def test_refusal_is_not_retried_and_the_fallback_is_named(world: TokenSource, status: int) -> None:
    world.stand.answers = [(status, b"{}")]
    assert world.compiler.compile(GOOD).checked_by == "ruff-0.0.0"
    assert world.compiler.checked_by == "ruff-0.0.0"
    assert (len(world.stand.asked), world.slept) == (1, [])
    assert world.compiler.last_failure == f"{world.stand.url} answered {status}"


def test_a_function_that_is_gone_is_left_alone_for_a_minute(world: TokenSource) -> None:
    world.stand.answers = [(503, b"no")]
    for _ in range(5):
        assert world.compiler.compile(GOOD).checked_by == "ruff-0.0.0"
    assert len(world.stand.asked) == 3
    world.stand.answers = [(200, b"")]
    world.now = remote.COOL_DOWN_SECONDS
    assert world.compiler.compile(GOOD).checked_by == "cpython-3.11.9"
    assert world.compiler.last_failure == ""


@pytest.mark.parametrize(
    "text",
    [
        b"not JSON",
        b"[]",
        b"[" * 100_000,
        b"{}",
        verdicts(0),
        verdicts(2),
        verdicts(1, version="3.12.1"),
        verdicts(1, version="3.1.11"),
        verdicts(1, implementation="pypy"),
        b'{"implementation": "cpython", "version": "3.11.9", "verdicts": [{}]}',
        b'{"implementation": "cpython", "version": "3.11.9", "verdicts": [null]}',
        b'{"implementation": "cpython", "version": "3.11.9", "verdicts": [{"ok": false}]}',
        b'{"implementation": "cpython", "version": "3.11.9", "verdicts": 7}',
    ],
)
def test_what_is_no_answer_of_that_python_is_not_believed(world: TokenSource, text: bytes) -> None:
    world.stand.answers = [(200, text)]
    assert world.compiler.compile(GOOD).checked_by == "ruff-0.0.0"


def test_a_source_without_a_verdict_says_why(world: TokenSource) -> None:
    why = "died of SIGSEGV"
    told = {"implementation": "cpython", "version": "3.11.9", "verdicts": [{"ok": None, "why": why}]}
    world.stand.answers = [(200, json.dumps(told).encode())]
    assert world.compiler.compile(GOOD) == Compilation(None, None, "cpython-3.11.9", f"cpython-3.11.9 {why}.")


def test_without_a_token_nothing_is_sent(world: TokenSource) -> None:
    def refused(audience: str) -> Secret:
        raise Retry(f"no token for {audience}")

    compiler = RemoteCompiler("3.11", world.stand.url, refused, world.instead)
    assert compiler.compile(GOOD).checked_by == "ruff-0.0.0"
    assert world.stand.asked == []


def test_no_failure_shows_the_token(world: TokenSource) -> None:
    world.stand.answers = [(500, b"no")]
    world.compiler.compile(GOOD)
    assert "token-for" not in world.compiler.last_failure + repr(world.compiler)


class TestMetadata:
    def test_an_identity_token_is_asked_once_in_half_an_hour(self, world: TokenSource) -> None:
        world.stand.answers = [(200, b"first\n"), (200, b"second\n")]
        metadata = MetadataServer(world.stand.url.removeprefix("http://"), lambda: world.now)
        tokens = []
        for world.now in (0.0, 1799.0, 1800.0):
            tokens.append(metadata.identity_token("https://compile.example/a?b").reveal())
        assert tokens == ["first", "first", "second"]
        assert world.stand.headers[0]["Metadata-Flavor"] == "Google"
        assert "audience=https%3A%2F%2Fcompile.example%2Fa%3Fb&" in str(world.stand.asked[0]["path"])

    def test_an_access_token_is_renewed_before_it_ends(self, world: TokenSource) -> None:
        world.stand.answers = [(200, b'{"access_token": "a", "expires_in": 900, "token_type": "Bearer"}')]
        metadata = MetadataServer(world.stand.url.removeprefix("http://"), lambda: world.now)
        for world.now in (0.0, 599.0, 600.0):
            assert metadata.access_token().reveal() == "a"
        assert len(world.stand.asked) == 2

    @pytest.mark.parametrize(("status", "text"), [(404, b"no"), (200, b"no"), (200, b"{}"), (200, b"[]")])
    def test_no_token_is_a_failure_that_may_pass(self, world: TokenSource, status: int, text: bytes) -> None:
        world.stand.answers = [(status, text)]
        with pytest.raises(Retry):
            MetadataServer(world.stand.url.removeprefix("http://")).access_token()
