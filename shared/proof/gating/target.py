"""Chooses what to propose: the first fixing commit, and the newest commit that passes every gate."""

from shared.proof.gating.candidates import Choice, choose_newest
from shared.proof.gating.commit_tree import changed_paths
from shared.proof.gating.gates import Failed, Gates
from shared.proof.judging.compile_verdicts import Verdicts
from shared.proof.locating.branch_states import BranchStates
from shared.proof.model.compilation import source_lines
from shared.proof.model.finding import Fix, Target
from shared.proof.model.history import Branch, Commit, FileChange
from shared.proof.model.line_mapping import counterpart_line
from shared.proof.model.ports import History
from shared.proof.model.search import ancestors, descendants, first_holding, newest_first
from shared.proof.searching.explain import excerpt
from shared.proof.searching.file_history import Lineage
from shared.proof.searching.introducing_commit import Origin, Version

_MOST_COUNTED = 1_000
"""Files of a diffstat whose lines are counted."""

_FURTHEST_BACK = 200
"""States of the branch that are tried for a rollback."""


def holds(lineage: Lineage, verdicts: Verdicts, commit: str) -> bool | None:
    """Whether the file compiles, under all its names, at a commit of the lineage; it does where it is gone."""
    return None if lineage.lost and not lineage.at[commit] else verdicts.hold(lineage.at[commit])


def find_fix(lineage: Lineage, verdicts: Verdicts) -> Commit | None:
    """The first commit after the deployed one, on the branch, at which the file compiles."""
    return first_holding(lineage.commits, lineage.after, lambda commit: holds(lineage, verdicts, commit))


def attempts(lineage: Lineage, verdicts: Verdicts, origin: Origin, fix: Commit | None) -> list[Version]:
    """Versions between the break and the fix (without one: the branch's head) that still fail, oldest first."""
    parents = {commit.id: commit.parents for commit in lineage.commits}
    before_fix = ancestors([fix.id], parents) if fix is not None else lineage.after
    later = [
        Version(commit, path, blob)
        for commit in reversed(lineage.versions)
        if commit.id in before_fix
        for path, blob in lineage.at[commit.id].items()
        if verdicts.of(blob, path).ok is False
    ]
    return [*origin.later, *later]


def choose(lineage: Lineage, gates: Gates, fix: Commit, head: str, broken: frozenset[str]) -> Choice:
    """The newest commit of the branch that contains the fix and passes every gate, and the newer ones that do not."""
    containing = descendants(fix.id, lineage.commits) | {fix.id}

    def refuse(commit: str) -> Failed | None:
        compiles = holds(lineage, gates.verdicts, commit)
        return None if compiles else Failed("incident_file", "the failing file does not compile there")

    return choose_newest(gates, list(newest_first(lineage.commits, head, containing)), broken, refuse)


def describe_target(history: History, lineage: Lineage, gates: Gates, choice: Choice) -> Target | None:
    """The chosen commit with what it ships."""
    if choice.commit is None:
        return None
    parents = {commit.id: commit.parents for commit in lineage.commits}
    return Target(
        commit=choice.commit,
        checks=gates.checks(choice.commit.id),
        commits_after_deployed=len(ancestors([choice.commit.id], parents)),
        newly_broken=(),
        ships=_ships(history, lineage.start, choice.commit.id),
        refused=choice.refused,
    )


def _ships(history: History, base: str, tip: str) -> tuple[FileChange, ...]:
    """What differs; lines are counted where few enough files do, for it takes reading each of them twice."""
    differing = sorted(path for path, _ in changed_paths(history, history.top(base), history.top(tip)))
    if len(differing) <= _MOST_COUNTED:
        return tuple(history.changes(base, tip))
    return tuple(FileChange(path, None, None) for path in differing)


def describe_fix(history: History, lineage: Lineage, commit: Commit, broken: Version, line: int | None) -> Fix:
    """The merged fix, with the mended lines."""
    blobs = lineage.at[commit.id]
    if not blobs:
        return Fix(commit, "merged", deleted=True)
    path = broken.path if broken.path in blobs else sorted(blobs)[0]
    return Fix(commit, "merged", path=path, excerpt=_mended(history, broken, blobs[path], line))


def _mended(history: History, broken: Version, blob: str, line: int | None) -> tuple[tuple[int, str], ...]:
    before, after = history.read(broken.blob) or b"", history.read(blob) or b""
    return excerpt(after, counterpart_line(source_lines(before), source_lines(after), line)) if line else ()


def unmerged_fix(history: History, verdicts: Verdicts, branch: Branch, origin: Version, broken: Version) -> Fix | None:
    """A branch or pull request that contains the break and whose head compiles, where the deploy branch has no fix."""
    heads = history.unmerged(branch, origin.commit.id)
    at = history.blobs((head.head, broken.path) for head in heads)
    for head in heads:
        blob = at.get((head.head, broken.path))
        if blob is not None and verdicts.of(blob, broken.path).ok:
            number = _pull_request(head.name)
            where = "unmerged_branch" if number is None else "open_pull_request"
            return Fix(history.resolve(head.head), where, number, head.name, path=broken.path)
    return None


def _pull_request(ref: str) -> int | None:
    """The number in `refs/pull/12/head` or `refs/merge-requests/12/head`."""
    parts = ref.split("/")
    numbered = len(parts) > 2 and parts[1] in {"pull", "merge-requests"} and parts[2].isdecimal()
    return int(parts[2]) if numbered else None


def find_rollback(states: BranchStates, gates: Gates, origin: Origin) -> Choice:
    """The newest state that the branch was in before the break came in, and at which every loaded file compiles."""
    if origin.cut:
        return Choice(None, ())
    return choose_newest(gates, states.before(origin.first.commit.id, _FURTHEST_BACK), frozenset())
