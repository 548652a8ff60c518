"""Finds the deployed commit and the image of a failed start whose target is missing: log and image are two witnesses.

At the commit exactly one Dockerfile (or the Procfile, where there is none) must start the program that the log shows
with the target that it misses, and the image must lack that target.
"""

import posixpath
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.proof.claims.claim import Claim, ClaimFamily, ClaimState
from shared.proof.claims.claim_verdicts import ClaimVerdicts
from shared.proof.claims.locate_claim import LocatedClaim
from shared.proof.claims.ports import ServiceModules
from shared.proof.claims.starting.start_complaint import StartComplaint
from shared.proof.claims.starting.start_image import open_start_images
from shared.proof.claims.starting.start_judge import JudgedStart, StartJudge
from shared.proof.loading.commit_tree import CommitTree, RecordingTree
from shared.proof.loading.dockerfile_search import is_deployed_dockerfile
from shared.proof.loading.images import find_images
from shared.proof.model.commit_graph import BranchStates
from shared.proof.model.deployed_version import DeployedSource
from shared.proof.model.history import Commit
from shared.proof.model.ports import History
from shared.proof.model.recommendation import Reason

_MAX_IMAGES = 12
_MAX_JUDGED = 40
"""Commits that are judged to infer the deployed one."""
_PYTHONS = frozenset(("python", "python -m"))


@dataclass(frozen=True, slots=True)
class StartPlacer:
    """Searches one complaint. `open_modules` opens the service at a commit, as a Dockerfile's path has it."""

    history: History
    states: BranchStates
    complaint: StartComplaint
    make_verdicts: Callable[[Claim], ClaimVerdicts]
    open_modules: Callable[[CommitTree, str], ServiceModules]
    seen_at: datetime | None

    def locate(self, given: Commit | None) -> LocatedClaim:
        """The given commit alone, if there is one; else the newest that was committed by the time of the log."""
        details: list[str] = []
        for count, commit in enumerate([given] if given is not None else self._list_candidates()):
            if count >= _MAX_JUDGED:
                break
            placed, detail = self._place(commit.id)
            if len(placed) == 1:
                source = DeployedSource.GIVEN if given is not None else DeployedSource.INFERRED
                return self._confirm(placed[0], commit, source)
            if len(placed) > 1:
                paths = " and ".join(sorted(claim.path for claim in placed))
                return self._report(f"{paths} both start it at {commit.id}", Reason.AMBIGUOUS)
            details.append(f"at {commit.id}, {detail}")
        return self._report(details[0] if details else "no commit of the branch is as old as the log")

    def _place(self, commit: str) -> tuple[list[Claim], str]:
        """The images that start the target in vain at a commit, and what speaks against the others."""
        tree = RecordingTree(CommitTree(self.history, commit))
        placed: list[Claim] = []
        details: list[str] = []
        for path in _list_start_files(tree):
            modules = self.open_modules(CommitTree(self.history, commit), path)
            judge = StartJudge(modules)
            claim = self._build_claim(path, 0)
            starts = [start for start in judge.list_missing(claim, modules) if self._is_claimed(start)]
            verdict = judge.judge(claim, modules)
            if starts and verdict.state is ClaimState.FAILS:
                line = verdict.lines[0]
                text = tree.read_text(path).splitlines()[line - 1 : line]
                placed.append(replace(claim, line=line, source_text="".join(text).strip()))
            details.append(f"{path}: {verdict.reason}")
        return placed, details[0] if details else "no Dockerfile and no Procfile is in the tree"

    def _is_claimed(self, start: JudgedStart) -> bool:
        """Whether the log misses exactly what this start asks for."""
        target, complaint = start.target, self.complaint
        pythons = target.program in _PYTHONS and complaint.program in _PYTHONS
        if complaint.program and target.program != complaint.program and not pythons:
            return False
        if complaint.path:
            names_file = _is_same_path(complaint.path, target.path)
            return names_file and start.state.lacks_name == bool(complaint.name)
        if complaint.name:
            return target.module == complaint.module and start.state.lacks_name and _is_first(target.name, complaint)
        is_above = target.module.startswith(f"{complaint.module}.")
        return (target.module == complaint.module or is_above) and not start.state.lacks_name

    def _build_claim(self, path: str, line: int) -> Claim:
        said = self.complaint
        return Claim(
            ClaimFamily.START_TARGET, path, line, said.error_class, said.message,
            module=said.module, name=said.name or said.path, owner=said.program,
        )  # fmt: skip

    def _confirm(self, claim: Claim, commit: Commit, source: DeployedSource) -> LocatedClaim:
        verdicts = self.make_verdicts(claim)
        verdicts.believe_log(commit.id)
        return LocatedClaim(claim, commit, source, verdicts, (commit.id,))

    def _list_candidates(self) -> Iterator[Commit]:
        """The state of the branch at that time, then the commits before it that changed what a start depends on."""
        state = self.states.find_state_at(self.seen_at) if self.seen_at is not None else None
        at = state.id if state is not None else self.states.head
        if state is not None:
            yield state
        walked: set[str] = set()
        tree = RecordingTree(CommitTree(self.history, at))
        for path in _list_start_files(tree):
            verdicts = self.make_verdicts(self._build_claim(path, 0))
            verdicts.judge_commit(at)
            walked |= verdicts.walked_paths
        versions = self.history.file_versions(sorted(walked), [self.states.head]) if walked else ()
        for version in versions:
            if self.seen_at is None or version.commit.committed_at <= self.seen_at:
                yield version.commit

    def _report(self, detail: str, reason: Reason = Reason.NOT_CORROBORATED) -> LocatedClaim:
        claim = self._build_claim("", 0)
        return LocatedClaim(claim, None, DeployedSource.UNKNOWN, detail=detail, reason=reason)


def _list_start_files(tree: RecordingTree) -> Sequence[str]:
    """The Dockerfiles that may be deployed; without one the Procfile at the top."""
    paths = list(dict.fromkeys(image.path for image in find_images(tree, "")))
    deployed = [path for path in paths if is_deployed_dockerfile(path)] or paths
    shown = [path for path in deployed if open_start_images(tree, path)]
    if shown or paths:
        return shown[:_MAX_IMAGES]
    return ["Procfile"] if tree.blob("Procfile") is not None else []


def _is_first(name: str, complaint: StartComplaint) -> bool:
    return name == complaint.name.partition(".")[0]


def _is_same_path(logged: str, path: str) -> bool:
    """Whether a logged file is an image's; a relative one is below the working directory."""
    if logged.startswith("/"):
        return posixpath.normpath(logged) == path
    return path.endswith("/" + posixpath.normpath(logged))
