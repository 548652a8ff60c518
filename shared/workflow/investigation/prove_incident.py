"""The second step of an investigation: proves what broke and what fixes it, and withdraws what was deployed already."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from shared.detection.raised_exception import EFFECT_KINDS
from shared.proof.model.commit_graph import contains_commit
from shared.proof.model.finding import Finding
from shared.proof.model.history import Commit
from shared.proof.model.ports import History
from shared.proof.model.recommendation import ActionKind, Reason, Recommendation
from shared.proposal.question import build_rollback_report, find_proposed_commit
from shared.proposal.rollout import ServiceState
from shared.report.report import Report, build_report
from shared.service import Service
from shared.workflow.context import Context
from shared.workflow.investigation.environment_comparison import WorkingRevisions, find_working_revisions
from shared.workflow.investigation.gather_evidence import GatheredEvidence, read_branch_sign
from shared.workflow.investigation.offer_trial import offer_trial
from shared.workflow.investigation.platform_evidence import FailingRevision, gather_platform_evidence, resolve_commit
from shared.workflow.prover import build_request
from shared.workflow.records.incident_record import IncidentRecord


@dataclass(frozen=True, slots=True)
class Proof:
    """The report, and the deploy branch as it was before the proof began."""

    report: Report
    branch_sign: str


def prove_incident(context: Context, service: Service, record: IncidentRecord, evidence: GatheredEvidence) -> Proof:
    """Raises Retry where repository, compilers or platform cannot be reached."""
    serving = evidence.serving
    with context.open_history(service) as history:
        # Before the proof: a push during the proof leads to another look.
        branch_sign = read_branch_sign(context, service, history)
        failing = FailingRevision(evidence.revision, serving, evidence.entries)
        platform = gather_platform_evidence(context, service, history, failing)
        request = build_request(service, platform.commit, lambda commit: context.checks.get_status(service, commit))
        working = _find_working_revisions(context, service, record, evidence)
        request = replace(
            request,
            revision=evidence.revision,
            source=platform.source,
            platform_statements=platform.sentences,
            environment=working.compare_environments() if working is not None else None,
            last_good=working.find_last_good_commit(history) if working is not None else None,
        )
        report = context.prover.prove_and_report(evidence.incident, history, context.compilers, request)
        report = offer_trial(context, service, record, serving, report)
        fixed = _find_fixed_revisions(context, service, history, serving, find_required_commit(report.proof))
    return Proof(_withdraw_if_failed(_withdraw_if_deployed(report, serving, record, fixed), record), branch_sign)


def _find_working_revisions(
    context: Context, service: Service, record: IncidentRecord, evidence: GatheredEvidence
) -> WorkingRevisions | None:
    """Only where a missing setting or a suspected change may be the cause: a syntax error has neither."""
    return find_working_revisions(context, service, record, evidence) if record.kind in EFFECT_KINDS else None


def find_required_commit(proof: Finding) -> Commit | None:
    """What a deployed commit has to contain so that the failure is fixed."""
    if proof.recommendation.kind is ActionKind.ROLLBACK:
        return proof.rollback.commit if proof.rollback else None
    if proof.trial_candidate is not None:  # what holds is the commit that is tried, not one that it contains
        return proof.trial_candidate.target.commit
    return proof.fix.commit if proof.fix else None


def _withdraw_if_deployed(
    report: Report, serving: ServiceState, record: IncidentRecord, fixed_revisions: Mapping[str, str]
) -> Report:
    """Recommends nothing where only other revisions serve by now, all of which contain the fix."""
    proof, names = report.proof, {name for name, share in serving.traffic.items() if share}
    if proof.recommendation.kind is ActionKind.NONE or names & {*record.revisions} or not names <= {*fixed_revisions}:
        return report
    detail = " ".join(
        f"Revision {name} serves by now, and its commit {commit} contains the fix."
        for name, commit in fixed_revisions.items()
    )
    recommendation = Recommendation(ActionKind.NONE, Reason.ALREADY_DEPLOYED, detail)
    return build_report(report.incident, replace(proof, recommendation=recommendation))


def _withdraw_if_failed(report: Report, record: IncidentRecord) -> Report:
    """Never proposes again what was deployed against this incident and taken back; a rollback instead, if one is left.

    A later commit is another one, and may be what was missing.
    """
    proof = report.proof
    if find_proposed_commit(report) not in record.failed_commits:
        return report
    back = build_rollback_report(report)
    if back is not None and find_proposed_commit(back) not in record.failed_commits:
        detail = f"{find_proposed_commit(report)} was deployed and taken back. {back.proof.recommendation.detail}"
        recommendation = replace(back.proof.recommendation, detail=detail)
        return build_report(report.incident, replace(back.proof, recommendation=recommendation))
    detail = f"{find_proposed_commit(report)} was deployed and taken back, and no other commit passes every gate."
    recommendation = Recommendation(ActionKind.NONE, Reason.FIX_DID_NOT_HOLD, detail)
    return build_report(report.incident, replace(proof, recommendation=recommendation))


def _find_fixed_revisions(
    context: Context, service: Service, history: History, serving: ServiceState, fix: Commit | None
) -> dict[str, str]:
    """The revisions with traffic that are known to contain the fix, with their commits."""
    fixed: dict[str, str] = {}
    for name in (name for name, share in serving.traffic.items() if share and fix is not None):
        revision = serving.revision if name == serving.revision.name else context.revisions.get_revision(service, name)
        commit = resolve_commit(history, revision.commit) if revision is not None and revision.commit else None
        if commit is not None and fix is not None and contains_commit(history, commit, fix.id):
            fixed[name] = commit
    return fixed
