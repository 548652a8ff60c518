"""Opens the adapter on a fake GitHub: a bare repository in, a client or a history out; time passes only when set."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from shared.adapters.github.client import GitHubClient, Timing, create_installation_tokens
from shared.adapters.github.credentials import FixedToken, GitHubApp
from shared.adapters.github.history import GitHubHistory, open_history
from shared.ports import Clock
from shared.secret import Secret
from tests.support.clock import FakeClock
from tests.support.github.git_backend import GitBackend
from tests.support.github.server import REPOSITORY, FakeGitHub, FakeRequest, FakeResponse, serve_fake


@dataclass
class SleepingClock:
    """A clock that sleeping turns."""

    current_time: datetime = datetime(2026, 5, 1, 10, tzinfo=UTC)
    pauses: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.current_time

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.current_time += timedelta(seconds=seconds)


def open_client(address: str, clock: SleepingClock | None = None) -> GitHubClient:
    """A client with a token of its own invention."""
    clock = clock or SleepingClock()
    token = FixedToken(lambda: Secret("github_pat_" + "0" * 22 + "_" + "a" * 59))
    return GitHubClient(token, Timing(clock, clock.sleep), address)


@dataclass
class TokenEndpoint:
    """Answers for `/app/installations/7/access_tokens`; each token is a new one and ends after an hour."""

    clock: Clock
    issued_tokens: list[str] = field(default_factory=list)
    signed_requests: list[str] = field(default_factory=list)

    def __call__(self, asked: FakeRequest) -> FakeResponse | None:
        if asked.path != "/app/installations/7/access_tokens":
            return None
        self.signed_requests.append(asked.headers["authorization"].removeprefix("Bearer "))
        self.issued_tokens.append(f"ghs_41_{'h' * 40}.{'p' * 400}.{len(self.issued_tokens):086}")
        ends = self.clock.now() + timedelta(hours=1)
        return FakeResponse(201, {"token": self.issued_tokens[-1], "expires_at": ends.strftime("%Y-%m-%dT%H:%M:%SZ")})


@cache
def make_app() -> GitHubApp:
    """An App with a key of its own."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.PKCS8
    pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    held = Secret(pem.decode())
    return GitHubApp("41", lambda: held, 7)


def open_installation_client(address: str, clock: SleepingClock | FakeClock) -> GitHubClient:
    """A client of the App's installation. It never waits: whatever would becomes a Retry, or tried again at once."""
    pace = Timing(clock, lambda _: None)
    return GitHubClient(create_installation_tokens(make_app(), pace, address), pace, address)


@contextmanager
def open_api_history(path: Path) -> Iterator[GitHubHistory]:
    """The history of a bare repository of this machine, through the API."""
    with (
        serve_fake(FakeGitHub(GitBackend(path))) as fake,
        open_history(open_client(fake.address), REPOSITORY) as history,
    ):
        yield history
