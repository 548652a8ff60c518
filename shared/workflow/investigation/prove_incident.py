"""The second step of an investigation: proves what broke and what fixes it, and withdraws what was deployed already.

It also compares a failing revision with those that work: the names of their variables, never the values, and the
commit.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from shared.detection.causes.cause import EnvironmentComparison
from shared.detection.raised_exception import EFFECT_KINDS
from shared.errors import Reject
from shared.proof.model.commit_graph import contains_commit
from shared.proof.model.finding import Finding
from shared.proof.model.history import Commit
from shared.proof.model.ports import History
from shared.proof.model.recommendation import ActionKind, Reason, Recommendation
from shared.proof.model.target import TrialCandidate
from shared.proposal.question import build_rollback_report, find_proposed_commit
from shared.proposal.rollout import Revision, ServiceState
from shared.proposal.trial import TrialVerdict, is_closed_with_1011
from shared.report.report import Report, build_report
from shared.service import Service
from shared.text.phrases import quote_untrusted, short_sha
from shared.workflow.context import Context
from shared.workflow.investigation.gather_evidence import GatheredEvidence, build_image_check, read_branch_sign
from shared.workflow.investigation.platform_evidence import FailingRevision, gather_platform_evidence, resolve_commit
from shared.workflow.prover import build_request
from shared.workflow.records import trials
from shared.workflow.records.incident_record import IncidentRecord
from shared.workflow.records.trials import Trial

_MAX_REVISIONS = 3
"""Earlier revisions that are looked at."""


@dataclass(frozen=True, slots=True)
class WorkingRevisions:
    """The failing revision, and those before it that logged no such failure: what serves first, then the newest."""

    failing: Revision
    earlier: tuple[Revision, ...]

    def compare_environments(self) -> EnvironmentComparison | None:
        """What the failing revision lacks; None where the platform lists the variables of fewer than two revisions."""
        listed = ((revision.name, revision.variables) for revision in self.earlier if revision.variables is not None)
        earlier = next(listed, None)
        if self.failing.variables is None or earlier is None:
            return None
        name, variables = earlier
        return EnvironmentComparison(self.failing.name, name, tuple(sorted({*variables} - {*self.failing.variables})))

    def find_last_good_commit(self, history: History) -> str | None:
        """The commit of the last of them, as far as the repository knows it."""
        commits = (resolve_commit(history, revision.commit) for revision in self.earlier if revision.commit)
        return next((commit for commit in commits if commit is not None), None)


def find_working_revisions(
    context: Context, service: Service, record: IncidentRecord, evidence: GatheredEvidence
) -> WorkingRevisions | None:
    """None where the log or the platform does not say which revision fails."""
    failing = _read_revision(context, service, evidence.revision) if evidence.revision else None
    if failing is None:
        return None
    return WorkingRevisions(failing, tuple(_read_earlier(context, service, record, evidence, failing)))


def _read_earlier(
    context: Context, service: Service, record: IncidentRecord, evidence: GatheredEvidence, failing: Revision
) -> Iterator[Revision]:
    shares = evidence.serving.traffic
    serving = [name for name, share in sorted(shares.items(), key=lambda item: -item[1]) if share]
    logged = [entry.revision for entry in reversed(evidence.entries) if entry.revision]
    failed = {failing.name, *record.revisions, *record.failed_revisions, *_list_failing_revisions(evidence)}
    names = [name for name in dict.fromkeys((*serving, *logged)) if name not in failed]
    for name in names[:_MAX_REVISIONS]:
        revision = _read_revision(context, service, name)
        if revision is not None and revision.created_at < failing.created_at:
            yield revision


def _list_failing_revisions(evidence: GatheredEvidence) -> set[str]:
    return {sighting.revision for sighting in evidence.incident.sightings}


def _read_revision(context: Context, service: Service, name: str) -> Revision | None:
    try:
        return context.revisions.get_revision(service, name)
    except Reject:
        return None


_MAX_ANSWER_LENGTH = 160


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
        request = build_request(
            service,
            platform.commit,
            lambda commit: context.checks.get_status(service, commit),
            build_image_check(context, service),
        )
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
        report = _offer_trial(context, service, record, serving, report)
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
    if fix is None:
        return fixed
    for name in (name for name, share in serving.traffic.items() if share):
        revision = serving.revision if name == serving.revision.name else context.revisions.get_revision(service, name)
        commit = resolve_commit(history, revision.commit) if revision is not None and revision.commit else None
        if commit is not None and contains_commit(history, commit, fix.id):
            fixed[name] = commit
    return fixed


def _offer_trial(
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
