"""Searches a commit graph for where a predicate stopped and began to hold; it never knows what the predicate asks.

`holds(commit)` returns True, False, or None where the commit could not be judged.
A predicate is asked only where the answer is needed. Oldest and newest go by committer date within the graph's order.

`BranchStates` are the states that a deploy branch was in: the commits to which the branch itself pointed, its head's
chain of first parents. What came in by a merge is part of the branch, but the branch was never in that state: it was
never deployed from there, and is never proposed.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.proof.model.history import Commit
from shared.proof.model.ports import History

Predicate = Callable[[str], bool | None]


def find_first_failing(
    start: str, parents: Mapping[str, Sequence[str]], holds: Predicate, is_unchanged: Callable[[str, str], bool]
) -> str:
    """Follows the failure from `start` (where it fails) back to the commit whose parents do not fail.

    At a merge that joins several failing parents the failure came from the one that the merge left as it was
    (`same(parent, commit)`), else from the first of them.
    """
    current = start
    while failing := [parent for parent in parents.get(current, ()) if holds(parent) is False]:
        current = next((parent for parent in failing if is_unchanged(parent, current)), failing[0])
    return current


def find_descendants(start: str, commits: Sequence[Commit]) -> frozenset[str]:
    """The ids among `commits` (children before parents) that descend from `start`; without `start` itself."""
    descendants = {start}
    for commit in reversed(commits):
        if any(parent in descendants for parent in commit.parents):
            descendants.add(commit.id)
    return frozenset(descendants - {start})


def find_ancestors(starts: Iterable[str], parents: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """The ids in `parents` that are reachable from `starts`, with those of `starts` that are in `parents`."""
    ancestors: set[str] = set()
    waiting = list(starts)
    while waiting:
        current = waiting.pop()
        if current in parents and current not in ancestors:
            ancestors.add(current)
            waiting.extend(parents[current])
    return frozenset(ancestors)


def sort_oldest_first(commits: Sequence[Commit], wanted_ids: frozenset[str]) -> Iterator[Commit]:
    """The commits of `among`, parents before children, otherwise by committer date."""
    by_id = {commit.id: commit for commit in commits if commit.id in wanted_ids}
    children: dict[str, list[str]] = {}
    waits_for: dict[str, int] = {}
    for commit in by_id.values():
        inner = {parent for parent in commit.parents if parent in by_id}
        waits_for[commit.id] = len(inner)
        for parent in inner:
            children.setdefault(parent, []).append(commit.id)
    ready = [(by_id[oid].committed_at, oid) for oid, count in waits_for.items() if count == 0]
    heapq.heapify(ready)
    while ready:
        _, oid = heapq.heappop(ready)
        yield by_id[oid]
        for child in children.get(oid, ()):
            waits_for[child] -= 1
            if waits_for[child] == 0:
                heapq.heappush(ready, (by_id[child].committed_at, child))


def find_first_holding(commits: Sequence[Commit], wanted_ids: frozenset[str], holds: Predicate) -> Commit | None:
    """The first commit of `among` at which the predicate holds: none of its ancestors in `among` does."""
    return next((commit for commit in sort_oldest_first(commits, wanted_ids) if holds(commit.id)), None)


def walk_newest_first(commits: Sequence[Commit], head: str, wanted_ids: frozenset[str]) -> Iterator[Commit]:
    """The commits of `among` that the branch itself was at, newest first.

    A branch's own states are its chain of first parents; a commit that came in by a merge was never its head.
    """
    by_id = {commit.id: commit for commit in commits}
    current: str | None = head
    while current is not None and current in by_id:
        if current in wanted_ids:
            yield by_id[current]
        current = next(iter(by_id[current].parents), None)


def contains_commit(history: History, commit: str, ancestor: str) -> bool:
    """Whether `ancestor` is `commit` or one of its ancestors: by the graph, never by time."""
    return commit == ancestor or not history.commits(ancestor, commit)


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
