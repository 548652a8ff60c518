"""Computes the history of a path as `git log --full-history --parents --date-order -- path` does.

From commits with their real parents and the state of some paths at each, it derives the order, the commits that changed
the state (merges included), and their parents rewritten to such commits.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from shared.proof.model.history import Commit

PathState = tuple[str | None, ...]
"""The blob of each path at a commit."""


def find_reachable(starts: Iterable[str], commits: Mapping[str, Commit]) -> dict[str, Commit]:
    """Commits that can be reached from `starts`, as far as they are known."""
    reachable: dict[str, Commit] = {}
    waiting = list(starts)
    while waiting:
        oid = waiting.pop()
        if oid in commits and oid not in reachable:
            reachable[oid] = commits[oid]
            waiting.extend(commits[oid].parents)
    return reachable


def sort_by_date(commits: Mapping[str, Commit]) -> list[Commit]:
    """Children before parents, otherwise the newest first; of equals, the one that was met first."""
    waits_for = dict.fromkeys(commits, 0)
    for commit in commits.values():
        for parent in commit.parents:
            if parent in waits_for:
                waits_for[parent] += 1
    tips = sorted((commit for commit in commits.values() if waits_for[commit.id] == 0), key=_get_age_key)
    ready = [(_get_age_key(commit), index, commit.id) for index, commit in enumerate(tips)]
    heapq.heapify(ready)
    met, ordered = len(ready), []
    while ready:
        commit = commits[heapq.heappop(ready)[2]]
        ordered.append(commit)
        for parent in commit.parents:
            if parent in waits_for:
                waits_for[parent] -= 1
                if waits_for[parent] == 0:
                    heapq.heappush(ready, (_get_age_key(commits[parent]), met, parent))
                    met += 1
    return ordered


def _get_age_key(commit: Commit) -> float:
    return -commit.committed_at.timestamp()


def simplify_history(
    commits: Mapping[str, Commit], without: frozenset[str], state: Callable[[str], PathState]
) -> list[Commit]:
    """The path-limited graph of `commits`; `without` are commits that are known and not wanted."""
    included = {oid: commit for oid, commit in commits.items() if oid not in without}
    kept_ids = {oid for oid, commit in included.items() if _is_kept(commit, included, state)}
    return [
        replace(commit, parents=_rewrite_parents(commit, included, kept_ids))
        for commit in sort_by_date(included)
        if commit.id in kept_ids
    ]


def _is_kept(commit: Commit, included: Mapping[str, Commit], state: Callable[[str], PathState]) -> bool:
    """Merges that join wanted histories are kept whatever they changed; see `get_commit_action` in git's revision.c."""
    own_state = state(commit.id)
    if not commit.parents:
        return any(own_state)
    inner = [parent for parent in commit.parents if parent in included]
    if len(inner) > 1:
        return True
    return any(state(parent) != own_state for parent in inner or commit.parents)


def _rewrite_parents(commit: Commit, included: Mapping[str, Commit], kept_ids: set[str]) -> tuple[str, ...]:
    parents: dict[str, None] = {}
    for parent in commit.parents:
        ancestor: str | None = parent
        while ancestor is not None and ancestor in included and ancestor not in kept_ids:
            inner = [oid for oid in included[ancestor].parents if oid in included]
            ancestor = inner[0] if inner else None
        if ancestor is not None and ancestor in kept_ids:
            parents[ancestor] = None
    return tuple(parents)


def link_commits(versions: Sequence[tuple[Commit, PathState, Sequence[PathState]]]) -> list[Commit]:
    """The graph of a long history, of which only the commits that changed the paths are known, newest first.

    Each comes with its state and the states of its real parents. Its parents become, for each real one, the nearest
    older version with that very state: between the two nothing changed.
    """
    ordered = []
    for index, (commit, _, befores) in enumerate(versions):
        older = versions[index + 1 :]
        nearest = (next((other.id for other, state, _ in older if state == before), None) for before in befores)
        ordered.append(replace(commit, parents=tuple(dict.fromkeys(oid for oid in nearest if oid is not None))))
    return ordered


def find_commits_between(tip: str, base: str, commits: Mapping[str, Commit]) -> dict[str, Commit] | None:
    """What `tip` reaches and `base` does not; None where too little of the graph is known to say."""
    if tip not in commits or base not in commits:
        return None
    above, below = find_reachable([tip], commits), find_reachable([base], commits)
    known = {**above, **below}
    if any(parent not in known for commit in known.values() for parent in commit.parents):
        return None
    return {oid: commit for oid, commit in above.items() if oid not in below}
