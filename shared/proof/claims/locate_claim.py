"""Finds the deployed commit of a claim: log and verdict are two witnesses, and the logged frames name the version.

A commit fits if each frame that is in the repository quotes the line that its file has there. Where the verdict says
"fails" on the logged line, the claim is corroborated; where it is unknown, a commit that was named as deployed and
that fits is believed on the word of the log, and only trees with the same inputs inherit that.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.detection.logged_exception import Frame, is_package_frame
from shared.proof.claims.claim import Claim, ClaimState
from shared.proof.claims.claim_verdicts import ClaimVerdicts
from shared.proof.model.commit_graph import BranchStates
from shared.proof.model.compilation import split_source_lines
from shared.proof.model.deployed_version import DeployedSource
from shared.proof.model.history import Commit
from shared.proof.model.paths import match_logged_path
from shared.proof.model.ports import History
from shared.proof.model.recommendation import Reason

MakeVerdicts = Callable[[Claim], ClaimVerdicts]
_MAX_FRAMES = 12
_MAX_QUOTED = 300
"""Characters of a line that are compared: a log may have cut the rest."""
_MAX_JUDGED = 60
"""Trees with different inputs that are judged to infer the commit."""


@dataclass(frozen=True, slots=True)
class LocatedClaim:
    """The deployed commit, or why there is none."""

    claim: Claim
    """With its path as in the repository."""
    commit: Commit | None
    source: DeployedSource
    verdicts: ClaimVerdicts | None = None
    """None without a commit."""
    candidates: tuple[str, ...] = ()
    conflict: str = ""
    """One sentence where a given commit contradicts the log."""
    reason: Reason = Reason.NOT_CORROBORATED
    detail: str = ""


@dataclass(slots=True)
class ClaimLocator:
    """Searches the deployed commit of one claim. `claim` has its path as logged, `frames` come outermost first."""

    history: History
    states: BranchStates
    claim: Claim
    frames: Sequence[Frame]
    make_verdicts: MakeVerdicts
    seen_at: datetime | None
    _lines_by_blob: dict[str, Sequence[str]] = field(default_factory=dict)
    _frame_paths: Mapping[int, str] | None = None

    def locate(self, given: Commit | None) -> LocatedClaim:
        """The given commit, if it bears the log out; else the newest that was there at that time and does."""
        if given is None:
            return self._infer("")
        located = self._check_given(given)
        if located.commit is not None or located.reason is Reason.AMBIGUOUS:
            return located
        inferred = self._infer(located.conflict) if located.conflict else located
        return inferred if inferred.commit is not None else located

    def _check_given(self, given: Commit) -> LocatedClaim:
        paths = [path for tier in match_logged_path(self.claim.path, self.history.tree(given.id)) for path in tier]
        fitting = [path for path in paths if self._fits(given.id, path)]
        if not paths:
            return self._report(f"the given commit {given.id} contains no file {self.claim.path}")
        if not fitting:
            return self._report(f"at the given commit {given.id}, {paths[0]} has other lines than the log quotes")
        unknown: list[ClaimVerdicts] = []
        details: list[str] = []
        for path in fitting:
            verdicts = self.make_verdicts(replace(self.claim, path=path))
            verdict = verdicts.confirm_commit(given.id)
            if verdict.state is ClaimState.FAILS and self.claim.line in verdict.lines:
                return LocatedClaim(verdicts.claim, given, DeployedSource.GIVEN, verdicts, (given.id,))
            details.append(f"{path} at the given commit {given.id}: {verdict.reason}")
            unknown += [verdicts] if verdict.state is ClaimState.UNKNOWN else []
        if len(unknown) == 1 and len(fitting) == 1 and self._is_quoted():
            unknown[0].trust_log(given.id)
            return LocatedClaim(unknown[0].claim, given, DeployedSource.GIVEN, unknown[0], (given.id,))
        if unknown:
            located = LocatedClaim(self.claim, None, DeployedSource.GIVEN, detail="; ".join(details))
            return replace(located, reason=Reason.AMBIGUOUS) if len(fitting) > 1 else located
        return self._report(details[0])

    def _report(self, conflict: str) -> LocatedClaim:
        logged = f"The log says {self.claim.path}, line {self.claim.line}; {conflict}."
        return LocatedClaim(self.claim, None, DeployedSource.GIVEN, conflict=logged)

    def _is_quoted(self) -> bool:
        """Whether the log quotes the failing line: a number alone is no witness."""
        return bool(self.claim.source_text)

    def _infer(self, conflict: str) -> LocatedClaim:
        details: list[str] = []
        searched: dict[str, ClaimVerdicts] = {}
        for commit, path in self._list_candidates():
            if not self._fits(commit.id, path):
                continue
            if path not in searched:
                searched[path] = self.make_verdicts(replace(self.claim, path=path))
            if sum(verdicts.judged_count for verdicts in searched.values()) > _MAX_JUDGED:
                break
            verdict = searched[path].judge_commit(commit.id).verdict
            if verdict.state is ClaimState.FAILS and self.claim.line in verdict.lines:
                verdicts = self.make_verdicts(searched[path].claim)
                verdict = verdicts.confirm_commit(commit.id)
                if verdict.state is ClaimState.FAILS and self.claim.line in verdict.lines:
                    return LocatedClaim(
                        verdicts.claim, commit, DeployedSource.INFERRED, verdicts, (commit.id,), conflict
                    )
            details.append(f"{path} at {commit.id}: {verdict.reason}")
        detail = details[0] if details else f"no version of {self.claim.path} on the branch has the logged line"
        return LocatedClaim(self.claim, None, DeployedSource.UNKNOWN, conflict=conflict, detail=detail)

    def _list_candidates(self) -> Iterator[tuple[Commit, str]]:
        """Commits and the path of the claim's file there: the state of that time, then what was committed before it.

        The newest comes first, on the branch or not: a service may run what is merged later. Last come newer ones.
        """
        state = self.states.find_state_at(self.seen_at) if self.seen_at is not None else None
        head = self.states.head
        at = state.id if state is not None else head
        paths = self._list_paths(at)
        if state is not None:
            yield from ((state, path) for path in paths)
        graph = self.history.file_versions(self._list_walked_paths(at, paths), [head]) if paths else ()
        versions = [(version.commit, path) for version in graph for path in paths]
        if self.seen_at is None:
            yield from versions
            return
        newer = [entry for entry in versions if entry[0].committed_at > self.seen_at]
        yield from (entry for entry in versions if entry[0].committed_at <= self.seen_at)
        yield from reversed(newer)

    def _list_paths(self, commit: str) -> list[str]:
        tiers = match_logged_path(self.claim.path, self.history.tree(commit))
        if not tiers and commit != self.states.head:
            tiers = match_logged_path(self.claim.path, self.history.tree(self.states.head))
        if not tiers:
            name = self.claim.path.replace("\\", "/").rpartition("/")[2]
            tiers = match_logged_path(self.claim.path, self.history.paths_named(name, [self.states.head]))
        return [path for tier in tiers[:1] for path in tier]

    def _list_walked_paths(self, commit: str, paths: Sequence[str]) -> list[str]:
        """The files of all frames, and the inputs of the verdict at one commit: each may have made the failure."""
        walked = dict.fromkeys(paths)
        walked |= dict.fromkeys(self._match_frames(commit).values())
        for path in paths:
            if self.history.blob_ids([(commit, path)]):
                verdicts = self.make_verdicts(replace(self.claim, path=path))
                verdicts.judge_commit(commit)
                walked |= dict.fromkeys(sorted(entry for entry in verdicts.walked_paths if entry.endswith(".py")))
        return list(walked)

    def _fits(self, commit: str, path: str) -> bool:
        """Whether the claim's file, and those of the other frames, have the quoted lines."""
        matched = {**self._match_frames(commit), len(self.frames): path}
        own = [*self.frames, Frame(path, self.claim.line, self.claim.function, self.claim.source_text)]
        blobs = self.history.blob_ids((commit, matched[index]) for index in matched)
        return all(self._has_line(blobs.get((commit, matched[index])), own[index]) for index in matched)

    def _match_frames(self, commit: str) -> Mapping[int, str]:
        """The repository path of each own frame that only one file of a commit fits, by the frame's index.

        The first commit that is asked decides for all: to list the tree of every version would cost too much.
        """
        if self._frame_paths is None:
            self._frame_paths = self._find_frame_paths(commit)
        return self._frame_paths

    def _find_frame_paths(self, commit: str) -> Mapping[int, str]:
        tree = self.history.tree(commit)
        matched: dict[int, str] = {}
        for index, frame in list(enumerate(self.frames))[-_MAX_FRAMES:]:
            tiers = match_logged_path(frame.path, tree) if frame.source_text and not is_package_frame(frame) else ()
            if tiers and len(tiers[0]) == 1:
                matched[index] = tiers[0][0]
        return matched

    def _has_line(self, blob: str | None, frame: Frame) -> bool:
        """Whether a file has the quoted line; of a statement over several lines the log may quote all."""
        if blob is None:
            return False
        if blob not in self._lines_by_blob:
            self._lines_by_blob[blob] = split_source_lines(self.history.read(blob) or b"")
        lines = self._lines_by_blob[blob]
        if frame.line > len(lines):
            return False
        return not frame.source_text or lines[frame.line - 1].strip()[:_MAX_QUOTED] == frame.source_text[:_MAX_QUOTED]
