"""The deployed version: how it became known, and what the log says about it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.proof.model.history import Commit


class DeployedSource(StrEnum):
    """How the deployed commit became known, best first."""

    GIVEN = "given"
    PROVENANCE = "provenance"
    LABEL = "label"
    TAG = "tag"
    ENV = "env"
    RECORD = "deployment record"
    """The code host's; it names no revision."""
    INFERRED = "inferred"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class LoggedDeployment:
    """One deployed version that the log gives away: the lines of one sighting, and the version that fails there."""

    revision: str
    line: int | None
    seen_at: datetime | None
    commit: Commit | None
    uncommitted: bool
    """True where `commit` was committed after `seen_at`: the image was built from a tree not yet committed."""


@dataclass(frozen=True, slots=True)
class DeployedVersion:
    """The version that was running when the incident was last seen to begin."""

    revision: str
    commit: Commit | None
    source: DeployedSource
    corroborated: bool
    """True only where the file at `commit` fails to compile at the logged line."""
    candidates: tuple[str, ...]
    """Every commit whose version of the file fails first on the logged line, newest first."""
    uncommitted_tree: bool
    python: str
    python_source: str
    conflict: str = ""
    """One sentence where a given commit contradicts the log; "" otherwise."""
    deployments: tuple[LoggedDeployment, ...] = ()
    """One for each sighting, oldest first; the last one is this one."""
    has_named_commit: bool = False
    """Whether anything beside the logged line names a commit as deployed, confirmed or not."""
    platform_statements: tuple[str, ...] = ()
    """What the platform says of the revision, and of those that serve beside it: a sentence for each source."""
