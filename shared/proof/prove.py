"""The proof: an incident and a repository's history in, what is provable about break, fix and target out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from shared.detection.incident import Incident
from shared.detection.signal import SignalKind
from shared.errors import UsageError
from shared.proof import python_evidence
from shared.proof.gating.choose_newest import TargetChoice
from shared.proof.gating.choose_target import (
    choose_target,
    describe_fix,
    describe_target,
    find_fix,
    find_rollback,
    find_unmerged_fix,
    list_attempts,
)
from shared.proof.gating.describe_loading import describe_loading
from shared.proof.gating.gates import Gates
from shared.proof.gating.loaded_files import LoadedFiles, choose_dockerfile, find_traced_files
from shared.proof.gating.target_python import DeclarationReader, TargetPython
from shared.proof.judging.compile_verdicts import CompileVerdicts
from shared.proof.locating.branch_states import BranchStates
from shared.proof.locating.candidate_files import CandidateFiles
from shared.proof.locating.locate_version import locate_version
from shared.proof.locating.located_version import LocatedVersion, fill_in_commits
from shared.proof.model.compilation import Fault
from shared.proof.model.finding import (
    Attempt,
    BrokenFile,
    DeployedSource,
    DeployedVersion,
    Finding,
    IntroducingCommit,
    OtherBrokenFile,
    Rollback,
)
from shared.proof.model.history import Commit
from shared.proof.model.paths import match_logged_path
from shared.proof.model.ports import Compilers, History
from shared.proof.model.service_files import build_service_filter
from shared.proof.proof_context import ProofContext, ProofRequest, ReportProgress
from shared.proof.recommendation import recommend
from shared.proof.searching.explain_failure import FailureExplanation, cut_excerpt, explain_failure
from shared.proof.searching.file_history import FileHistory, HistoryStart, follow_file
from shared.proof.searching.introducing_commit import BreakOrigin, FileAtCommit, trace_break
from shared.proof.unproven import (
    describe_gaps,
    explain_unprovable,
    is_not_python,
    report_uncorroborated,
    report_unjudgeable_python,
    report_wrong_command,
)


def prove(
    incident: Incident, history: History, compilers: Compilers, request: ProofRequest, report_progress: ReportProgress
) -> Finding:
    """Everything that can be proven about one incident. Raises Misused for a ref that does not exist."""
    branch = history.branch(request.branch)
    given = history.resolve(request.deployed) if request.deployed else None
    inquiry = ProofContext(incident, history, compilers, request, branch, given, report_progress)
    if incident.kind is not SignalKind.SYNTAX_ERROR or not incident.sightings:
        return explain_unprovable(inquiry)
    report_progress(f"looking for the deployed version of {incident.path}")
    search = _search_pythons(inquiry)
    contradicted = _resolve_python_conflict(inquiry, search) if search is not None else None
    if contradicted is not None:
        inquiry, search = contradicted, _search_pythons(contradicted)
    _check_source_roots(inquiry, search.located if search is not None else None)
    if search is None:
        return report_unjudgeable_python(inquiry, next(_list_pythons(inquiry)))
    if search.located.corroborated and search.located.commit is not None:
        return _prove_break(inquiry, search, search.located.commit)
    return report_uncorroborated(inquiry, search.located, search.verdicts, search.python_source)


def _check_source_roots(context: ProofContext, located: LocatedVersion | None) -> None:
    """Refuses a source root at which there is nothing: it would leave nothing to compile. Raises Misused."""
    asked = [context.branch.head, *([context.given_commit.id] if context.given_commit else [])]
    asked += [located.commit.id] if located is not None and located.commit is not None else []
    for root in context.request.source_roots:
        belongs = build_service_filter({}, "", [root])
        if not any(belongs(path) for commit in dict.fromkeys(asked) for path in context.history.tree(commit)):
            raise UsageError(
                f"--source-root {root}: no Python file lies there, neither at the head of {context.branch.name} "
                "nor as deployed"
            )


@dataclass(frozen=True, slots=True)
class _SearchResult:
    """The outcome of looking for the deployed version under one version of Python."""

    located: LocatedVersion
    verdicts: CompileVerdicts
    python_source: str


def _search_pythons(context: ProofContext) -> _SearchResult | None:
    """The deployed version under the best-evidenced Python under which there is one, else the first failure.

    None where no Python that log or repository name can be judged. Raises Misused where the person named that one.
    """
    tried: list[_SearchResult] = []
    ground = CandidateFiles(
        context.history, context.incident, context.branch, BranchStates(context.history, context.branch.head)
    )
    for python, source in _list_pythons(context):
        try:
            compiler = context.compilers.compiler_for(python)
        except UsageError:
            if python == context.request.python:
                raise
            continue
        verdicts = CompileVerdicts(context.history, compiler, context.compilers.explainer())
        located = locate_version(ground, verdicts, context.given_commit, context.request.revision)
        tried.append(_SearchResult(located, verdicts, source))
        if located.corroborated and located.commit is not None and not _is_other_python_declared(context, tried[-1]):
            return tried[-1]
    return tried[0] if tried else None


def _resolve_python_conflict(context: ProofContext, result: _SearchResult) -> ProofContext | None:
    """The inquiry without the version that the log names, where the deployed commit declares another one; else None."""
    python, commit = result.verdicts.python, result.located.commit
    logged = {each.python for each in context.incident.sightings}
    if commit is None or not result.located.corroborated or python not in logged or python == context.request.python:
        return None
    declared = python_evidence.find_contradiction(context.history, commit.id, result.located.path, python)
    is_silent = python_evidence.find_declared_python(context.history, commit.id, result.located.path) is None
    if not declared and not (is_silent and context.request.python):
        return None
    elsewhere = f"{declared} (at {commit.id})" if declared else "the setting"
    told = f"Conflict: the log names Python {python}, and {elsewhere} another one, which is believed."
    request = replace(context.request, platform_statements=(*context.request.platform_statements, told))
    return replace(context, incident=python_evidence.drop_logged_python(context.incident), request=request)


def _is_other_python_declared(context: ProofContext, result: _SearchResult) -> bool:
    """Whether the version was judged on a Python that the deployed commit itself does not declare.

    A branch's head may have moved to another version since; the others are tried before this one is believed.
    """
    if (
        python_evidence.find_stated_python(context.incident, context.request.python) is not None
        or result.located.commit is None
    ):
        return False
    commit, path = result.located.commit.id, result.located.path
    there = python_evidence.find_declared_python(
        context.history, commit, path, choose_dockerfile(context, commit, path)
    )
    return there is not None and there[0] != result.verdicts.python


def _list_pythons(context: ProofContext) -> Iterator[python_evidence.PythonChoice]:
    """Versions to try, each once. What the log or the settings state is not second-guessed."""
    history, incident = context.history, context.incident
    stated = python_evidence.find_stated_python(incident, context.request.python)
    if stated is not None:
        yield stated
        return
    look_at = context.given_commit.id if context.given_commit is not None else context.branch.head
    near = next((tier[0] for tier in match_logged_path(incident.path, history.tree(look_at))), "")
    image = choose_dockerfile(context, look_at, near)
    declared = python_evidence.find_declared_python(history, look_at, near, image)
    if declared is None:
        yield context.request.fallback_python, "assumed: neither the log nor the repository names a version"
        return
    yield declared
    yield from (
        each for each in python_evidence.find_former_pythons(history, look_at, near, image) if each[0] != declared[0]
    )


def _prove_break(context: ProofContext, result: _SearchResult, commit: Commit) -> Finding:
    """Break, attempts, fix and target of a file whose deployed version is known."""
    history, verdicts, located = context.history, result.verdicts, result.located
    traced = find_traced_files(history, context.incident, commit.id)
    loaded = LoadedFiles(history, located.path, traced, context.request.source_roots, commit.id)
    own = TargetPython(history, context.compilers, verdicts, commit.id, loaded, DeclarationReader(history)).get_verdicts
    gates = Gates(history, verdicts, loaded, commit.id, context.request.checks, own)
    blob = history.blob_ids([(commit.id, located.path)])[commit.id, located.path]
    deployed = FileAtCommit(commit, located.path, blob)
    if is_not_python(history, verdicts, deployed, context.branch.head):
        return report_wrong_command(context, located.path, verdicts, result.python_source)
    context.report_progress("going back to the commit that broke it")
    origin = trace_break(history, verdicts, commit.id, located.path, located.file_versions) or BreakOrigin(
        deployed, (), is_incomplete=True
    )
    context.report_progress("looking for the commit that mends it")
    lineage = follow_file(
        history, verdicts.fails, HistoryStart(commit.id, located.path, located.file_versions), context.branch
    )
    fix = find_fix(lineage, verdicts)
    tried = list_attempts(lineage, verdicts, origin, fix)
    context.report_progress("compiling what the service loads as deployed")
    also = tuple(each for each in gates.find_broken(commit.id) if each.path != located.path)
    explained = explain_failure(history, context.compilers, verdicts, deployed, [origin.first_failing, *tried])
    proof = Finding(
        deployed=_describe_deployed(context, result, commit, [origin.first_failing, *tried], gates),
        broken=_describe_broken(history, verdicts, deployed, explained, also),
        introduced=None if origin.is_incomplete else _describe_introduced(origin, verdicts, explained),
        attempts=tuple(
            Attempt(version.commit, explained.error_counts[version.blob], _first_error_line(version, verdicts))
            for version in tried
        ),
        fix=None,
        target=None,
        rollback=None,
        recommendation=explain_unprovable(context).recommendation,
        branch=context.branch.name,
        branch_head=context.branch.head,
        declaring_files=python_evidence.read_declaring_files(
            history, commit.id if origin.is_incomplete else origin.first_failing.commit.id
        ),
    )
    proof = _add_target(context, proof, _TargetInputs(lineage, gates, origin, deployed), fix)
    proof = replace(proof, loaded_summary=describe_loading(gates, commit.id, proof.target))
    on_branch = bool(lineage.later_ids) or commit.id == context.branch.head
    return replace(
        proof,
        recommendation=recommend(proof, is_on_branch=on_branch),
        gaps=describe_gaps(history, needs_full_history=origin.is_incomplete),
        versions_compiled=verdicts.count_compiled(located.path),
    )


@dataclass(frozen=True, slots=True)
class _TargetInputs:
    """What a proposal is chosen from."""

    lineage: FileHistory
    gates: Gates
    origin: BreakOrigin
    deployed: FileAtCommit


def _add_target(context: ProofContext, finding: Finding, inputs: _TargetInputs, fix: Commit | None) -> Finding:
    """Adds fix and target, or, without a merged fix, where else one is and what could be gone back to."""
    history, verdicts, deployed = context.history, inputs.gates.verdicts, inputs.deployed
    states = BranchStates(history, context.branch.head)
    assert finding.broken is not None  # a deployed version is known only by its failure
    if fix is None:
        context.report_progress("looking for a fix that is not merged, and for a commit to go back to")
        before = find_rollback(states, inputs.gates, inputs.origin)
        return replace(
            finding,
            fix=find_unmerged_fix(history, verdicts, context.branch, inputs.origin.first_failing, deployed),
            rollback=_build_rollback(before),
            unchecked_commits=before.unchecked_commits,
        )
    context.report_progress("looking for the newest commit that passes every gate")
    broken = frozenset({*inputs.lineage.names, *(each.path for each in finding.broken.also_broken)})
    choice = choose_target(inputs.lineage, inputs.gates, fix, context.branch.head, broken)
    return replace(
        finding,
        fix=describe_fix(history, inputs.lineage, fix, deployed, finding.broken.fault.line),
        target=describe_target(history, inputs.lineage, inputs.gates, choice),
        refused_commits=choice.refused_commits,
        unchecked_commits=choice.unchecked_commits,
        alternative_rollback=_build_rollback(find_rollback(states, inputs.gates, inputs.origin))
        if context.request.wants_alternative
        else None,
    )


def _build_rollback(choice: TargetChoice) -> Rollback | None:
    return None if choice.commit is None else Rollback(choice.commit)


def _describe_deployed(
    context: ProofContext, result: _SearchResult, commit: Commit, failing: Sequence[FileAtCommit], gates: Gates
) -> DeployedVersion:
    located, verdicts = result.located, result.verdicts
    by_line = {_first_error_line(version, verdicts): version.commit for version in reversed(failing)}
    deployments = fill_in_commits(located.deployments, by_line)
    return DeployedVersion(
        revision=next((each.revision for each in reversed(deployments) if each.commit == commit), ""),
        commit=commit,
        source=context.request.source if located.source is DeployedSource.GIVEN else located.source,
        corroborated=True,
        candidates=located.candidates,
        uncommitted_tree=any(each.uncommitted and each.commit == commit for each in deployments),
        python=verdicts.python,
        python_source=_describe_python_source(context, result, commit, gates),
        conflict=located.conflict,
        deployments=deployments,
        has_named_commit=context.request.has_named_commit,
        platform_statements=context.request.platform_statements,
    )


def _describe_python_source(context: ProofContext, result: _SearchResult, commit: Commit, gates: Gates) -> str:
    """Where the version of Python stands: at the deployed commit, if its files say the same as what was tried."""
    if python_evidence.find_stated_python(context.incident, context.request.python) is not None:
        return result.python_source
    image = gates.loaded_files.get_state(commit.id).closure.image_path
    there = python_evidence.find_declared_python(context.history, commit.id, result.located.path, image)
    return there[1] if there is not None and there[0] == result.verdicts.python else result.python_source


def _describe_broken(
    history: History,
    verdicts: CompileVerdicts,
    deployed: FileAtCommit,
    explained: FailureExplanation,
    also_broken: tuple[OtherBrokenFile, ...],
) -> BrokenFile:
    compilation = verdicts.judge(deployed.blob, deployed.path)
    fault = compilation.fault or Fault("SyntaxError", "", None)
    return BrokenFile(
        path=deployed.path,
        fault=fault,
        errors=explained.error_counts[deployed.blob],
        error_lines=tuple(sorted({each.line for each in explained.diagnostics})),
        checked_by=compilation.checked_by,
        explanation=explained.explanation,
        compiles_on=explained.compiles_on,
        compiles_on_checked_by=explained.compiles_on_checked_by,
        excerpt=cut_excerpt(history.read(deployed.blob) or b"", fault.line),
        second_opinion=explained.second_opinion,
        also_broken=also_broken,
    )


def _describe_introduced(
    origin: BreakOrigin, verdicts: CompileVerdicts, explained: FailureExplanation
) -> IntroducingCommit:
    first = origin.first_failing
    return IntroducingCommit(
        first.commit,
        first.path,
        explained.error_counts[first.blob],
        _first_error_line(first, verdicts),
        was_added_broken=origin.was_added_broken,
    )


def _first_error_line(version: FileAtCommit, verdicts: CompileVerdicts) -> int | None:
    """The line of a version's first error."""
    fault = verdicts.judge(version.blob, version.path).fault
    return fault.line if fault is not None else None
