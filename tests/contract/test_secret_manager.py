"""Secret Manager over REST: one request for a version, and no failure that shows a secret or a token."""

import base64
import json
import threading
from collections.abc import Iterator

import pytest

from shared.adapters.google.credentials import SecretManager
from shared.config.endpoint_overrides import EndpointOverrides
from shared.config.settings import Settings
from shared.credentials import build_secret_reader
from shared.errors import Retry
from shared.secret import Secret, SecretReference, SecretSource
from tests.support.compile_server import CompileServer

VERSION = "projects/tea/secrets/bot/versions/7"


@pytest.fixture
def stand() -> Iterator[CompileServer]:
    stand = CompileServer()
    thread = threading.Thread(target=stand.serve_forever, args=(0.01,))
    thread.start()
    yield stand
    stand.shutdown()
    thread.join()
    stand.server_close()


def manager(stand: CompileServer) -> SecretManager:
    return SecretManager(lambda: Secret("own-token"), stand.url)


def kept(data: bytes) -> bytes:
    return json.dumps({"name": VERSION, "payload": {"data": base64.b64encode(data).decode()}}).encode()


def test_a_version_is_read_with_the_functions_own_token(stand: CompileServer) -> None:
    stand.answers = [(200, kept(b"hush\n"))]
    assert manager(stand).read(VERSION).reveal() == "hush"
    assert stand.asked == [{"path": f"/v1/{VERSION}:access"}]
    assert stand.headers[0]["Authorization"] == "Bearer own-token"


@pytest.mark.parametrize(
    ("status", "text"),
    [(403, b"hush"), (404, b"hush"), (503, b"hush"), (200, b"hush"), (200, b"{}"), (200, b"[]"), (200, kept(b"\xff"))],
)
def test_what_is_no_secret_is_a_failure_that_may_pass_and_shows_nothing(
    stand: CompileServer, status: int, text: bytes
) -> None:
    stand.answers = [(status, text)]
    with pytest.raises(Retry, match=VERSION) as failed:
        manager(stand).read(VERSION)
    assert "hush" not in str(failed.value)
    assert "own-token" not in str(failed.value)


@pytest.mark.parametrize(("version", "reads"), [("7", 1), ("latest", 2)])
def test_the_latest_version_is_read_again_after_ten_minutes(stand: CompileServer, version: str, reads: int) -> None:
    """So a secret that is replaced reaches a function that never ends; a version by its number never changes."""
    moments = iter([0.0, 599.0, 600.0, 600.0])
    token = (200, json.dumps({"access_token": "own-token", "expires_in": 3600}).encode())
    stand.answers = [token, (200, kept(b"old")), token, (200, kept(b"new"))]
    settings = Settings(endpoint_overrides=EndpointOverrides(rest=stand.url))
    name = VERSION.replace("/7", f"/{version}")
    read = build_secret_reader(
        settings, SecretReference(SecretSource.SECRET_MANAGER, name), "slack.bot_token", lambda: next(moments)
    )
    values = [read().reveal() for _ in range(3)]
    assert values == (["old", "old", "new"] if reads == 2 else ["old", "old", "old"])
