"""The commit that is proposed: what it ships, its checks, its image, and the newer ones that failed a gate.

Where nothing is proven: the commit that may be tried, and the experiment that has proven one.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.proof.model.history import Commit, FileChange


class CheckStatus(StrEnum):
    """State of the code host's checks at a commit; `unknown` where it has none, or could not be asked."""

    GREEN = "green"
    RED = "red"
    PENDING = "pending"
    UNKNOWN = "unknown"


class ImageStatus(StrEnum):
    """Whether a commit can be deployed as it is, by the way in which its service is deployed."""

    BUILT = "built"
    MISSING = "missing"
    UNKNOWN = "unknown"
    """Nobody could be asked, or a place that may hold it refused: never a reason to refuse a commit."""
    NOT_NEEDED = "not_needed"
    """The deployment builds it."""


@dataclass(frozen=True, slots=True)
class ImageCheck:
    """Whether a commit has an image; `detail` is one phrase where it has none, or nobody knows."""

    status: ImageStatus
    detail: str = ""


NO_IMAGE_NEEDED = ImageCheck(ImageStatus.NOT_NEEDED)
IMAGE_GATE = "image"
"""The name of the last gate: a commit that fails it has passed every other one."""


@dataclass(frozen=True, slots=True)
class OtherBrokenFile:
    """Another file of the deployed tree that fails to compile: the next outage."""

    path: str
    line: int | None
    message: str


@dataclass(frozen=True, slots=True)
class RefusedCommit:
    """A newer commit that was not chosen, and the gate that it failed."""

    commit: Commit
    gate: str
    detail: str


@dataclass(frozen=True, slots=True)
class Target:
    """The newest commit on the deploy branch that passes every gate."""

    commit: Commit
    checks: CheckStatus
    commits_after_deployed: int
    newly_broken: tuple[OtherBrokenFile, ...]
    """Always empty for a commit that is proposed: kept in the report to show that it was looked at."""
    shipped_changes: tuple[FileChange, ...]
    """Files that differ between the deployed commit and this one."""
    refused_commits: tuple[RefusedCommit, ...] = ()
    """Newer commits that failed a gate, newest first."""
    image: ImageCheck = NO_IMAGE_NEEDED


@dataclass(frozen=True, slots=True)
class TrialCandidate:
    """The newest commit on the deploy branch that passes every gate and contains a possible fix; nothing is proven."""

    target: Target
    possible_fix: Commit
    """The commit for which it is tried; newer ones ship with it."""
    reason: str
    """Why that one is suspected to be a fix: a clause, such as `it changes … since the failure`."""
    deployed: str
    """Full id of the commit that the failing revision runs: the gates compare with it."""
    python: str
    """The minor version on which the gates compiled, such as `3.11`."""
    traced: tuple[str, ...] = ()
    """Files of the repository that the traceback names, the one that raised first."""


@dataclass(frozen=True, slots=True)
class ExperimentRound:
    """The same probe of two revisions, one right after the other; each answer as the probe words it."""

    at: datetime
    serving: str
    tried: str


@dataclass(frozen=True, slots=True)
class Experiment:
    """A trial in which the serving revision failed every time and the tried one held every time."""

    commit: str
    serving_revision: str
    tried_revision: str
    rounds: tuple[ExperimentRound, ...]
