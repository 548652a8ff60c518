"""Opens the adapter on a fake GitHub: a bare repository in, a client or a history out; time passes only when told."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shared.adapters.github.client import GitHub, Pace
from shared.adapters.github.credentials import FixedToken
from shared.adapters.github.history import GitHubHistory, open_history
from shared.secret import Secret
from tests.fakes.github.past import Past
from tests.fakes.github.server import REPOSITORY, FakeGitHub, serving


@dataclass
class Turned:
    """A clock that sleeping turns."""

    at: datetime = datetime(2026, 5, 1, 10, tzinfo=UTC)
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)


def client(address: str, clock: Turned | None = None) -> GitHub:
    """A client with a token of its own invention."""
    clock = clock or Turned()
    token = FixedToken(Secret("github_pat_" + "0" * 22 + "_" + "a" * 59))
    return GitHub(token, Pace(clock, clock.sleep), address)


@contextmanager
def through_api(path: Path) -> Iterator[GitHubHistory]:
    """The history of a bare repository of this machine, through the API."""
    with serving(FakeGitHub(Past(path))) as fake, open_history(client(fake.address), REPOSITORY) as history:
        yield history
