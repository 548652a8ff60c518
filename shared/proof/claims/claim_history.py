"""One claim through history: the commit that introduced its failure, those that tried to mend it, the first that does.

The search walks the path-limited graph of the verdicts' inputs. These grow as further commits are judged, so it is
repeated until they do not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from shared.proof.claims.claim import ClaimState
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
    """What became of the claim after the deployed commit."""

    commits: Sequence[Commit]
    """All that the branch has and the deployed commit has not, children before parents."""
    later_ids: frozenset[str]
    """Those of them that descend from the deployed commit."""
    holds_at: Mapping[str, bool | None]
    """For each commit of `later_ids`."""
    changing_commits: Sequence[Commit]
    """Those of them that fail and changed an input, children before parents."""

    def find_fix(self, verdicts: ClaimVerdicts) -> Commit | None:
        """The first commit at which the claim holds, as both witnesses say."""

        def holds(commit: str) -> bool | None:
            return verdicts.confirm_commit(commit).holds if self.holds_at.get(commit) else False

        return find_first_holding(self.commits, self.later_ids, holds)

    def list_attempts(self, fix: Commit | None) -> list[Commit]:
        """The commits before the fix (without one: all) that changed an input and still fail, oldest first."""
        parents = {commit.id: commit.parents for commit in self.commits}
        before_fix = find_ancestors([fix.id], parents) if fix is not None else self.later_ids
        return [commit for commit in reversed(self.changing_commits) if commit.id in before_fix]


def follow_claim(history: History, verdicts: ClaimVerdicts, file_history: FileHistory, branch: Branch) -> ClaimLineage:
    """Judges the claim at every commit after the deployed one that can change the answer.

    `file_history` is the claim's file from the deployed commit on: its names are followed.
    """
    verdicts.add_names(file_history.names)
    verdicts.judge_commit(file_history.start)
    while True:
        walked = verdicts.walked_paths
        graph = _walk_graph(history, walked, [branch.head], [file_history.start])
        holds_at = _judge_lineage(verdicts, file_history, frozenset(version.commit.id for version in graph))
        if verdicts.walked_paths == walked or len(walked) > _MAX_PATHS:
            break
    later = [version.commit for version in graph if version.commit.id in file_history.later_ids]
    changing = [commit for commit in later if holds_at[commit.id] is False and _changes_input(verdicts, commit)]
    return ClaimLineage(file_history.commits, file_history.later_ids, holds_at, changing)


def _walk_graph(
    history: History, walked: frozenset[str], tips: Sequence[str], excluding: Sequence[str] = ()
) -> Sequence[FileVersion]:
    return history.file_versions(sorted(walked)[:_MAX_PATHS], tips, excluding) if walked else ()


def _judge_lineage(
    verdicts: ClaimVerdicts, file_history: FileHistory, touched: frozenset[str]
) -> Mapping[str, bool | None]:
    """A commit that touches no input has what its parents have, where all of them are known and agree."""
    holds_at: dict[str, bool | None] = {file_history.start: verdicts.holds(file_history.start)}
    for commit in reversed(file_history.commits):
        if commit.id not in file_history.later_ids:
            continue
        answers = {holds_at.get(parent, "elsewhere") for parent in commit.parents}
        inherited = next(iter(answers)) if len(answers) == 1 else "differs"
        if commit.id in touched or isinstance(inherited, str):
            holds_at[commit.id] = verdicts.holds(commit.id)
        else:
            holds_at[commit.id] = inherited
    return holds_at


def _changes_input(verdicts: ClaimVerdicts, commit: Commit) -> bool:
    """Whether a commit made something of which none of its parents had the like."""
    return not any(verdicts.has_same_inputs(commit.id, parent) for parent in commit.parents)


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
        if verdicts.walked_paths == walked and verdicts.names == names:
            return _check_origin(history, verdicts, origin)
    return replace(origin, is_incomplete=True)


def _check_origin(history: History, verdicts: ClaimVerdicts, origin: ClaimOrigin) -> ClaimOrigin:
    """The origin, as incomplete where a parent of it is not known to hold: then the walk has missed a commit."""
    [commit] = history.first_parents(origin.commit.id, 1)
    if origin.is_incomplete or all(verdicts.holds(parent) for parent in commit.parents):
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
    is_unknown = any(state.verdict.state is ClaimState.UNKNOWN for state in before)
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
