"""The states that a deploy branch was in: the commits to which the branch itself pointed.

They are the head's chain of first parents. What came in by a merge is part of the branch, but the branch was never in
that state: it was never deployed from there, and is never proposed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.proof.model.commit_graph import find_descendants
from shared.proof.model.history import Commit
from shared.proof.model.ports import History

_INITIAL_LIMIT = 50
_LIMIT_FACTOR = 8
"""A moment is mostly a recent one: the chain is read so many times further where it is not."""


@dataclass(slots=True)
class BranchStates:
    """The states of one branch, read as far back as they are asked for."""

    history: History
    head: str
    _first_parents: Sequence[Commit] = ()
    _is_complete: bool = False
    _missing_commits: dict[str, frozenset[str]] = field(default_factory=dict)

    def find_state_at(self, moment: datetime) -> Commit | None:
        """The state at a moment: the newest one that was committed by then; None where the branch began later."""
        while True:
            state = next((commit for commit in self._first_parents if commit.committed_at <= moment), None)
            if state is not None or self._is_complete:
                return state
            limit = len(self._first_parents) * _LIMIT_FACTOR or _INITIAL_LIMIT
            self._first_parents = self.history.first_parents(self.head, limit)
            self._is_complete = len(self._first_parents) < limit

    def commits_missing_from(self, state: str) -> frozenset[str]:
        """The commits of the branch that a state does not contain yet."""
        if state not in self._missing_commits:
            self._missing_commits[state] = frozenset(commit.id for commit in self.history.commits(self.head, state))
        return self._missing_commits[state]

    def was_at(self, commit: str) -> bool:
        """Whether the branch itself was in this state."""
        return self._walk_newer(self.history.commits(self.head, commit))[1] == commit

    def find_landing(self, commit: str) -> str | None:
        """The first state that contains a commit; None where no state does."""
        commits = self.history.commits(self.head, commit)
        newer, stop = self._walk_newer(commits)
        if stop == commit:
            return commit
        containing = find_descendants(commit, commits)
        return next((commit for commit in reversed(newer) if commit in containing), None)

    def states_before(self, commit: str, limit: int) -> Sequence[Commit]:
        """The states before a commit came in, newest first; for a commit that never did, those that it comes from."""
        commits = self.history.commits(self.head, commit)
        newer, start = self._walk_newer(commits)
        containing = find_descendants(commit, commits)
        if self.head in containing:
            start = next((commit for commit in newer if commit not in containing), start)
        if start is None:
            return ()
        states = self.history.first_parents(start, limit)
        return states[1:] if start == commit else states

    def _walk_newer(self, commits: Sequence[Commit]) -> tuple[list[str], str | None]:
        """The states among `commits`, newest first, and the next older one."""
        parents = {commit.id: commit.parents for commit in commits}
        states: list[str] = []
        current: str | None = self.head
        while current in parents and current is not None:
            states.append(current)
            current = next(iter(parents[current]), None)
        return states, current
