"""The proof of one incident: which version is deployed, what broke it, what fixes it, and what to do about it."""

from dataclasses import replace

from shared.detection.incident import Incident
from shared.detection.signal import SignalKind
from shared.errors import UsageError
from shared.proof import find_trial_candidate, prove_exception
from shared.proof.claims import judges, service_modules
from shared.proof.claims.importing import image_layout
from shared.proof.claims.ports import ServiceModules
from shared.proof.claims.regressions import new_failures
from shared.proof.describe_break import ProvenBreak, describe_break, describe_loading
from shared.proof.find_deployed import DeployedSearch, find_deployed, find_likeliest_python
from shared.proof.gating.choose_newest import TargetChoice, describe_rollback
from shared.proof.gating.choose_target import (
    choose_target,
    describe_fix,
    describe_target,
    find_fix,
    find_rollback,
    find_unmerged_fix,
    is_fixed_at,
    list_attempts,
)
from shared.proof.gating.gates import Gates
from shared.proof.gating.image_pythons import ImagePythons
from shared.proof.gating.target_python import DeclarationReader, TargetPython
from shared.proof.loading.commit_tree import CommitTree
from shared.proof.model.commit_graph import BranchStates
from shared.proof.model.deployed_version import DeployedSource
from shared.proof.model.finding import Finding, Fix, Rollback
from shared.proof.model.history import Commit
from shared.proof.model.paths import build_service_filter
from shared.proof.model.ports import Compilers, History
from shared.proof.proof_context import ProofContext, ProofRequest, ReportProgress
from shared.proof.recommend import recommend
from shared.proof.searching.file_history import HistoryStart, follow_file
from shared.proof.searching.introducing_commit import BreakOrigin, FileAtCommit, trace_break
from shared.proof.unproven import (
    describe_gaps,
    is_not_python,
    report_uncorroborated,
    report_unjudgeable_python,
    report_wrong_command,
)


def prove(
    incident: Incident, history: History, compilers: Compilers, request: ProofRequest, report_progress: ReportProgress
) -> Finding:
    """Everything that can be proven about one incident. Raises UsageError for a ref that does not exist."""
    branch = history.branch(request.branch)
    given = history.resolve(request.deployed) if request.deployed else None
    context = ProofContext(incident, history, compilers, request, branch, given, report_progress)
    if incident.kind is not SignalKind.SYNTAX_ERROR or not incident.sightings:
        finding = prove_exception.prove_exception(context)
        return finding if finding.broken is not None else find_trial_candidate.add_trial_candidate(context, finding)
    report_progress(f"searching for the deployed version of {incident.path}")
    context, search = find_deployed(context)
    _check_source_roots(context, search)
    if search is None:
        return report_unjudgeable_python(context, find_likeliest_python(context))
    if search.commit is None:
        return report_uncorroborated(context, search.located, search.verdicts, search.python_source)
    search = _move_to_declaring_state(context, search, search.commit)
    assert search.commit is not None  # as before
    blob = history.blob_ids([(search.commit.id, search.located.path)])[search.commit.id, search.located.path]
    deployed = FileAtCommit(search.commit, search.located.path, blob)
    if is_not_python(history, search.verdicts, deployed, branch.head):
        return report_wrong_command(context, deployed.path, search.verdicts, search.python_source)
    broken = _trace_file(context, search, deployed)
    report_progress("compiling the files that the service loads at the deployed commit")
    finding = describe_break(context, search, broken)
    if finding.broken is not None and finding.broken.compiles_on:
        broken = _follow_image_python(context, broken)
        finding = describe_break(context, search, broken)
    finding = _add_target(context, finding, broken) if broken.fix else _add_rollback(context, finding, broken)
    finding = replace(finding, loaded_summary=describe_loading(broken.gates, deployed.commit.id, finding.target))
    return _add_recommendation(context, finding, broken)


def _check_source_roots(context: ProofContext, search: DeployedSearch | None) -> None:
    """Raises UsageError for a source root without any Python file: it would leave nothing to compile."""
    commits = [context.branch.head, *([context.given_commit.id] if context.given_commit else [])]
    commits += [search.located.commit.id] if search is not None and search.located.commit is not None else []
    for root in context.request.source_roots:
        belongs = build_service_filter({}, "", [root])
        if not any(belongs(path) for commit in dict.fromkeys(commits) for path in context.history.tree(commit)):
            raise UsageError(
                f"--source-root {root}: contains no Python file, neither at the head of {context.branch.name} "
                "nor at the deployed commit"
            )


def _move_to_declaring_state(context: ProofContext, search: DeployedSearch, commit: Commit) -> DeployedSearch:
    """The same version as a later state of the branch, where its own commit's image has another Python than ran.

    The file was sound there: it fails since the image has the Python that ran.
    """
    history, located, python = context.history, search.located, search.verdicts.python
    if located.source is not DeployedSource.INFERRED:
        return search
    declarations = DeclarationReader(history)
    own = declarations.find_fact(commit.id, located.path)
    if own is None or not own.is_of_image or own.version == python:
        return search
    states = BranchStates(history, context.branch.head)
    seen_at = context.incident.last_seen if context.incident.dated else None
    state = (states.find_state_at(seen_at) if seen_at is not None else None) or history.resolve(context.branch.head)
    declared = declarations.find_fact(state.id, located.path)
    locations = [(state.id, located.path), (commit.id, located.path)]
    is_same = len({history.blob_ids(locations).get(location) for location in locations}) == 1
    if not is_same or declared is None or not declared.is_of_image or declared.version != python:
        return search
    return replace(search, located=replace(located, commit=state))


def _trace_file(context: ProofContext, search: DeployedSearch, deployed: FileAtCommit) -> ProvenBreak:
    """Follows the failing file back to its break, and on to its fix."""
    history, verdicts = context.history, search.verdicts
    commit, versions = deployed.commit.id, search.located.file_versions
    context.report_progress("searching for the commit that broke it")
    origin = trace_break(history, verdicts, commit, deployed.path, versions)
    origin = origin or BreakOrigin(deployed, (), is_incomplete=True)
    context.report_progress("searching for the commit that fixes it")
    start = HistoryStart(commit, deployed.path, versions)
    file_history = follow_file(history, verdicts.fails, start, context.branch)
    gates = _build_gates(context, search, deployed)
    fix = find_fix(file_history, lambda _: verdicts, gates)
    attempts = list_attempts(file_history, verdicts, origin, fix)
    return ProvenBreak(deployed, gates, origin, file_history, fix, attempts)


def _follow_image_python(context: ProofContext, broken: ProvenBreak) -> ProvenBreak:
    """The same break with the origin and the fix that another Python of the image makes."""
    deployed, gates, file_history = broken.deployed, broken.gates, broken.file_history
    dockerfile = gates.loaded_files.get_state(deployed.commit.id).closure.image_path
    declarations = DeclarationReader(context.history)
    pythons = ImagePythons(context.history, context.compilers, gates.verdicts, deployed, dockerfile, declarations)
    if pythons.find_deployed_fact() is None:
        return broken
    origin = pythons.correct_origin(broken.origin)
    fix = find_fix(file_history, pythons.open_later(file_history, context.branch.head), gates)
    attempts = list_attempts(file_history, gates.verdicts, origin, fix)
    is_other_python = fix is not None and not is_fixed_at(file_history, gates.verdicts, fix.id)
    change = pythons.describe_change(fix.id) if fix is not None and is_other_python else None
    if is_other_python and change is None:  # the commit declares something else, taken together with its other files
        return broken
    return replace(broken, origin=origin, fix=fix, attempts=attempts, python_change=change)


def _build_gates(context: ProofContext, search: DeployedSearch, deployed: FileAtCommit) -> Gates:
    history, verdicts, commit = context.history, search.verdicts, deployed.commit.id
    loaded = search.loaded_files.get(context, commit, deployed.path)
    own = TargetPython(history, context.compilers, verdicts, commit, loaded, DeclarationReader(history))
    request = context.request
    return Gates(history, verdicts, loaded, commit, request.checks, own.get_verdicts, check_image=request.check_image)


def _add_target(context: ProofContext, finding: Finding, broken: ProvenBreak) -> Finding:
    """Adds the merged fix and the newest commit that contains it and passes every gate."""
    assert finding.broken is not None  # a deployed version is known only by its failure
    assert broken.fix is not None
    context.report_progress("searching for the newest commit that passes every gate")
    history, file_history = context.history, broken.file_history
    paths = frozenset({*file_history.names, *(other.path for other in finding.broken.also_broken)})
    failures = _watch_new_failures(context, broken)
    gates = replace(broken.gates, find_new_failure=failures.find)
    choice = choose_target(file_history, gates, broken.fix, context.branch.head, paths)
    wants_alternative = context.request.wants_alternative
    return replace(
        finding,
        fix=_describe_fix(history, broken, broken.fix, finding.broken.fault.line),
        target=describe_target(broken.gates, choice, file_history.commits, file_history.start),
        refused_commits=choice.refused_commits,
        unchecked_commits=choice.unchecked_commits,
        alternative_rollback=_find_rollback(context, broken) if wants_alternative else None,
    )


def _describe_fix(history: History, broken: ProvenBreak, fix: Commit, line: int | None) -> Fix:
    if broken.python_change is None:
        return describe_fix(history, broken.file_history, fix, broken.deployed, line)
    blobs = broken.file_history.blobs_at[fix.id]
    path = broken.deployed.path if broken.deployed.path in blobs else min(blobs)
    return Fix(fix, "merged", path=path, python_change=broken.python_change)


def _watch_new_failures(context: ProofContext, broken: ProvenBreak) -> "new_failures.NewFailures":
    """What a target may newly fail with, beyond syntax."""
    deployed, gates = broken.deployed, broken.gates
    sources, confirming = judges.build_judges(
        context.compilers, context.history, [context.branch.head, deployed.commit.id]
    )
    logged = {deployed.path: context.incident.path} if context.incident.path.startswith("/") else {}

    def open_modules(tree: CommitTree, path: str) -> ServiceModules:
        traced = image_layout.TracedFiles(path, (), logged, tree.is_link)
        return service_modules.open_service_modules(tree, traced, gates.verdicts.python, context.request.source_roots)

    return new_failures.NewFailures(
        context.history, sources, confirming, open_modules, gates.loaded_blobs, deployed.commit.id, deployed.path
    )


def _add_rollback(context: ProofContext, finding: Finding, broken: ProvenBreak) -> Finding:
    """Adds a fix that is not merged, and the commit that the branch can go back to."""
    context.report_progress("searching for an unmerged fix and for a commit to roll back to")
    choice = _choose_rollback(context, broken)
    first, verdicts = broken.origin.first_failing, broken.gates.verdicts
    return replace(
        finding,
        fix=find_unmerged_fix(context.history, verdicts, context.branch, first, broken.deployed),
        rollback=describe_rollback(context.history, broken.gates, choice, broken.deployed.commit.id),
        unchecked_commits=choice.unchecked_commits,
    )


def _choose_rollback(context: ProofContext, broken: ProvenBreak) -> TargetChoice:
    return find_rollback(BranchStates(context.history, context.branch.head), broken.gates, broken.origin)


def _find_rollback(context: ProofContext, broken: ProvenBreak) -> Rollback | None:
    choice = _choose_rollback(context, broken)
    return describe_rollback(context.history, broken.gates, choice, broken.deployed.commit.id)


def _add_recommendation(context: ProofContext, finding: Finding, broken: ProvenBreak) -> Finding:
    commit = broken.deployed.commit.id
    is_on_branch = bool(broken.file_history.later_ids) or commit == context.branch.head
    return replace(
        finding,
        recommendation=recommend(finding, is_on_branch=is_on_branch),
        gaps=describe_gaps(context.history, needs_full_history=broken.origin.is_incomplete),
        versions_compiled=broken.gates.verdicts.count_compiled(broken.deployed.path),
    )
