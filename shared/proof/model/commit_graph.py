"""Searches a commit graph for where a predicate stopped and began to hold; it never knows what the predicate asks.

`holds(commit)` returns True, False, or None where the commit could not be judged.
A predicate is asked only where the answer is needed. Oldest and newest go by committer date within the graph's order.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

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
