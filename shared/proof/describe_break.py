"""Describes a proven break: deployed version, broken file, introducing commit, attempts, and what the service loads."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.proof.find_deployed import (
    DeployedSearch,
    find_declared_python,
    find_stated_python,
    read_declaring_files,
)
from shared.proof.gating.gates import Gates
from shared.proof.judging.compile_verdicts import CompileVerdicts
from shared.proof.loading.commit_tree import CommitTree
from shared.proof.locating.located_version import fill_in_commits
from shared.proof.model.compilation import Fault
from shared.proof.model.deployed_version import DeployedSource, DeployedVersion
from shared.proof.model.finding import Attempt, BrokenFile, Finding, IntroducingCommit, LoadedSummary, PythonChange
from shared.proof.model.history import Commit
from shared.proof.model.missing_import import MissingImport
from shared.proof.model.paths import build_service_filter
from shared.proof.model.recommendation import ActionKind, Reason, Recommendation
from shared.proof.model.target import OtherBrokenFile, Target
from shared.proof.proof_context import ProofContext
from shared.proof.searching.explain_failure import FailureExplanation, cut_excerpt, explain_failure
from shared.proof.searching.file_history import FileHistory
from shared.proof.searching.introducing_commit import BreakOrigin, FileAtCommit

_UNDECIDED = Recommendation(ActionKind.NONE, Reason.NO_FIX, "")
"""Until target and rollback were searched for."""


@dataclass(frozen=True, slots=True)
class ProvenBreak:
    """A file that fails at the deployed commit as the log says, with all that its history shows."""

    deployed: FileAtCommit
    gates: Gates
    origin: BreakOrigin
    file_history: FileHistory
    fix: Commit | None
    """The merged one; None where the deploy branch has none."""
    attempts: Sequence[FileAtCommit]
    python_change: PythonChange | None = None
    """Where the fix leaves the file as it is: the Python of its image, on which the file compiles."""

    @property
    def later_failing(self) -> list[FileAtCommit]:
        """The versions that fail, from the one that broke the file on."""
        return [self.origin.first_failing, *self.attempts]


def describe_break(context: ProofContext, search: DeployedSearch, broken: ProvenBreak) -> Finding:
    """The finding so far: without fix, target and recommendation."""
    history, verdicts, origin, deployed = context.history, search.verdicts, broken.origin, broken.deployed
    explained = explain_failure(history, context.compilers, verdicts, deployed, broken.later_failing)
    declaring_commit = deployed.commit if origin.is_incomplete else origin.first_failing.commit
    return Finding(
        deployed=_describe_deployed(context, search, broken),
        broken=_describe_broken(context, verdicts, broken, explained),
        introduced=None if origin.is_incomplete else _describe_introduced(origin, verdicts, explained),
        attempts=tuple(
            Attempt(version.commit, explained.error_counts[version.blob], _find_first_error_line(version, verdicts))
            for version in broken.attempts
        ),
        fix=None,
        target=None,
        rollback=None,
        recommendation=_UNDECIDED,
        branch=context.branch.name,
        branch_head=context.branch.head,
        declaring_files=read_declaring_files(history, declaring_commit.id),
    )


def _describe_deployed(context: ProofContext, search: DeployedSearch, broken: ProvenBreak) -> DeployedVersion:
    located, verdicts, commit = search.located, search.verdicts, broken.deployed.commit
    failing = reversed(broken.later_failing)
    by_line = {_find_first_error_line(version, verdicts): version.commit for version in failing}
    deployments = fill_in_commits(located.deployments, by_line)
    return DeployedVersion(
        revision=next((entry.revision for entry in reversed(deployments) if entry.commit == commit), ""),
        commit=commit,
        source=context.request.source if located.source is DeployedSource.GIVEN else located.source,
        corroborated=True,
        candidates=located.candidates,
        uncommitted_tree=any(entry.uncommitted and entry.commit == commit for entry in deployments),
        python=verdicts.python,
        python_source=_describe_python_source(context, search, broken),
        conflict=located.conflict,
        deployments=deployments,
        has_named_commit=context.request.has_named_commit,
        platform_statements=context.request.platform_statements,
    )


def _describe_python_source(context: ProofContext, search: DeployedSearch, broken: ProvenBreak) -> str:
    """Where the version of Python is declared: at the deployed commit, if its files say the same as what was tried."""
    if find_stated_python(context.incident, context.request.python) is not None:
        return search.python_source
    commit = broken.deployed.commit.id
    dockerfile = broken.gates.loaded_files.get_state(commit).closure.image_path
    declared = find_declared_python(context.history, commit, search.located.path, dockerfile)
    return declared[1] if declared is not None and declared[0] == search.verdicts.python else search.python_source


def _describe_broken(
    context: ProofContext, verdicts: CompileVerdicts, broken: ProvenBreak, explained: FailureExplanation
) -> BrokenFile:
    deployed = broken.deployed
    compilation = verdicts.judge(deployed.blob, deployed.path)
    fault = compilation.fault or Fault("SyntaxError", "", None)
    others = broken.gates.find_broken(deployed.commit.id)
    return BrokenFile(
        path=deployed.path,
        fault=fault,
        errors=explained.error_counts[deployed.blob],
        error_lines=tuple(sorted({diagnostic.line for diagnostic in explained.diagnostics})),
        checked_by=compilation.checked_by,
        explanation=explained.explanation,
        compiles_on=explained.compiles_on,
        compiles_on_checked_by=explained.compiles_on_checked_by,
        excerpt=cut_excerpt(context.history.read(deployed.blob) or b"", fault.line),
        second_opinion=explained.second_opinion,
        also_broken=tuple(other for other in others if other.path != deployed.path),
    )


def _describe_introduced(
    origin: BreakOrigin, verdicts: CompileVerdicts, explained: FailureExplanation
) -> IntroducingCommit:
    first = origin.first_failing
    return IntroducingCommit(
        first.commit,
        first.path,
        explained.error_counts[first.blob],
        _find_first_error_line(first, verdicts),
        was_added_broken=origin.was_added_broken,
        python_change=origin.python_change,
    )


def _find_first_error_line(version: FileAtCommit, verdicts: CompileVerdicts) -> int | None:
    fault = verdicts.judge(version.blob, version.path).fault
    return fault.line if fault is not None else None


_MAX_COMPILED = 20
"""Files that the service does not load are no reason against a commit: of many, some are looked at."""


def describe_loading(gates: Gates, deployed: str, target: Target | None) -> LoadedSummary:
    """The rule at the deployed commit, and warnings about the commit that is proposed (without one: the deployed)."""
    closure = gates.loaded_files.get_state(deployed).closure
    compiled: list[tuple[str, str]] = []
    left = False
    for index, other in enumerate(_list_other_files(gates, target.commit.id if target else deployed, target)):
        left = index >= _MAX_COMPILED
        if left:
            break
        compiled.append(other)
    gates.verdicts.prepare(compiled)
    return LoadedSummary(
        closure.rule,
        closure.start_command,
        closure.image_path,
        closure.is_exact,
        len(closure.files),
        closure.ambiguous_images,
        tuple(_find_broken(gates, compiled)),
        len(compiled),
        left,
        _list_missing_imports(gates, target),
        gates.loaded_files.traced_paths,
    )


def _list_missing_imports(gates: Gates, target: Target | None) -> tuple[MissingImport, ...]:
    """What the target imports and no longer has: it may do no harm, or the target would have been refused."""
    return gates.loaded_files.get_state(target.commit.id).closure.missing_imports if target else ()


def _find_broken(gates: Gates, others: list[tuple[str, str]]) -> Iterator[OtherBrokenFile]:
    for path, blob in sorted(others):
        fault = gates.verdicts.judge(blob, path).fault
        if fault is not None:
            yield OtherBrokenFile(path, fault.line, f"{fault.error_class}: {fault.message}")


def _list_other_files(gates: Gates, commit: str, target: Target | None) -> Iterator[tuple[str, str]]:
    """Path and blob of Python files that are not loaded at a commit: what the target changes first."""
    tree, loaded = CommitTree(gates.history, commit), gates.loaded_files.get_state(commit).closure.files
    belongs = build_service_filter({}, gates.loaded_files.failing_path)
    changed = dict.fromkeys(change.path for change in (target.shipped_changes if target else ()))
    for path in changed:
        if path not in loaded and belongs(path) and (blob := tree.blob(path)) is not None:
            yield path, blob
    for path, blob in tree.walk_files():
        if path not in loaded and path not in changed and belongs(path):
            yield path, blob
