"""Finds what can be tried where nothing is proven: the newest commit that passes every gate and may be a fix.

A possible fix is a guess, which only the trial itself judges. The gates are those of every other commit.
"""

from collections.abc import Sequence
from dataclasses import replace

from shared.detection.incident import Incident
from shared.detection.logged_exception import is_package_frame
from shared.errors import UsageError
from shared.proof.find_deployed import find_declared_python, find_stated_python
from shared.proof.gating.choose_newest import TargetChoice, choose_newest
from shared.proof.gating.choose_target import describe_target
from shared.proof.gating.gates import Gates
from shared.proof.gating.loaded_files import LoadedFiles
from shared.proof.gating.target_python import DeclarationReader, TargetPython
from shared.proof.judging.compile_verdicts import CompileVerdicts
from shared.proof.model.commit_graph import find_descendants, walk_newest_first
from shared.proof.model.finding import Finding
from shared.proof.model.history import Commit
from shared.proof.model.paths import match_logged_path
from shared.proof.model.ports import History
from shared.proof.model.target import TrialCandidate
from shared.proof.proof_context import ProofContext


def add_trial_candidate(context: ProofContext, finding: Finding) -> Finding:
    """The finding with what can be tried, where the request wants that and an exception of own code was raised."""
    deployed = finding.suspected.deployed
    if not context.request.wants_trial or deployed is None or context.incident.raised is None:
        return finding
    traced = _find_traced_files(context.history, context.incident, deployed.id)
    gates = _build_gates(context, deployed.id, traced) if traced else None
    if gates is None:
        return finding
    context.report_progress("searching for a commit that can be tried")
    commits = context.history.commits(context.branch.head, deployed.id)
    for fix in finding.suspected.possible_fixes:
        choice = _choose_commit(gates, commits, fix.commit.id, context.branch.head)
        target = describe_target(gates, choice, commits, deployed.id)
        if target is not None:
            candidate = TrialCandidate(target, fix.commit, fix.reason, deployed.id, gates.verdicts.python, traced)
            return replace(finding, trial_candidate=candidate)
    return finding


def _find_traced_files(history: History, incident: Incident, commit: str) -> tuple[str, ...]:
    """Files of the repository that frames of the exception mean, the deepest first; an ambiguous one is left out."""
    frames = incident.raised.exception.frames if incident.raised is not None else ()
    tree = history.tree(commit)
    fitting = (
        next(iter(match_logged_path(frame.path, tree)), ()) for frame in reversed(frames) if not is_package_frame(frame)
    )
    return tuple(dict.fromkeys(paths[0] for paths in fitting if len(paths) == 1))


def _build_gates(context: ProofContext, deployed: str, traced: tuple[str, ...]) -> Gates | None:
    """None where there is no compiler for the deployed Python."""
    history, request = context.history, context.request
    stated = find_stated_python(context.incident, request.python)
    declared = stated or find_declared_python(history, deployed, traced[0])
    try:
        compiler = context.compilers.compiler_for(declared[0] if declared else request.fallback_python)
    except UsageError:
        return None
    verdicts = CompileVerdicts(history, compiler, context.compilers.explainer())
    loaded = LoadedFiles(history, traced[0], traced, request.source_roots, deployed)
    own = TargetPython(history, context.compilers, verdicts, deployed, loaded, DeclarationReader(history))
    return Gates(history, verdicts, loaded, deployed, request.checks, own.get_verdicts, check_image=request.check_image)


def _choose_commit(gates: Gates, commits: Sequence[Commit], fix: str, head: str) -> TargetChoice:
    containing = find_descendants(fix, commits) | {fix}
    return choose_newest(gates, list(walk_newest_first(commits, head, containing)), frozenset())
