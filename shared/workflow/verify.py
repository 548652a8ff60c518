"""Handles a tick: takes every incident one step further that is not at rest, or that a newer commit may move."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import blake2b

from shared.errors import Reject, Retry
from shared.ports import StoredDocument
from shared.proposal.decision import DecisionState
from shared.proposal.proposal import Proposal
from shared.proposal.states import ProposalStatus
from shared.service import Service
from shared.workflow import effects
from shared.workflow.commit_checks.watch_revisions import request_revision_check
from shared.workflow.context import Context, StepResult
from shared.workflow.decide import publish_approval
from shared.workflow.flow import IncidentState
from shared.workflow.investigation.cause_of_close import find_cause_of_close
from shared.workflow.investigation.gather_evidence import read_branch_sign
from shared.workflow.issue.issue_commands import is_automation_stopped
from shared.workflow.issue.issue_updates import post_updates
from shared.workflow.records import decisions, incident_record, proposals
from shared.workflow.records.decisions import Decision
from shared.workflow.records.incident_record import IncidentRecord
from shared.workflow.records.rejections import record_rejection
from shared.workflow.redeploy import redeploy
from shared.workflow.remind import remind_if_due, resolve_alerts
from shared.workflow.rollout.await_newer_commit import (
    BRANCH_CHECK_INTERVAL,
    MAX_LOOKS,
    MAX_UNFIXED_AGE,
    await_newer_commit,
)
from shared.workflow.rollout.finish import finish_incident, refresh_message
from shared.workflow.rollout.run_trial import advance_trial
from shared.workflow.rollout.watch_rollout import advance_rollout, watch_rollout
from shared.workflow.supersede import find_newer, reopen_question

ROUND_LIMIT = timedelta(minutes=4)
"""No incident is begun with later in a round: the function has nine minutes, of which one incident may take two."""
CLOSE_GRACE_PERIOD = timedelta(minutes=2)
"""How long a 1011 waits for the error that explains it."""
REPUBLISH_INTERVAL = timedelta(minutes=10)
"""After this long an incident that nobody has investigated is published again,"""
MAX_REPUBLISHES = 6
"""and so often at most; its message is then in the dead letters."""

_BY = "verify"


def verify(context: Context) -> StepResult:
    """`ticked`. Raises Retry or an unforeseen error of one incident only after all were advanced.

    A round ends in time: what it does not reach, a later one does.
    """
    begun, moved, again, unknown = context.clock.now(), 0, [], []
    waiting = _list_round(context, begun)
    while waiting and context.clock.now() < begun + ROUND_LIMIT:
        service, stored = waiting.popleft()
        try:
            record = incident_record.INCIDENTS.decode(stored.value)
            moved += advance_incident(context, service, record).state is not record.state
        except Retry as reason:
            again.append(f"{stored.key}: {reason}")
        except Reject as refused:
            record_rejection(context, f"verify.{stored.key}", refused.reason, refused.detail)
        except Exception as error:  # noqa: BLE001  # raised below: one incident must not keep the others waiting
            unknown.append(error)
    again += _request_revision_checks(context)
    if unknown:
        raise unknown[0]
    if again:
        raise Retry("; ".join(again[:5]))
    return StepResult("ticked", detail=f"{moved} moved{f', {len(waiting)} not reached' if waiting else ''}")


def _request_revision_checks(context: Context) -> list[str]:
    """Asks for the checks of new revisions; returns a sentence for each service that could not be looked at."""
    unreached: list[str] = []
    for service in context.services.values():
        try:
            request_revision_check(context, service)
        except Retry as reason:
            unreached.append(f"{service.id}: {reason}")
        except Reject as refused:
            record_rejection(context, f"verify.{service.id}", refused.reason, refused.detail)
    return unreached


def _list_round(context: Context, now: datetime) -> deque[tuple[Service, StoredDocument]]:
    """Every incident that is not at rest, from one on that each round chooses anew: none is always among the last."""
    waiting = deque(
        (service, stored)
        for service in context.services.values()
        for stored in incident_record.find_active_incidents(context, service.id)
    )
    waiting.rotate(int.from_bytes(blake2b(now.isoformat().encode(), digest_size=4).digest()))
    return waiting


def advance_incident(context: Context, service: Service, record: IncidentRecord) -> IncidentRecord:
    """One incident, one step, and its end where that is decided."""
    if record.state is IncidentState.TRIED:
        return _advance_tried(context, service, record)
    if record.ending is None:
        record = _ADVANCE_BY_STATE[record.state](context, service, record)
    record = finish_incident(context, service, record)
    if record.active:
        record = post_updates(context, service, record)
    return resolve_alerts(context, service, record)


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
    """Whatever keeps an approval from being acted on, it is tried again at every tick until it is decided."""
    redeploy(context, record.proposal)
    record = incident_record.require_incident(context, record.id)
    decision = decisions.load_decision(context, proposals.require_proposal(context, record.proposal).decision_key)
    if record.ending is None and decision is not None and record.state is IncidentState.APPROVED:
        return _end_by_decision(context, service, record, decision)
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
