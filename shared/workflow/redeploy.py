"""Redeploys an approved proposal: checks everything once more, then begins the deployment."""

from dataclasses import replace

from shared.errors import Reject, Retry
from shared.proof.model.recommendation import ActionKind
from shared.proposal.decision import DecisionState
from shared.proposal.proposal import Proposal
from shared.proposal.states import ProposalStatus
from shared.service import Service
from shared.workflow import requests
from shared.workflow.context import Context, StepResult
from shared.workflow.decide import publish_approval
from shared.workflow.flow import IncidentState
from shared.workflow.investigate_incident import require_service
from shared.workflow.issue.issue_commands import is_automation_stopped
from shared.workflow.records import decisions, documents, incident_record, proposals
from shared.workflow.records.decisions import Decision
from shared.workflow.records.incident_record import IncidentRecord, Rollout
from shared.workflow.rollout import rollout_effects
from shared.workflow.rollout.finish import refresh_message
from shared.workflow.rollout.recurrence import find_downgrade
from shared.workflow.rollout.rollout_limits import acquire_rollout_lock, count_against_daily_cap

_BY = "redeploy"
_STALE = "stale"


def redeploy(context: Context, proposal_id: str) -> StepResult:
    """`deploying`, `waiting:<reason>`, `refused:<reason>` or `duplicate`. Raises Retry, Reject."""
    result = _redeploy(context, proposal_id)
    if result.name.startswith("refused:"):
        requests.ask_for_look(context, result.incident)  # users wait for the answer
    return result


def _redeploy(context: Context, proposal_id: str) -> StepResult:
    proposal = proposals.require_proposal(context, proposal_id)
    record = incident_record.require_incident(context, proposal.incident)
    service = require_service(context, record)
    decision = decisions.load_decision(context, proposal.decision_key)
    if decision is None or decisions.is_open(decision):
        raise Reject("undecided", proposal.id)
    if decision.chosen and decision.chosen != proposal.id:
        raise Reject("decided_otherwise", proposal.id)
    if record.state is IncidentState.OPENED and decision.state is not DecisionState.ACTING:
        raise Retry(f"{record.id} is still being investigated")
    if decision.state is DecisionState.APPROVED:
        publish_approval(context, proposal)
        etag, objection = "", _find_lapse(context, service, record, proposal, decision)
        if not objection:
            etag, objection = _recheck_service(context, service, record, proposal)
        if not objection and not acquire_rollout_lock(context, service, proposal):
            return StepResult("waiting:another_rollout", record.id)
        if not objection and not count_against_daily_cap(context, service, proposal):
            objection = "daily_cap"
        if objection:
            next_decision = Decision(DecisionState.REFUSED, _BY, objection)
        else:
            # From here on a denial comes too late; up to here, the first write decides.
            next_decision = Decision(DecisionState.ACTING, _BY, decision.by, etag)
        decision = decisions.store_decision(context, proposal.decision_key, next_decision)
    if decision.state is not DecisionState.ACTING:
        _show_staleness(context, service, record, proposal, decision)
        return StepResult(f"refused:{decision.why if decision.by == _BY else decision.state.value}", record.id)
    return _start_rollout(context, service, record, proposal, decision.etag)


def _find_lapse(
    context: Context, service: Service, record: IncidentRecord, proposal: Proposal, decision: Decision
) -> str:
    """Why an approval no longer counts, whatever the commit is worth; "" where it does."""
    if not record.active or record.ending is not None:
        return (record.ending or record.state).value
    if context.clock.now() >= proposal.expires_at:
        return "approval_expired"
    return "" if decisions.has_quorum(context, service, decision) else "approver_removed"


def _recheck_service(context: Context, service: Service, record: IncidentRecord, proposal: Proposal) -> tuple[str, str]:
    """The service's etag, and why an approved commit is not deployed after all; "" where it is."""
    if proposals.is_stale(proposal, context.revisions.get_service_state(service)):
        return "", _STALE
    with context.open_history(service) as history:
        failed = context.prover.find_objection(
            proposal, service, history, context.compilers, lambda commit: context.checks.get_status(service, commit)
        )
    if failed:
        return "", f"gate: {failed}"
    # Compiling takes its time; what may change within it is looked at afterwards.
    serving = context.revisions.get_service_state(service)
    if proposals.is_stale(proposal, serving):
        return "", _STALE
    newer = find_downgrade(context, service, proposal, serving)
    if newer:
        return "", f"downgrade: {newer}"
    if is_automation_stopped(context, service, record):
        return "", IncidentState.MUTED.value
    return serving.etag, "kill_switch" if context.is_kill_switch_on(service.id) else ""


def _show_staleness(
    context: Context, service: Service, record: IncidentRecord, proposal: Proposal, decision: Decision
) -> None:
    """At once: the approver has read that the rollout starts. The other effects wait for the next tick."""
    if decision.why != _STALE:
        return
    if proposals.is_of_same_question(record.proposal, proposal):  # else it is about another question by now
        record = incident_record.end_incident(context, record.id, IncidentState.REFUSED, _STALE, record.look)
        refresh_message(context, service, record, ProposalStatus.REFUSED, _STALE)


def _find_late_objection(context: Context, service: Service, proposal: Proposal) -> str:
    """Why not even a deployment that was decided on begins any more; "" where it does."""
    if context.clock.now() >= proposal.expires_at:
        return "approval_expired"
    return "kill_switch" if context.is_kill_switch_on(service.id) else ""


def _start_rollout(
    context: Context, service: Service, record: IncidentRecord, proposal: Proposal, etag: str
) -> StepResult:
    begun = rollout_effects.start_deployment(
        context, service, proposal, etag, lambda: _find_late_objection(context, service, proposal)
    )
    refused = documents.read_text(begun, "refused")
    if refused:
        if proposals.is_of_same_question(record.proposal, proposal):  # else it is about another question by now
            incident_record.end_incident(context, proposal.incident, IncidentState.REFUSED, refused, record.look)
        return StepResult(f"refused:{begun.get('reason', 'stale')}", proposal.incident, refused)
    operation = documents.read_text(begun, "operation")
    is_trial = proposal.kind is ActionKind.TRIAL
    state = IncidentState.TRYING if is_trial else IncidentState.DEPLOYING

    def deploying(now: IncidentRecord) -> IncidentRecord:
        if now.rollout is not None or not now.active or now.proposal != proposal.id:
            return now  # it goes on already, or is about another question by now
        moment = context.clock.now()
        rollout = Rollout(operation, proposal.revision, begun=moment)
        return replace(now, rollout=rollout).moved_to(state, moment, operation)

    record = incident_record.update_incident(context, proposal.incident, deploying)
    if record.state is state:  # only now: no chat that is away may hold up what was approved
        shown = ProposalStatus.TRYING if is_trial else ProposalStatus.APPROVED
        refresh_message(context, service, record, shown, "")
    return StepResult(record.state.value, record.id, operation)
