"""What the platform says about revisions and deployments: what serves, from which commit, how far a rollout came."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision of a service."""

    name: str
    commit: str | None
    """The commit that it was built from, where the platform knows; None otherwise."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Serving:
    """A service as it is right now."""

    revision: Revision
    """The one that takes the largest share of the traffic."""
    traffic: Mapping[str, int]
    """Percent by revision name."""
    etag: str
    """Changes with every change of the service; an effect that names an older one is refused."""


class Progress(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A long operation of the deployer, as it stands."""

    progress: Progress
    revision: str = ""
    """The new revision, once there is one. It takes no traffic until it is given some."""
    detail: str = ""
    """One sentence where it failed."""


def next_step(steps: tuple[int, ...], share: int) -> int | None:
    """The share of traffic that comes after `share`; None where all steps were taken."""
    return next((step for step in steps if step > share), None)
