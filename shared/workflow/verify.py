"""Looks at one incident and takes it one step further; what changes a service, it asks `redeploy` for."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

from shared.errors import Reject
from shared.proposal.decision import DecisionState
from shared.proposal.proposal import Proposal
from shared.proposal.states import ProposalStatus
from shared.service import Service
from shared.workflow import effects, requests
from shared.workflow.commit_checks.watch_service import request_revision_check, watch_radar
from shared.workflow.context import Context, StepResult
from shared.workflow.decide import publish_approval
from shared.workflow.flow import VISITED_STATES, IncidentState
from shared.workflow.investigation.cause_of_close import find_cause_of_close
from shared.workflow.investigation.gather_evidence import read_branch_sign
from shared.workflow.issue.issue_commands import is_automation_stopped
from shared.workflow.issue.issue_updates import post_updates
from shared.workflow.records import decisions, incident_record, proposals
from shared.workflow.records.decisions import Decision
from shared.workflow.records.incident_record import IncidentRecord
from shared.workflow.remind import remind_if_due, resolve_alerts
from shared.workflow.rollout.finish import finish_incident, refresh_message
from shared.workflow.rollout.run_trial import (
    BRANCH_CHECK_INTERVAL,
    MAX_LOOKS,
    MAX_UNFIXED_AGE,
    advance_trial,
    await_newer_commit,
)
from shared.workflow.rollout.watch_rollout import advance_rollout, watch_rollout
from shared.workflow.supersede import find_newer, reopen_question

CLOSE_GRACE_PERIOD = timedelta(minutes=2)
"""How long a 1011 waits for the error that explains it."""
APPROVAL_GRACE_PERIOD = timedelta(minutes=2)
"""How long an approval may take to be acted on before the issue says that it waits."""
REPUBLISH_INTERVAL = timedelta(minutes=10)
"""After this long an incident that nobody has investigated is published again,"""
MAX_REPUBLISHES = 6
"""and so often at most; its message is then in the dead letters."""

_BY = "verify"


def verify(context: Context, incident: str) -> StepResult:
    """`moved`, `looked`, or `at_rest`. Raises Retry, Reject with the incident's id."""
    try:
        return _look(context, incident)
    except Reject as refused:
        raise Reject(refused.reason, f"{incident}: {refused.detail}") from refused


def _look(context: Context, incident: str) -> StepResult:
    record = incident_record.require_incident(context, incident)
    service = context.services.get(record.service)
    if service is None or record.state not in VISITED_STATES:
        return StepResult("at_rest", incident)
    after = advance_incident(context, service, record)
    return StepResult("looked" if after.state is record.state else "moved", incident, after.state.value)


def watch_service(context: Context, service: str) -> StepResult:
    """`asked` or `looked`: whether new revisions of a service have traffic, which `check` is then asked about.

    Looks after its undeployed fixes as well.
    """
    watched = context.services.get(service)
    new = request_revision_check(context, watched) if watched is not None else ()
    if watched is not None:
        watch_radar(context, watched)
    return StepResult("asked" if new else "looked", detail=", ".join(new))


def advance_incident(context: Context, service: Service, record: IncidentRecord) -> IncidentRecord:
    """One incident, one step, and its end where that is decided."""
    if record.state is IncidentState.TRIED:
        return _advance_tried(context, service, record)
    if record.ending is None:
        record = _ADVANCE_BY_STATE[record.state](context, service, record)
    record = finish_incident(context, service, record)
    if record.active and not _was_just_approved(context, record):
        record = post_updates(context, service, record)
    return resolve_alerts(context, service, record)


def _was_just_approved(context: Context, record: IncidentRecord) -> bool:
    """`redeploy` may be about to refuse it: what becomes of the approval is reported at once, or a little later."""
    return record.state is IncidentState.APPROVED and context.clock.now() < record.history[-1].at + context.limit_wait(
        APPROVAL_GRACE_PERIOD
    )


def _advance_waiting(context: Context, service: Service, record: IncidentRecord) -> IncidentRecord:
    """A 1011 is the symptom of the syntax error to which the log ties it; else its own incident, after a while."""
    now = context.clock.now()
    causes = [find_cause_of_close(context, service, entry) for entry in record.entries]
    if causes and causes[0] is not None and all(causes):
        return incident_record.end_incident(
            context, record.id, IncidentState.ABSORBED, f"explained by {causes[0].id}", record.look
        )
    if now < record.opened_at + context.limit_wait(CLOSE_GRACE_PERIOD):
        return record
    record = incident_record.update_incident(
        context,
        record.id,
        lambda at: (
            at.moved_to(IncidentState.OPENED, now, "nothing explains it") if at.state is IncidentState.WAITING else at
        ),
    )
    return _advance_opened(context, service, record)


def _advance_opened(context: Context, _: Service, record: IncidentRecord) -> IncidentRecord:
    """Publishes what was stored and never published, and what has been lying there for too long."""
    since = record.history[-1].at if record.history else record.opened_at
    effects.publish_incident_opened(
        context, record, min((context.clock.now() - since) // context.limit_wait(REPUBLISH_INTERVAL), MAX_REPUBLISHES)
    )
    return record


def _advance_unfixed(context: Context, service: Service, record: IncidentRecord) -> IncidentRecord:
    """Looks whether the deploy branch has moved since, every ten minutes; and gives up after a week."""
    now = context.clock.now()
    if now >= record.opened_at + MAX_UNFIXED_AGE:
        why = f"nothing to deploy within {MAX_UNFIXED_AGE.days} days"
        return incident_record.end_incident(context, record.id, IncidentState.REPORTED, why, record.look)
    if record.looked_at is not None and now < record.looked_at + context.limit_wait(BRANCH_CHECK_INTERVAL):
        return record
    if is_automation_stopped(context, service, record):
        return incident_record.end_incident(
            context, record.id, IncidentState.MUTED, "the issue was closed or marked as wrong", record.look
        )
    with context.open_history(service) as history:
        sign = read_branch_sign(context, service, history)

    def looked(at: IncidentRecord) -> IncidentRecord:
        if at.state is not IncidentState.UNFIXED or at.look != record.look:
            return at
        if sign == at.branch_sign:
            return replace(at, looked_at=now)
        return replace(at, look=at.look + 1, looked_at=now).moved_to(
            IncidentState.OPENED, now, f"the branch has moved: {sign}"
        )

    record = incident_record.update_incident(context, record.id, looked)
    return _advance_opened(context, service, record) if record.state is IncidentState.OPENED else record


def _advance_proposed(context: Context, service: Service, record: IncidentRecord) -> IncidentRecord:
    proposal = proposals.require_proposal(context, record.proposal)
    decision = decisions.load_decision(context, proposal.decision_key)
    if decisions.is_open(decision):
        decision = _close_unanswered_question(context, service, record, proposal, decision) or decision
    if decisions.is_open(decision):
        if decision is not None or record.snoozed_until is not None:
            refresh_message(context, service, record, ProposalStatus.OPEN, "")
        remind_if_due(context, service, record, proposal)
        return record
    assert decision is not None
    if decision.state in {DecisionState.APPROVED, DecisionState.ACTING}:
        publish_approval(context, proposals.require_proposal(context, decision.chosen or proposal.id))
        return _advance_approved(context, service, incident_record.require_incident(context, record.id))
    return _end_by_decision(context, service, record, decision)


def _close_unanswered_question(
    context: Context, service: Service, record: IncidentRecord, proposal: Proposal, decision: Decision | None
) -> Decision | None:
    """How a question ends that nobody answered; None while it stays open."""
    if is_automation_stopped(context, service, record):
        ending = Decision(DecisionState.REFUSED, _BY, IncidentState.MUTED.value)
    elif context.clock.now() >= proposal.expires_at:
        ending = Decision(DecisionState.EXPIRED, _BY)
    elif record.look < MAX_LOOKS and (why := find_newer(context, service, record, proposal, decision)):
        ending = Decision(DecisionState.SUPERSEDED, _BY, why)
    else:
        return None
    return decisions.store_decision(context, proposal.decision_key, ending)


def _advance_approved(context: Context, service: Service, record: IncidentRecord) -> IncidentRecord:
    """Whatever keeps an approval from being acted on, it is asked for again at every tick until it is decided."""
    decision = decisions.load_decision(context, proposals.require_proposal(context, record.proposal).decision_key)
    if record.ending is None and decision is not None and record.state is IncidentState.APPROVED:
        record = _end_by_decision(context, service, record, decision)
    if record.ending is None and record.state is IncidentState.APPROVED:
        requests.ask_for_redeployment(context, record.proposal)
    return record


_END_STATES = {
    DecisionState.DENIED: IncidentState.DENIED,
    DecisionState.EXPIRED: IncidentState.EXPIRED,
    DecisionState.REFUSED: IncidentState.REFUSED,
}


def _end_by_decision(context: Context, service: Service, record: IncidentRecord, decision: Decision) -> IncidentRecord:
    if decision.state is DecisionState.SUPERSEDED:
        return _advance_opened(context, service, reopen_question(context, service, record, decision.why))
    ending = _END_STATES.get(decision.state)
    if ending is None:
        return record
    if decisions.is_ended_by_person(decision):
        ending = IncidentState.MUTED
    return incident_record.end_incident(context, record.id, ending, decision.why, record.look)


def _advance_deploying(context: Context, service: Service, record: IncidentRecord) -> IncidentRecord:
    if is_automation_stopped(context, service, record):
        return _end_by_user(context, record, _describe_remaining_traffic(record))
    return advance_rollout(context, service, record)


def _advance_trying(context: Context, service: Service, record: IncidentRecord) -> IncidentRecord:
    if is_automation_stopped(context, service, record):
        return _end_by_user(context, record, "; the tried revision has no traffic, the rest stays tied by name")
    return advance_trial(context, service, record)


def _advance_tried(context: Context, service: Service, record: IncidentRecord) -> IncidentRecord:
    record = await_newer_commit(context, service, record)
    return _advance_opened(context, service, record) if record.state is IncidentState.OPENED else record


def _advance_watching(context: Context, service: Service, record: IncidentRecord) -> IncidentRecord:
    if is_automation_stopped(context, service, record):
        return _end_by_user(context, record, _describe_remaining_traffic(record))
    return watch_rollout(context, service, record)


def _end_by_user(context: Context, record: IncidentRecord, traffic: str) -> IncidentRecord:
    """Ends an incident whose automation a user stopped; `traffic` continues the sentence."""
    why = f"the issue was closed or marked as wrong{traffic}"
    return incident_record.end_incident(context, record.id, IncidentState.MUTED, why, record.look)


def _describe_remaining_traffic(record: IncidentRecord) -> str:
    """What a user who stops a rollout on its way has to know."""
    rollout = record.rollout
    if rollout is None:
        return ""
    return f"; the traffic stays as it is: {rollout.share} % for {rollout.revision or 'the new revision'}, tied by name"


_ADVANCE_BY_STATE: Mapping[IncidentState, Callable[[Context, Service, IncidentRecord], IncidentRecord]] = {
    IncidentState.WAITING: _advance_waiting,
    IncidentState.OPENED: _advance_opened,
    IncidentState.UNFIXED: _advance_unfixed,
    IncidentState.PROPOSED: _advance_proposed,
    IncidentState.APPROVED: _advance_approved,
    IncidentState.DEPLOYING: _advance_deploying,
    IncidentState.TRYING: _advance_trying,
    IncidentState.WATCHING: _advance_watching,
}
