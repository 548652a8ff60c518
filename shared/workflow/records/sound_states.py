"""The stored states that were found sound: the last commit of each deploy branch, the last revision of each service.

Also which revisions of a service had traffic, and how many commits of forks were checked today.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from shared.service import Service
from shared.workflow.context import Context
from shared.workflow.records.documents import Collection, EmptyForNone

MAX_FORK_CHECKS = 50
"""Commits of forks that are checked for one service on one day (UTC): any user can send them."""


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


_MAX_REVISIONS = 50


@dataclass(frozen=True, slots=True)
class ServingState:
    """`revisions`: those that had traffic, oldest first; each is checked once. `sound`: the last that was sound.

    The first revision that is seen counts as sound: what serves when provenfix begins to look is what later revisions
    are compared with.
    """

    revisions: tuple[str, ...] = ()
    sound: str = ""

    def add(self, revision: str, *, is_sound: bool = False) -> "ServingState":
        """With one more revision."""
        known = self.revisions if revision in self.revisions else (*self.revisions, revision)
        return ServingState(known[-_MAX_REVISIONS:], revision if is_sound else self.sound)


SERVING_STATES = Collection("serving_states", ServingState)


def load_serving_state(context: Context, service: Service) -> ServingState:
    """An empty one where nothing was seen yet."""
    return SERVING_STATES.read(context.store, service.id) or ServingState()


def store_revision(context: Context, service: Service, revision: str, *, is_sound: bool = False) -> ServingState:
    """Stores that a revision has traffic and is asked about, or that it was found sound."""
    return SERVING_STATES.change(
        context.store, service.id, lambda known: known.add(revision, is_sound=is_sound), ServingState()
    )


def store_first_revisions(context: Context, service: Service, revisions: tuple[str, ...], sound: str) -> None:
    """Stores what serves when a service is looked at for the first time."""
    first = ServingState(revisions, sound)
    SERVING_STATES.change(
        context.store, service.id, lambda known: known if known.revisions else replace(first), ServingState()
    )
