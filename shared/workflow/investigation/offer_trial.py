"""Offers a trial where nothing is proven: a report and a probe of what serves in, a report that asks for one out.

After a trial that has proven its commit, the report asks for the traffic, with the experiment as its evidence.
"""

from dataclasses import replace

from shared.proof.model.finding import Finding
from shared.proof.model.recommendation import ActionKind, Reason, Recommendation
from shared.proof.model.trial import TrialCandidate
from shared.proposal.rollout import ServiceState
from shared.proposal.trial import TrialVerdict, is_closed_with_1011
from shared.report.report import Report, build_report
from shared.service import Service
from shared.text.phrases import quote_untrusted, short_sha
from shared.workflow.context import Context
from shared.workflow.records import trials
from shared.workflow.records.incident_record import IncidentRecord
from shared.workflow.records.trials import Trial

_MAX_ANSWER_LENGTH = 160


def offer_trial(
    context: Context, service: Service, record: IncidentRecord, serving: ServiceState, report: Report
) -> Report:
    """The report as it was, where a trial is not wanted, not possible, or not needed."""
    proof = report.proof
    if not service.allows_trials or proof.recommendation.kind is not ActionKind.NONE:
        return report
    proven = _load_proven_trial(context, record, serving)
    if proven is not None:
        return build_report(report.incident, _recommend_traffic(proof, proven))
    candidate = proof.trial_candidate
    if candidate is None:
        return report
    tried = candidate.target.commit.id in record.failed_commits
    if tried or serving.revision.is_built_from(candidate.target.commit.id):
        return build_report(report.incident, replace(proof, trial_candidate=None))
    return build_report(report.incident, _recommend_trial(context, service, proof, candidate, serving))


def _load_proven_trial(context: Context, record: IncidentRecord, serving: ServiceState) -> Trial | None:
    """The trial that has proven its commit against what serves now; None where none has, or it did not hold later."""
    trial = trials.load_trial(context, record.proven_trial)
    if trial is None or trial.verdict is not TrialVerdict.PROVEN or trial.serving != serving.revision.name:
        return None
    return None if trial.commit in record.failed_commits else trial


def _recommend_traffic(proof: Finding, trial: Trial) -> Finding:
    commit = short_sha(trial.commit)
    detail = (
        f"{commit} was tried without traffic: in {len(trial.rounds)} rounds in a row the probe of the serving revision "
        f"{trial.serving} failed with 1011, and the same probe of {trial.revision}, which runs {commit}, stayed open."
    )
    return replace(
        proof,
        recommendation=Recommendation(ActionKind.REDEPLOY, Reason.PROVEN_BY_TRIAL, detail),
        target=trial.candidate.target,
        trial_candidate=trial.candidate,
        experiment=trial.experiment,
    )


def _recommend_trial(
    context: Context, service: Service, proof: Finding, candidate: TrialCandidate, serving: ServiceState
) -> Finding:
    """Asks for a trial where the probe shows the failure at what serves; else says what it saw."""
    if serving.unprobeable_reason:
        detail = f"{proof.recommendation.detail} A possible fix cannot be tried: {serving.unprobeable_reason}."
        kept = replace(proof.recommendation, detail=detail)
        return replace(proof, recommendation=kept, trial_candidate=None)
    seen = context.probe.check(service)
    answer = (
        f"the probe of the serving revision {serving.revision.name} {quote_untrusted(seen.detail, _MAX_ANSWER_LENGTH)}"
    )
    if not is_closed_with_1011(seen):
        detail = f"{proof.recommendation.detail} A possible fix cannot be tried without traffic: {answer}."
        kept = replace(proof.recommendation, detail=detail)
        return replace(proof, recommendation=kept, trial_candidate=None)
    commit, fix = candidate.target.commit.id, candidate.possible_fix.id
    contains = "" if commit == fix else f" contains {short_sha(fix)} and"
    detail = (
        f"Nothing is proven. {short_sha(commit)}{contains} passes every gate; {short_sha(fix)} is a possible fix: "
        f"{candidate.reason}. Whether it holds can be tried without traffic: {answer}."
    )
    return replace(proof, recommendation=Recommendation(ActionKind.TRIAL, Reason.TRIAL_POSSIBLE, detail))
