"""The stored states of deploy branches: the last commit of each that newly breaks nothing; and how many of forks were
checked today.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from shared.service import Service
from shared.workflow.context import Context
from shared.workflow.records.documents import Collection, EmptyForNone

MAX_FORK_CHECKS = 50
"""Commits of forks that are checked for one service on one day (UTC): anybody can send them."""


@dataclass(frozen=True, slots=True)
class BranchState:
    """`commit`: the newest one of the deploy branch that was found sound; "" where none was."""

    branch: str = ""
    commit: str = ""
    committed_at: EmptyForNone[datetime] = None


@dataclass(frozen=True, slots=True)
class ForkTally:
    """Commits of forks that were checked on one day."""

    commits: tuple[str, ...] = ()


BRANCH_STATES = Collection("branch_states", BranchState)
FORK_TALLIES = Collection("fork_tallies", ForkTally)


def load_branch_state(context: Context, service: Service, branch: str) -> BranchState:
    """The state of a service's deploy branch; an empty one where another branch was the deploy branch."""
    state = BRANCH_STATES.read(context.store, service.id)
    return state if state is not None and state.branch == branch else BranchState(branch)


def store_sound_commit(context: Context, service: Service, sound: BranchState) -> None:
    """Stores a sound commit, unless a newer one is known: deliveries arrive in any order."""

    def newest(known: BranchState) -> BranchState:
        is_newer = known.branch == sound.branch and _is_later(known.committed_at, sound.committed_at)
        return known if is_newer else sound

    BRANCH_STATES.change(context.store, service.id, newest, BranchState())


def _is_later(moment: datetime | None, other: datetime | None) -> bool:
    return moment is not None and other is not None and moment > other


def count_fork_commit(context: Context, service: Service, commit: str) -> bool:
    """Whether one more commit of a fork may be checked today; the same answer to the same commit again."""
    key = f"{service.id}.{context.clock.now().date().isoformat()}"

    def add_commit(tally: ForkTally) -> ForkTally:
        if commit in tally.commits or len(tally.commits) >= MAX_FORK_CHECKS:
            return tally
        return replace(tally, commits=(*tally.commits, commit))

    return commit in FORK_TALLIES.change(context.store, key, add_commit, ForkTally()).commits
