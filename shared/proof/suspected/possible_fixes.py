"""Finds what was committed to the deploy branch after the deployed state and touches the functions of a stack.

Such a change may end the failure. Nothing says that it does: nothing is run.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from shared.proof.model.history import Branch, Commit
from shared.proof.model.ports import History
from shared.proof.model.suspected_change import SuspectedChange, SuspicionKind
from shared.proof.suspected.function_history import FunctionTouch
from shared.proof.suspected.rank_changes import MAX_CHANGES, describe_function, format_function
from shared.proof.suspected.source_outline import Outlines
from shared.proof.suspected.stack_functions import StackFunction, StackRole, list_names
from shared.text.phrases import short_sha

_MAX_VERSIONS = 40
_MAX_RENAMES = 3
_MAX_COMPARED = 20

_Blobs = Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class _Candidate:
    commit: Commit
    path: str
    at: StackFunction
    distance: int
    """0 where it touched the failing line, less where it takes a suspect back; the nearer, the lower."""
    what: str


@dataclass(frozen=True, slots=True)
class FixSearch:
    """The branch after one deployed commit."""

    history: History
    outlines: Outlines
    branch: Branch
    deployed: Commit
    functions: Sequence[StackFunction]
    suspects: Sequence[FunctionTouch] = ()
    """What the likeliest suspects did: a later change that takes it back comes first."""

    def list_possible_fixes(self) -> tuple[SuspectedChange, ...]:
        """What takes a suspect back first, then nearest to the failing line, then newest first; each commit once."""
        if self.branch.head == self.deployed.id or not self.functions:
            return ()
        candidates = sorted(self._list_candidates(), key=lambda entry: entry.distance)  # keeps newest first
        once = {entry.commit.id: entry for entry in reversed(candidates)}
        ordered = sorted(once.values(), key=candidates.index)[:MAX_CHANGES]
        return tuple(
            SuspectedChange(
                entry.commit, entry.path, format_function(entry.at.function), SuspicionKind.POSSIBLE_FIX,
                f"it {entry.what}, after the deployed state", rank,
            )
            for rank, entry in enumerate(ordered, 1)
        )  # fmt: skip

    def _list_candidates(self) -> Iterator[_Candidate]:
        head = self.branch.head
        commits = {commit.id: commit for commit in self.history.commits(head, self.deployed.id)}
        paths = self._find_paths(commits)
        every = list(dict.fromkeys(path for names in paths.values() for path in names))
        touching = self._list_touching(every, commits)
        ids = dict.fromkeys([head, *(oid for commit in touching for oid in (commit.id, *commit.parents))])
        blobs = self.history.blob_ids((oid, path) for oid in ids for path in every)
        for at in self.functions if touching else ():
            if self._read_texts(at, paths[at.path], head, blobs)[1] == _list_own_texts(at):
                continue  # at the head it is as deployed: whatever was tried was taken back
            for commit in touching:
                candidate = self._compare(commit, at, paths[at.path], blobs)
                if candidate is not None:
                    yield candidate

    def _list_touching(self, paths: Sequence[str], commits: Mapping[str, Commit]) -> Sequence[Commit]:
        """The newest commits after the deployed one that touch the paths, with their real parents."""
        versions = self.history.file_versions(paths, [self.branch.head], [self.deployed.id])[:_MAX_VERSIONS]
        return [commits[version.commit.id] for version in versions if version.commit.id in commits]

    def _find_paths(self, commits: Mapping[str, Commit]) -> Mapping[str, Sequence[str]]:
        """By deployed path: that path, and those that the file was renamed to since."""
        names = {at.path: [at.path] for at in self.functions}
        for _ in range(_MAX_RENAMES):
            every = list(dict.fromkeys(path for known in names.values() for path in known))
            if all(known[-1] in self.history.tree(self.branch.head) for known in names.values()):
                break
            touching = self._list_touching(every, commits)
            pairs = [(commit.id, parent) for commit in touching for parent in commit.parents]
            ids = {oid for pair in pairs for oid in pair}
            held = self.history.blob_ids((oid, path) for oid in ids for path in every).keys()
            for known in names.values():
                last = known[-1]
                vanished = [pair for pair in pairs if (pair[1], last) in held and (pair[0], last) not in held]
                new = self._find_new_name(last, *vanished[0]) if vanished else ""
                known.extend([new] if new else [])
        return names

    def _find_new_name(self, path: str, commit: str, parent: str) -> str:
        """The file of a commit that its parent had not, and that holds what vanished from a path; "" for none."""
        after, before = self.history.tree(commit), self.history.tree(parent)
        fresh = [other for other in sorted(after) if other not in before and other.endswith(".py")]
        exact = [other for other in fresh if after[other].blob == before[path].blob]
        named = [other for other in fresh if other.rpartition("/")[2] == path.rpartition("/")[2]]
        alike = [other for other in fresh[:_MAX_COMPARED] if self._is_alike(before[path].blob, after[other].blob)]
        return next(iter((*exact, *named, *alike)), "")

    def _is_alike(self, blob: str, other: str) -> bool:
        """Whether a file has most functions of another one."""
        outlines = self.outlines.read(blob), self.outlines.read(other)
        if outlines[0] is None or outlines[1] is None:
            return False
        names, others = ({function.name for function in outline.functions} for outline in outlines if outline)
        return len(names & others) * 2 > len(names)

    def _compare(self, commit: Commit, at: StackFunction, paths: Sequence[str], blobs: _Blobs) -> _Candidate | None:
        """What a commit changed in one function, in a way that none of its parents had it; None for nothing."""
        path, texts = self._read_texts(at, paths, commit.id, blobs)
        befores = [self._read_texts(at, paths, parent, blobs)[1] for parent in commit.parents]
        if not befores or texts is None or any(before is None or before == texts for before in befores):
            return None
        candidate = self._describe_change(commit, path, at, (befores[0] or (), texts))
        suspect = self._find_undone({*(befores[0] or ())}, {*texts})
        if suspect is None:
            return candidate
        what = f"{candidate.what} and takes back part of what {short_sha(suspect.id)} did there"
        return replace(candidate, distance=-1, what=what)

    def _find_undone(self, before: set[str], after: set[str]) -> Commit | None:
        """The suspect whose statements vanish, or whose deletions come back."""
        for touch in self.suspects:
            gone, back = {*touch.added.values()} & (before - after), {*touch.removed} & (after - before)
            if (gone and not touch.is_creation) or back:
                return touch.commit
        return None

    @staticmethod
    def _describe_change(
        commit: Commit, path: str, at: StackFunction, versions: tuple[Sequence[str], Sequence[str]]
    ) -> _Candidate:
        before, texts = versions
        function = describe_function(at.function)
        outer = at.depth or (1 if at.role is StackRole.CALLED else 0)
        which = "the failing line" if not at.depth else "the line of the call"
        if not texts:
            return _Candidate(commit, path, at, 3 * outer, f"took {function} out")
        changed = {*texts} ^ {*before}
        if at.failing_text and at.failing_text in changed:
            return _Candidate(commit, path, at, 3 * outer, f"changed {which} in {function}")
        names = list_names(at.failing_text)
        if any(names & list_names(text) for text in changed):
            return _Candidate(commit, path, at, 3 * outer + 1, f"changed what {which} works with in {function}")
        suffix = ", which failed" if at.role is StackRole.FAILED else ""
        return _Candidate(commit, path, at, 3 * outer + 2, f"changed {function}{suffix}")

    def _read_texts(
        self, at: StackFunction, paths: Sequence[str], commit: str, blobs: _Blobs
    ) -> tuple[str, tuple[str, ...] | None]:
        """Where the function is at a commit, and its statements: none where it is gone, None where nothing is known."""
        for path in paths:
            blob = blobs.get((commit, path))
            outline = self.outlines.read(blob) if blob is not None else None
            if blob is not None and outline is None:
                return path, None
            if outline is not None and outline.has_function(at.function):
                if not outline.can_parse(at.function):
                    return path, None
                return path, tuple(entry.text for entry in outline.list_statements(at.function))
        return paths[0], ()


def _list_own_texts(at: StackFunction) -> tuple[str, ...]:
    return tuple(entry.text for entry in at.statements)
