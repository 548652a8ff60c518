"""Chooses what to propose: the first fixing commit, and the newest commit that passes every gate."""

from collections.abc import Callable, Sequence
from difflib import SequenceMatcher

from shared.proof.gating.choose_newest import TargetChoice, choose_newest
from shared.proof.gating.gates import GateFailure, Gates
from shared.proof.gating.remaining_loads import find_remaining_load
from shared.proof.judging.compile_verdicts import CompileVerdicts
from shared.proof.loading.commit_tree import find_changed_paths
from shared.proof.model.commit_graph import (
    BranchStates,
    find_ancestors,
    find_descendants,
    find_first_holding,
    walk_newest_first,
)
from shared.proof.model.compilation import split_source_lines
from shared.proof.model.finding import Fix
from shared.proof.model.history import Branch, Commit, FileChange
from shared.proof.model.ports import History
from shared.proof.model.target import Target
from shared.proof.searching.explain_failure import cut_excerpt
from shared.proof.searching.file_history import FileHistory
from shared.proof.searching.introducing_commit import BreakOrigin, FileAtCommit

_MAX_MAPPED_LINES = 20_000
"""Lines; beyond this the comparison would take longer than it is worth."""


def map_line(before: Sequence[str], after: Sequence[str], line: int) -> int:
    """The line of `after` (from 1) that corresponds to `line` of `before`, by the edits between them."""
    if max(len(before), len(after)) > _MAX_MAPPED_LINES:
        return min(line, max(1, len(after)))
    for _, old_start, old_end, new_start, new_end in SequenceMatcher(None, before, after).get_opcodes():
        if old_start < line <= old_end:
            return min(new_start + (line - old_start), max(new_start + 1, new_end))
    return min(line, max(1, len(after)))


_MAX_COUNTED_FILES = 1_000
"""Files of a diffstat whose lines are counted."""

_MAX_ROLLBACK_STATES = 200
"""States of the branch that are tried for a rollback."""


def is_fixed_at(file_history: FileHistory, verdicts: CompileVerdicts, commit: str) -> bool | None:
    """Whether the file compiles, under all its names, at a commit of the lineage; it does where it is gone."""
    return (
        None
        if file_history.is_lost and not file_history.blobs_at[commit]
        else verdicts.all_compile(file_history.blobs_at[commit])
    )


def find_fix(file_history: FileHistory, verdicts_at: Callable[[str], CompileVerdicts], gates: Gates) -> Commit | None:
    """The first commit after the deployed one, on the branch, at which the file compiles, or is gone for good.

    `verdicts_at` gives the verdicts on the Python of a commit.
    """

    def is_fixed(commit: str) -> bool:
        if not is_fixed_at(file_history, verdicts_at(commit), commit):
            return False
        if file_history.blobs_at[commit]:
            return True
        return not find_remaining_load(gates.loaded_files.get_state(commit).closure, file_history.names)

    return find_first_holding(file_history.commits, file_history.later_ids, is_fixed)


def list_attempts(
    file_history: FileHistory, verdicts: CompileVerdicts, origin: BreakOrigin, fix: Commit | None
) -> list[FileAtCommit]:
    """Versions between the break and the fix (without one: the branch's head) that still fail, oldest first."""
    parents = {commit.id: commit.parents for commit in file_history.commits}
    before_fix = find_ancestors([fix.id], parents) if fix is not None else file_history.later_ids
    later = [
        FileAtCommit(commit, path, blob)
        for commit in reversed(file_history.changing_commits)
        if commit.id in before_fix
        for path, blob in file_history.blobs_at[commit.id].items()
        if verdicts.judge(blob, path).compiles is False
    ]
    return [*origin.later_failing, *later]


def choose_target(
    file_history: FileHistory, gates: Gates, fix: Commit, branch_head: str, already_broken: frozenset[str]
) -> TargetChoice:
    """The newest commit of the branch that contains the fix and passes every gate, and the newer ones that do not."""
    containing = find_descendants(fix.id, file_history.commits) | {fix.id}

    def refuse(commit: str) -> GateFailure | None:
        if is_fixed_at(file_history, gates.verdicts, commit):
            return None
        own = gates.own_verdicts(commit)
        if own is not None and own.replace_deployed and is_fixed_at(file_history, own.verdicts, commit):
            return None
        return GateFailure("incident_file", "the failing file does not compile at this commit")

    return choose_newest(
        gates, list(walk_newest_first(file_history.commits, branch_head, containing)), already_broken, refuse
    )


def describe_target(gates: Gates, choice: TargetChoice, commits: Sequence[Commit], deployed: str) -> Target | None:
    """The chosen commit with what it ships; `commits` are those of the branch since the deployed one."""
    if choice.commit is None:
        return None
    parents = {commit.id: commit.parents for commit in commits}
    return Target(
        commit=choice.commit,
        checks=gates.get_check_status(choice.commit.id),
        commits_after_deployed=len(find_ancestors([choice.commit.id], parents)),
        newly_broken=(),
        shipped_changes=_list_shipped_changes(gates.history, deployed, choice.commit.id),
        refused_commits=choice.refused_commits,
        image=gates.check_image(choice.commit.id),
    )


def _list_shipped_changes(history: History, base: str, tip: str) -> tuple[FileChange, ...]:
    """What differs; lines are counted where few enough files do, for it takes reading each of them twice."""
    differing = sorted(path for path, _ in find_changed_paths(history, history.root_tree(base), history.root_tree(tip)))
    if len(differing) <= _MAX_COUNTED_FILES:
        return tuple(history.diffstat(base, tip))
    return tuple(FileChange(path, None, None) for path in differing)


def describe_fix(
    history: History, file_history: FileHistory, commit: Commit, broken: FileAtCommit, line: int | None
) -> Fix:
    """The merged fix, with the fixed lines."""
    blobs = file_history.blobs_at[commit.id]
    if not blobs:
        return Fix(commit, "merged", is_deletion=True)
    path = broken.path if broken.path in blobs else sorted(blobs)[0]
    return Fix(commit, "merged", path=path, excerpt=_cut_fixed_lines(history, broken, blobs[path], line))


def _cut_fixed_lines(
    history: History, broken: FileAtCommit, blob: str, line: int | None
) -> tuple[tuple[int, str], ...]:
    before, after = history.read(broken.blob) or b"", history.read(blob) or b""
    return cut_excerpt(after, map_line(split_source_lines(before), split_source_lines(after), line)) if line else ()


def find_unmerged_fix(
    history: History, verdicts: CompileVerdicts, branch: Branch, first_failing: FileAtCommit, broken: FileAtCommit
) -> Fix | None:
    """A branch or pull request that contains the break and whose head compiles, where the deploy branch has no fix."""
    heads = history.unmerged_heads(branch, first_failing.commit.id)
    at = history.blob_ids((head.head, broken.path) for head in heads)
    for head in heads:
        blob = at.get((head.head, broken.path))
        if blob is not None and verdicts.judge(blob, broken.path).compiles:
            return describe_unmerged_fix(history, head, broken.path)
    return None


def describe_unmerged_fix(history: History, head: Branch, path: str) -> Fix:
    """The head of a branch or a pull request as a fix that is not merged."""
    number = _parse_pull_request(head.name)
    where = "unmerged_branch" if number is None else "open_pull_request"
    return Fix(history.resolve(head.head), where, number, head.name, path=path)


def _parse_pull_request(ref: str) -> int | None:
    """The number in `refs/pull/12/head` or `refs/merge-requests/12/head`."""
    parts = ref.split("/")
    numbered = len(parts) > 2 and parts[1] in {"pull", "merge-requests"} and parts[2].isdecimal()
    return int(parts[2]) if numbered else None


def find_rollback(branch_states: BranchStates, gates: Gates, origin: BreakOrigin) -> TargetChoice:
    """The newest state that the branch was in before the break came in, and at which every loaded file compiles."""
    if origin.is_incomplete:
        return TargetChoice(None, ())
    return choose_newest(
        gates, branch_states.states_before(origin.first_failing.commit.id, _MAX_ROLLBACK_STATES), frozenset()
    )
