"""One claim through history: the commit that introduced its failure, those that tried to fix it, the first that does.

The search walks the path-limited graph of the verdicts' inputs. These grow as further commits are judged, so it is
repeated until they do not.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from shared.proof.claims.claim_verdicts import ClaimVerdicts
from shared.proof.model.commit_graph import find_ancestors, find_descendants, find_first_failing, find_first_holding
from shared.proof.model.history import Branch, Commit, FileVersion
from shared.proof.model.ports import History
from shared.proof.searching.file_history import FileHistory, find_renamed_file

_MAX_ROUNDS = 8
_MAX_PATHS = 200
"""Inputs by which the history is walked; a claim that depends on more is not followed to the end."""


@dataclass(frozen=True, slots=True)
class ClaimOrigin:
    """Where a claim's failure came from."""

    commit: Commit
    """The oldest failing one that could be reached."""
    path: str
    """The claim's file there."""
    is_incomplete: bool
    """Whether what was there before it is not known."""
    was_added_broken: bool = False
    """Whether the claim's file did not exist before, under no name."""
    later_failing: tuple[Commit, ...] = ()
    """Commits after it, up to the deployed one, that changed an input and still fail; oldest first."""


@dataclass(frozen=True, slots=True)
class ClaimLineage:
    """The history of the claim after the deployed commit, up to its fix."""

    fix: Commit | None
    """The first commit of the branch that descends from the deployed one and at which the claim holds."""
    attempts: Sequence[Commit]
    """Commits before the fix (without one: all) that changed an input and still fail, oldest first."""


def follow_claim(
    history: History,
    verdicts: ClaimVerdicts,
    file_history: FileHistory,
    branch: Branch,
    still_fails: Callable[[str], object] = lambda _: False,
) -> ClaimLineage:
    """Judges the claim at the commits after the deployed one that can change the answer, oldest first, up to the fix.

    `file_history` is the claim's file from the deployed commit on: its names are followed. `still_fails`: whether
    something else fails in the same way at a commit at which the claim holds.
    """
    verdicts.add_names(file_history.names)
    verdicts.judge_commit(file_history.start)
    while True:
        walked = verdicts.walked_paths
        graph = _walk_graph(history, walked, [branch.head], [file_history.start])
        search = _FixSearch(
            verdicts, file_history, branch.head, frozenset(version.commit.id for version in graph), still_fails
        )
        fix = search.find_fix()
        if verdicts.walked_paths == walked or len(walked) > _MAX_PATHS:
            return ClaimLineage(fix, search.list_attempts([version.commit for version in graph], fix))


@dataclass(slots=True)
class _FixSearch:
    """A commit that touches no input has what its parents have, where all of them are known and agree."""

    verdicts: ClaimVerdicts
    file_history: FileHistory
    head: str
    touched: frozenset[str]
    still_fails: Callable[[str], object]
    _holds_at: dict[str, bool | None] = field(default_factory=dict)
    _unexplained: set[str] = field(default_factory=set)
    """Commits at which the claim holds, and nothing shows since when."""

    def find_fix(self) -> Commit | None:
        """The first commit at which the claim holds, as both witnesses say, of those that the branch took in first."""
        self._holds_at[self.file_history.start] = self.verdicts.holds(self.file_history.start)
        commits, later_ids = self.file_history.commits, self.file_history.later_ids
        parents = {commit.id: commit.parents for commit in commits}

        def holds(commit: str) -> bool | None:
            self._holds_at[commit] = self._judge(commit, parents[commit])
            is_fixed = self._holds_at[commit] and not self.still_fails(commit)
            is_fixed = is_fixed and self.verdicts.confirm_commit(commit).holds
            return bool(is_fixed) and self._reaches_branch(commit, parents) and self._explains(commit, parents[commit])

        first = find_first_holding(commits, later_ids, holds)
        state = self._find_earlier_state(first.id, parents) if first is not None else None
        if state is None:
            return first
        return find_first_holding(commits, later_ids & find_ancestors([state], parents), holds) or first

    def _explains(self, commit: str, parents: Sequence[str]) -> bool:
        """Whether a commit is why the claim holds: not where what is before it is unknown and it changed nothing."""
        if any(self._holds_at.get(parent, False) is None for parent in parents):
            is_explained = self.verdicts.has_own_change(commit, parents)
        else:
            is_explained = not any(parent in self._unexplained for parent in parents)
        if not is_explained:
            self._unexplained.add(commit)
        return is_explained

    def _find_earlier_state(self, fix: str, parents: Mapping[str, Sequence[str]]) -> str | None:
        """The first state of the branch at which the claim holds, where the fix came into the branch only later."""
        chain = self._list_states(parents)
        landed = self._find_landing(fix, chain)
        holds: bool | None = False
        for state in reversed(chain):
            if state == landed:
                return None
            if state in self.touched or len(parents.get(state, ())) > 1:
                holds = self.verdicts.holds(state) and self.verdicts.confirm_commit(state).holds
            if holds:
                return state
        return None

    def _list_states(self, parents: Mapping[str, Sequence[str]]) -> list[str]:
        """The states of the branch after the deployed commit, newest first."""
        chain = [self.head]
        while parents.get(chain[-1]):
            chain.append(parents[chain[-1]][0])
        return [state for state in chain if state in self.file_history.later_ids]

    def _find_landing(self, commit: str, chain: Sequence[str]) -> str | None:
        """The first state of the branch that contains a commit."""
        containing = find_descendants(commit, self.file_history.commits) | {commit}
        return next((state for state in reversed(chain) if state in containing), None)

    def _reaches_branch(self, commit: str, parents: Mapping[str, Sequence[str]]) -> bool:
        """Whether it still holds at the state of the branch that a commit came in with: it may be undone before."""
        landed = self._find_landing(commit, self._list_states(parents))
        return landed is None or landed == commit or bool(self.verdicts.holds(landed))

    def _judge(self, commit: str, parents: Sequence[str]) -> bool | None:
        answers = {self._holds_at.get(parent, "elsewhere") for parent in parents}
        inherited = next(iter(answers)) if len(answers) == 1 else "differs"
        is_inherited = commit not in self.touched and not isinstance(inherited, str)
        return cast("bool | None", inherited) if is_inherited else self.verdicts.holds(commit)

    def list_attempts(self, touching: Sequence[Commit], fix: Commit | None) -> list[Commit]:
        """`touching` are the commits of the walk, children before parents; they may lack parents before its start."""
        parents = {commit.id: commit.parents for commit in self.file_history.commits}
        before_fix = find_ancestors([fix.id], parents) if fix is not None else self.file_history.later_ids
        whole = {commit.id: commit for commit in self.file_history.commits}
        walked = [whole[commit.id] for commit in touching if commit.id in whole]
        failing = [commit for commit in walked if commit.id in before_fix and self._holds_at.get(commit.id) is False]
        return [commit for commit in reversed(failing) if _changes_input(self.verdicts, commit)]


def _walk_graph(
    history: History, walked: frozenset[str], tips: Sequence[str], excluding: Sequence[str] = ()
) -> Sequence[FileVersion]:
    return history.file_versions(sorted(walked)[:_MAX_PATHS], tips, excluding) if walked else ()


def _changes_input(verdicts: ClaimVerdicts, commit: Commit) -> bool:
    """Whether a commit made something of which none of its parents had the like."""
    return verdicts.has_own_change(commit.id, commit.parents)


def trace_claim(history: History, verdicts: ClaimVerdicts, deployed: Commit) -> ClaimOrigin:
    """Follows the failure at the deployed commit back to the commit whose parents do not fail."""
    verdicts.judge_commit(deployed.id)
    for _ in range(_MAX_ROUNDS):
        walked, names = verdicts.walked_paths, verdicts.names
        graph = _walk_graph(history, walked, [deployed.id])
        if not graph:
            return ClaimOrigin(deployed, verdicts.claim.path, is_incomplete=True)
        origin = _trace_in_graph(history, verdicts, graph, deployed)
        if origin.was_added_broken:
            origin = _follow_rename(history, verdicts, origin)
        if verdicts.uncover_patch(origin.commit.id):
            continue
        if verdicts.walked_paths == walked and verdicts.names == names:
            return _check_origin(history, verdicts, origin)
    return replace(origin, is_incomplete=True)


def _check_origin(history: History, verdicts: ClaimVerdicts, origin: ClaimOrigin) -> ClaimOrigin:
    """The origin, as incomplete where a parent of it is not known to hold: then the walk has missed a commit."""
    [commit] = history.first_parents(origin.commit.id, 1)
    states = (verdicts.judge_commit(parent) for parent in commit.parents)
    if origin.is_incomplete or all(state.verdict.lacks_failure for state in states):
        return origin
    return replace(origin, is_incomplete=True)


def _trace_in_graph(
    history: History, verdicts: ClaimVerdicts, graph: Sequence[FileVersion], deployed: Commit
) -> ClaimOrigin:
    commits = {version.commit.id: version.commit for version in graph}
    parents = {version.commit.id: version.commit.parents for version in graph}
    start = deployed.id if deployed.id in commits else graph[0].commit.id
    first = find_first_failing(
        start, parents, verdicts.holds, lambda parent, commit: verdicts.has_same_inputs(commit, parent)
    )
    before = [verdicts.judge_commit(parent) for parent in parents[first]]
    scope = find_ancestors([start], parents) & find_descendants(first, [version.commit for version in graph])
    later = tuple(
        commit
        for commit in reversed(list(commits.values()))
        if commit.id in scope and verdicts.holds(commit.id) is False and _changes_input(verdicts, commit)
    )
    is_unknown = any(not state.verdict.lacks_failure and state.verdict.holds is None for state in before)
    state = verdicts.judge_commit(first)
    return ClaimOrigin(
        commits[first],
        state.path,
        is_incomplete=first in history.shallow_boundary() or is_unknown,
        was_added_broken=all(not other.path for other in before),
        later_failing=later,
    )


def _follow_rename(history: History, verdicts: ClaimVerdicts, origin: ClaimOrigin) -> ClaimOrigin:
    """Adds the name that the claim's file had before it came into being, where it was renamed."""
    [commit] = history.first_parents(origin.commit.id, 1)
    blob = history.blob_ids([(commit.id, origin.path)]).get((commit.id, origin.path), "")
    for parent in commit.parents:
        renamed = find_renamed_file(history, origin.path, blob, appeared_in=parent, not_in=commit.id)
        if renamed.path is not None:
            verdicts.add_names([renamed.path])
            return origin
        if renamed.is_unknown:
            return ClaimOrigin(origin.commit, origin.path, is_incomplete=True, later_failing=origin.later_failing)
    return origin
