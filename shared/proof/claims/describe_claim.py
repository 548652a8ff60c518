"""Turns a traced claim into a finding: deployed version, failing file, introduction, attempts, fix and target."""

from dataclasses import replace

from shared.detection.raised_exception import RaisedException
from shared.proof.claims.broken_place import find_absence, find_start_place, find_started_place
from shared.proof.claims.claim import ClaimFamily, ClaimVerdict
from shared.proof.claims.prove_claim import TracedClaim
from shared.proof.find_deployed import read_declaring_files
from shared.proof.gating.choose_newest import TargetChoice, choose_newest, describe_rollback
from shared.proof.gating.choose_target import describe_target, describe_unmerged_fix, map_line
from shared.proof.gating.gates import GateFailure
from shared.proof.loading.commit_tree import CommitTree
from shared.proof.loading.image_contents import AbsenceReason
from shared.proof.model.commit_graph import BranchStates, find_descendants, walk_newest_first
from shared.proof.model.compilation import Fault, split_source_lines
from shared.proof.model.deployed_version import DeployedSource, DeployedVersion, LoggedDeployment
from shared.proof.model.finding import Attempt, BrokenFile, Finding, Fix, IntroducingCommit, ProvenClaim, PythonChange
from shared.proof.model.history import Commit
from shared.proof.model.recommendation import ActionKind, Reason, Recommendation
from shared.proof.proof_context import ProofContext
from shared.proof.searching.explain_failure import cut_excerpt

_OF_STANDARD_LIBRARY = frozenset((ClaimFamily.IMPORT_NAME, ClaimFamily.MODULE, ClaimFamily.MODULE_ATTRIBUTE))
"""What one Python's own library may lack and another one has."""
_MAX_ROLLBACK_STATES = 200
_MAX_INPUTS = 40
_MAX_HEADS = 50
"""Unmerged heads that are judged, newest first."""


def describe_claim(context: ProofContext, raised: RaisedException, traced: TracedClaim) -> Finding:
    """The finding without its recommendation."""
    origin = traced.origin
    declaring = traced.deployed if origin.is_incomplete else origin.commit
    failing = traced.verdicts.confirm_commit(traced.deployed.id)
    finding = Finding(
        deployed=_describe_deployed(context, raised, traced),
        broken=_describe_broken(context, traced, failing),
        introduced=None if origin.is_incomplete else _describe_introduced(context, traced),
        attempts=tuple(
            _describe_attempt(traced, commit) for commit in (*origin.later_failing, *traced.lineage.attempts)
        ),
        fix=_describe_fix(context, traced) if traced.fix is not None else None,
        target=None,
        rollback=None,
        recommendation=Recommendation(ActionKind.NONE, Reason.NO_FIX, ""),
        branch=context.branch.name,
        branch_head=context.branch.head,
        declaring_files=read_declaring_files(context.history, declaring.id),
        versions_compiled=0,
        claim=_describe_proven(traced, failing, is_found_early=context.incident.is_found_early),
        raised_frame=None,
    )
    if traced.fix is None:
        choice = _choose_rollback(context, traced)
        return replace(
            finding,
            fix=_find_unmerged_fix(context, traced),
            rollback=describe_rollback(context.history, traced.gates, choice, traced.deployed.id),
            unchecked_commits=choice.unchecked_commits,
        )
    choice = _choose_target(context, traced, traced.fix)
    alternative = _choose_rollback(context, traced) if context.request.wants_alternative else TargetChoice(None, ())
    return replace(
        finding,
        target=describe_target(traced.gates, choice, traced.file_history.commits, traced.deployed.id),
        refused_commits=choice.refused_commits,
        unchecked_commits=choice.unchecked_commits,
        alternative_rollback=describe_rollback(context.history, traced.gates, alternative, traced.deployed.id),
    )


def _judge(traced: TracedClaim, commit: str) -> ClaimVerdict:
    return traced.verdicts.judge_commit(commit).verdict


def _describe_proven(traced: TracedClaim, failing: ClaimVerdict, *, is_found_early: bool) -> ProvenClaim:
    claim, verdicts = traced.claim, traced.verdicts
    return ProvenClaim(
        family=claim.family.value,
        path=claim.path,
        line=claim.line,
        module=claim.module,
        name=claim.name,
        owner=claim.owner,
        function=claim.function,
        failing_reason=failing.reason,
        fixed_reason=_judge(traced, traced.fix.id).reason if traced.fix is not None else "",
        checked_by=failing.checked_by,
        is_witnessed_by_log=verdicts.is_witnessed_by_log,
        inputs=tuple(sorted(path for path in verdicts.inputs if not path.endswith("/")))[:_MAX_INPUTS],
        commits_judged=verdicts.judged_count,
        is_found_early=is_found_early,
    )


def _describe_deployed(context: ProofContext, raised: RaisedException, traced: TracedClaim) -> DeployedVersion:
    located, deployed = traced.located, traced.deployed
    seen_at = raised.entry.timestamp if raised.entry.dated else None
    is_uncommitted = seen_at is not None and deployed.committed_at > seen_at
    revision = raised.entry.revision
    line = None if traced.claim.family is ClaimFamily.START_TARGET else traced.claim.line  # that is not in the log
    python, python_source = traced.python
    return DeployedVersion(
        revision=revision,
        commit=deployed,
        source=context.request.source if located.source is DeployedSource.GIVEN else located.source,
        corroborated=True,
        candidates=located.candidates,
        uncommitted_tree=is_uncommitted,
        python=python,
        python_source=python_source,
        conflict=located.conflict,
        deployments=(LoggedDeployment(revision, line, seen_at, deployed, is_uncommitted),),
        has_named_commit=context.request.has_named_commit,
        platform_statements=context.request.platform_statements,
    )


def _describe_broken(context: ProofContext, traced: TracedClaim, failing: ClaimVerdict) -> BrokenFile:
    claim = traced.claim
    absence = find_absence(traced.verdicts, traced.deployed.id, traced.claim.path)
    position = absence or find_start_place(traced.verdicts, traced.deployed.id)
    path, number = (position.path, position.line) if position is not None else (claim.path, claim.line)
    content = _read(context, traced.deployed.id, path)
    line = split_source_lines(content)[number - 1 : number]
    return BrokenFile(
        path=path,
        fault=Fault(claim.error_class, claim.message, number, text="".join(line)),
        errors=1 if absence is not None else max(1, len(failing.lines)),
        error_lines=(number,) if absence is not None else tuple(failing.lines),
        checked_by=failing.checked_by,
        explanation="",
        compiles_on=(),
        compiles_on_checked_by="",
        excerpt=cut_excerpt(content, number),
    )


def _read(context: ProofContext, commit: str, path: str) -> bytes:
    blob = context.history.blob_ids([(commit, path)]).get((commit, path))
    return (context.history.read(blob) or b"") if blob is not None else b""


def _has_file(context: ProofContext, commit: str, path: str) -> bool:
    return (commit, path) in context.history.blob_ids([(commit, path)])


def _find_introduced_absence(context: ProofContext, traced: TracedClaim) -> AbsenceReason | None:
    """The line with which the introducing commit keeps a module or file out of the image; None where it is another's.

    Another's: where that commit did not write the line, but asks for what it keeps out.
    """
    origin = traced.origin
    absence = find_absence(traced.verdicts, origin.commit.id, origin.path)
    if absence is None or origin.is_incomplete:
        return None
    own, *former = (_read(context, commit, absence.path) for commit in (origin.commit.id, *origin.commit.parents))
    asking, *asked = (_read(context, commit, origin.path) for commit in (origin.commit.id, *origin.commit.parents))
    is_new_line = not any(absence.text.encode() in text for text in former)
    return absence if own not in former and (is_new_line or asking in asked) else None


def _describe_introduced(context: ProofContext, traced: TracedClaim) -> IntroducingCommit:
    origin = traced.origin
    absence = _find_introduced_absence(context, traced)
    if absence is not None:
        return IntroducingCommit(origin.commit, absence.path, 1, absence.line)
    lines = _judge(traced, origin.commit.id).lines
    return IntroducingCommit(
        origin.commit,
        origin.path,
        max(1, len(lines)),
        lines[0] if lines else None,
        was_added_broken=origin.was_added_broken,
        python_change=_find_python_change(context, traced),
    )


def _find_python_change(context: ProofContext, traced: TracedClaim) -> PythonChange | None:
    """The Python of the origin's image, where the file asks Python's own library as before, and another version."""
    origin = traced.origin
    if traced.claim.family not in _OF_STANDARD_LIBRARY or len(origin.commit.parents) != 1:
        return None
    commits = (*origin.commit.parents, origin.commit.id)
    verdicts = traced.verdicts
    before, after = (
        verdicts.open_modules(CommitTree(context.history, commit), origin.path).image_python for commit in commits
    )
    former, own = (_read(context, commit, origin.path) for commit in commits)
    is_same_file = former == own and before.version != after.version
    return PythonChange(before.version, after.version, after.source) if is_same_file and after.source else None


def _describe_attempt(traced: TracedClaim, commit: Commit) -> Attempt:
    lines = _judge(traced, commit.id).lines
    return Attempt(commit, max(1, len(lines)), lines[0] if lines else None)


def _describe_fix(context: ProofContext, traced: TracedClaim) -> Fix:
    assert traced.fix is not None
    path = traced.verdicts.judge_commit(traced.fix.id).path
    if not path:
        return Fix(traced.fix, "merged", is_deletion=True)
    absence = find_absence(traced.verdicts, traced.deployed.id, traced.claim.path)
    is_lifted = absence is not None and _has_file(context, traced.fix.id, absence.path)
    broken, number = (absence.path, absence.line) if absence and is_lifted else (traced.claim.path, traced.claim.line)
    path = broken if is_lifted else path
    if traced.claim.family is ClaimFamily.START_TARGET and not is_lifted:
        return _describe_started_fix(context, traced, traced.fix)
    before = split_source_lines(_read(context, traced.deployed.id, broken))
    after = _read(context, traced.fix.id, path)
    line = map_line(before, split_source_lines(after), number)
    return Fix(traced.fix, "merged", path=path, excerpt=cut_excerpt(after, line))


def _describe_started_fix(context: ProofContext, traced: TracedClaim, fix: Commit) -> Fix:
    """The changed line that starts something else, or the file that is there again."""
    position = find_start_place(traced.verdicts, traced.deployed.id)
    before = _read(context, traced.deployed.id, position.path) if position is not None else b""
    after = _read(context, fix.id, position.path) if position is not None else b""
    if position is not None and after and after != before:
        line = map_line(split_source_lines(before), split_source_lines(after), position.line)
        return Fix(fix, "merged", path=position.path, excerpt=cut_excerpt(after, line))
    started = find_started_place(traced.verdicts, fix.id)
    if started is None:
        return Fix(fix, "merged", path=traced.claim.path)
    content = _read(context, fix.id, started.path)
    return Fix(fix, "merged", path=started.path, excerpt=cut_excerpt(content, started.line))


def _find_unmerged_fix(context: ProofContext, traced: TracedClaim) -> Fix | None:
    """A branch or pull request that contains the failure's origin, and at whose head the claim holds."""
    for head in context.history.unmerged_heads(context.branch, traced.origin.commit.id)[:_MAX_HEADS]:
        state = traced.verdicts.judge_commit(head.head)
        if state.verdict.holds and state.path and not traced.remaining.find(head.head):
            return describe_unmerged_fix(context.history, head, state.path)
    return None


def _choose_target(context: ProofContext, traced: TracedClaim, fix: Commit) -> TargetChoice:
    """The newest commit of the branch that contains the fix, at which the claim holds, and that passes every gate."""
    commits = traced.file_history.commits
    containing = find_descendants(fix.id, commits) | {fix.id}

    def refuse(commit: str) -> GateFailure | None:
        verdict = _judge(traced, commit)
        return None if verdict.holds else _describe_unmended(verdict)

    def confirm(commit: str) -> GateFailure | None:
        verdict = traced.verdicts.confirm_commit(commit)
        if not verdict.holds:
            return _describe_unmended(verdict)
        remaining = traced.remaining.find(commit)
        return GateFailure("incident_file", f"the failure remains at this commit: {remaining}") if remaining else None

    already_broken = frozenset(other.path for other in traced.gates.find_broken(traced.deployed.id))
    newest_first = list(walk_newest_first(commits, context.branch.head, containing))
    return choose_newest(traced.gates, newest_first, already_broken, refuse, confirm)


def _describe_unmended(verdict: ClaimVerdict) -> GateFailure:
    failing = "the failure is back at this commit" if verdict.holds is False else "it is not known whether it holds"
    return GateFailure("incident_file", f"{failing}: {verdict.reason}")


def _choose_rollback(context: ProofContext, traced: TracedClaim) -> TargetChoice:
    """The newest state that the branch was in before the failure came in, and that passes every gate."""
    if traced.origin.is_incomplete:
        return TargetChoice(None, ())
    states = BranchStates(context.history, context.branch.head)

    def refuse(commit: str) -> GateFailure | None:
        verdict = _judge(traced, commit)
        return None if verdict.holds else GateFailure("incident_file", verdict.reason)

    def confirm(commit: str) -> GateFailure | None:
        verdict = traced.verdicts.confirm_commit(commit)
        return None if verdict.holds else GateFailure("incident_file", verdict.reason)

    earlier = states.states_before(traced.origin.commit.id, _MAX_ROLLBACK_STATES)
    gates = replace(traced.gates, find_new_failure=lambda _: None)  # such a state has served already
    return choose_newest(gates, earlier, frozenset(), refuse, confirm)
