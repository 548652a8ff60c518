"""Which of several versions was there when a failure was logged: versions of files in, the likeliest one out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from shared.proof.locating.branch_states import BranchStates
from shared.proof.model.compilation import Fault
from shared.proof.model.history import Commit


class Presence(IntEnum):
    """How a version stood to the deploy branch when it was logged; the higher, the likelier it was deployed."""

    COMMITTED_LATER = 0
    """Committed only afterwards: it can have been deployed from an uncommitted tree alone."""
    NOT_CURRENT = 1
    """There, but not what the branch held: replaced by then, or not merged yet. Or the log does not tell when."""
    CURRENT = 2
    """What the branch held."""


@dataclass(frozen=True, slots=True)
class FailingVersion:
    """A version of a file that fails as logged."""

    commit: Commit
    path: str
    blob: str
    fault: Fault


def choose_likeliest(
    branch_states: BranchStates, versions: Sequence[FailingVersion], seen_at: datetime | None
) -> tuple[FailingVersion, Presence]:
    """The version that the branch held at that moment, else the one that it held last, else the first one after it.

    `versions` are newest first; there is at least one.
    """
    if seen_at is None:
        return versions[0], Presence.NOT_CURRENT
    there = [each for each in versions if each.commit.committed_at <= seen_at]
    if not there:
        return min(versions, key=_get_commit_time), Presence.COMMITTED_LATER
    state = branch_states.find_state_at(seen_at)
    held = _read_branch_blobs(branch_states, state, {each.path for each in there})
    current = [each for each in there if held.get(each.path) == each.blob]
    return _choose_newest(branch_states, state, current or there), Presence.CURRENT if current else Presence.NOT_CURRENT


def _read_branch_blobs(branch_states: BranchStates, state: Commit | None, paths: set[str]) -> dict[str, str]:
    if state is None:
        return {}
    return {path: blob for (_, path), blob in branch_states.history.blob_ids((state.id, path) for path in sorted(paths)).items()}


def _choose_newest(branch_states: BranchStates, state: Commit | None, versions: Sequence[FailingVersion]) -> FailingVersion:
    """The newest of those that the branch contained by then; of others, only where there is no such one."""
    if len(versions) > 1 and state is not None:
        lacked = branch_states.commits_missing_from(state.id)
        versions = [each for each in versions if each.commit.id not in lacked] or versions
    return max(versions, key=_get_commit_time)


def _get_commit_time(version: FailingVersion) -> datetime:
    return version.commit.committed_at
