"""Puts commits to the gates, newest first, and returns the newest that passes with those refused before it.

Of a rollback it describes the commit, with the commits that going back loses.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from shared.errors import InputError
from shared.proof.gating.gates import GateFailure, Gates
from shared.proof.model.finding import Rollback
from shared.proof.model.history import Commit
from shared.proof.model.ports import History
from shared.proof.model.target import IMAGE_GATE, RefusedCommit

_MAX_RUNS = 50
"""Commits of one search that are put to every gate."""

_MAX_REFUSED = 20
"""Refused commits that a report names; the search itself goes on."""

_MAX_BATCH = 512
"""Commits that are asked in one go which blob they hold at a path."""


@dataclass(frozen=True, slots=True)
class TargetChoice:
    """The newest commit that passes, or none."""

    commit: Commit | None
    refused_commits: tuple[RefusedCommit, ...]
    """Newer ones that do not."""
    unchecked_commits: int = 0
    """Older ones that were left when the search had gone on for long enough."""


def choose_newest(
    gates: Gates,
    commits: Sequence[Commit],
    already_broken: frozenset[str],
    refuse_early: Callable[[str], GateFailure | None] = lambda _: None,
    extra_gate: Callable[[str], GateFailure | None] = lambda _: None,
) -> TargetChoice:
    """The first of `commits` (newest first) that passes every gate; `refuse_early` may say at once that one does not.

    `extra_gate` is one more gate: as costly as the others, and run for as many commits.

    The file that refused a commit is asked first at the next ones: as long as it is the same, no gate is run.
    """
    search = _TargetSearch(gates, commits, already_broken, extra_gate)
    for index, commit in enumerate(commits):
        failed = refuse_early(commit.id) or search.repeat_refusal(index)
        if failed is None:
            newest = search.find_newest_skipped()
            if newest is not None:
                return search.build_choice(newest)
            if search.runs >= _MAX_RUNS:
                return search.build_choice(None, before=index)
            failed = search.run_gates(index)
        if failed is None:
            return search.build_choice(index)
        search.refused[index] = failed
    return search.build_choice(search.find_newest_skipped(), before=len(commits))


@dataclass(slots=True)
class _TargetSearch:
    """One search: what it has found so far."""

    gates: Gates
    commits: Sequence[Commit]
    already_broken: frozenset[str]
    extra_gate: Callable[[str], GateFailure | None]
    runs: int = 0
    refused: dict[int, GateFailure] = field(default_factory=dict)
    _skipped: list[int] = field(default_factory=list)
    """Indexes since the last run, refused without one."""
    _last_failure: GateFailure | None = None
    _refusing_file: "_RefusingFile | None" = None

    def run_gates(self, index: int) -> GateFailure | None:
        """Every gate, for one commit."""
        self.runs += 1
        failed = self._find_failure(index) or self.gates.find_missing_image(self.commits[index].id)
        if failed is not None:
            self._last_failure = failed
            self._refusing_file = (
                _RefusingFile(self.gates.history, failed, self.commits) if failed.refusing_file else None
            )
        return failed

    def repeat_refusal(self, index: int) -> GateFailure | None:
        """The last refusal, where the file that it was for is the same, or fails in the same way."""
        if self._last_failure is None or self._refusing_file is None:
            return None
        if self._last_failure.repeat is not None:
            failed = self._last_failure.repeat(self.commits[index].id)
        else:
            is_same = self._refusing_file.is_unchanged_at(index)
            detail = self._last_failure.file_detail or self._last_failure.detail
            failed = replace(self._last_failure, detail=detail) if is_same else None
        self._skipped += [index] if failed is not None else []
        return failed

    def find_newest_skipped(self) -> int | None:
        """The newest of the skipped commits that passes and has an image; None where none does.

        A file may have come long before it was loaded; where the service loaded it as deployed, it did all the while.
        What it imports may come from an installed package, which no file shows: there the oldest is put to the gates.
        """
        indexes, self._skipped = self._skipped, []
        if not indexes or self._refusing_file is None:
            return None
        if not self._refusing_file.absent_paths and self.gates.is_loaded_as_deployed(self._refusing_file.path):
            return None
        if not self._passes(indexes[-1]):
            return None
        low, high = 0, len(indexes) - 1
        while low < high:
            middle = (low + high) // 2
            if self._passes(indexes[middle]):
                high = middle
            else:
                low = middle + 1
        return self._find_first_with_image(indexes[high:])

    def _find_first_with_image(self, indexes: Sequence[int]) -> int | None:
        """The first that passes every gate and has an image; the first of all is known to pass all others.

        Those that only lack an image are noted so.
        """
        for index in indexes:
            if index != indexes[0] and (self.runs >= _MAX_RUNS or not self._passes(index)):
                continue
            failed = self.gates.find_missing_image(self.commits[index].id)
            if failed is None:
                return index
            self.refused[index] = failed
        return None

    def _passes(self, index: int) -> bool:
        self.runs += 1
        return self._find_failure(index) is None

    def _find_failure(self, index: int) -> GateFailure | None:
        """The first gate that a commit does not pass, but for that of its image."""
        commit = self.commits[index].id
        return self.extra_gate(commit) or self.gates.find_failure(commit, self.already_broken)

    def build_choice(self, chosen: int | None, before: int = 0) -> TargetChoice:
        """The commit at the chosen index, or none before an index, with what was refused up to there."""
        end = before if chosen is None else chosen
        indexes = [index for index in self.refused if index < end][:_MAX_REFUSED]
        failed = [(self.commits[index], self.refused[index]) for index in indexes]
        refused = tuple(RefusedCommit(commit, failure.gate, failure.detail) for commit, failure in failed)
        if chosen is not None:
            return TargetChoice(self.commits[chosen], refused)
        return TargetChoice(None, refused, len(self.commits) - before)


class _RefusingFile:
    """Whether commits hold a file as it was refused, and lack the same ones; asks for many at once, ever more."""

    def __init__(self, history: History, failure: GateFailure, commits: Sequence[Commit]) -> None:
        assert failure.refusing_file is not None
        self.path, self._blob = failure.refusing_file
        self.absent_paths = failure.absent_paths
        self._history = history
        self._commits = commits
        self._known: dict[int, bool] = {}
        self._size = 100

    def is_unchanged_at(self, index: int) -> bool:
        if index not in self._known:
            indexes = range(index, min(index + self._size, len(self._commits)))
            ids = {position: self._commits[position].id for position in indexes}
            paths = (self.path, *self.absent_paths)
            blobs = self._history.blob_ids((commit, path) for commit in ids.values() for path in paths)
            self._known = {position: self._is_same(blobs, commit) for position, commit in ids.items()}
            self._size = min(2 * self._size, _MAX_BATCH)
        return self._known[index]

    def _is_same(self, blobs: Mapping[tuple[str, str], str], commit: str) -> bool:
        has_returned = any((commit, path) in blobs for path in self.absent_paths)
        return blobs.get((commit, self.path)) == self._blob and not has_returned


def describe_rollback(history: History, gates: Gates, choice: TargetChoice, deployed: str) -> Rollback | None:
    """Returns the rollback to the chosen commit; None where none was chosen."""
    if choice.commit is None:
        return None
    try:
        lost = tuple(history.commits(deployed, choice.commit.id))
    except InputError:  # a code host cannot compare the two: the rollback is as good, and what it loses is not known
        lost = ()
    newer = tuple(refused.commit for refused in choice.refused_commits if refused.gate == IMAGE_GATE)
    return Rollback(choice.commit, lost, gates.check_image(choice.commit.id), newer)
