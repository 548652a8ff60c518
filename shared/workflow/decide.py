"""Handles a verified click: stores the one decision about a question and hands it on, or refuses the click."""

from contextlib import suppress
from dataclasses import replace

from shared.errors import Retry
from shared.proposal.decision import (
    Approvers,
    Click,
    ClickAnswer,
    ClickKind,
    ClickResult,
    DecisionState,
    build_answer,
    find_refusal,
)
from shared.proposal.proposal import SNOOZE_PERIOD, Proposal
from shared.text.phrases import quote_untrusted
from shared.workflow import effects
from shared.workflow.commit_checks.propose_undeployed import request_proposal
from shared.workflow.context import Context
from shared.workflow.flow import IncidentState
from shared.workflow.records import decisions, incident_record, proposals
from shared.workflow.records.decisions import Decision, Vote
from shared.workflow.records.incident_record import IncidentRecord
from shared.workflow.records.rejections import record_rejection

_FINAL_REPLIES = {
    DecisionState.DENIED: ClickResult.ALREADY_DENIED,
    DecisionState.EXPIRED: ClickResult.EXPIRED,
    DecisionState.REFUSED: ClickResult.VOID,
    DecisionState.SUPERSEDED: ClickResult.SUPERSEDED,
}

_APPROVED_STATES = frozenset((DecisionState.APPROVED, DecisionState.ACTING))


def handle_click(context: Context, click: Click) -> ClickAnswer:
    """Raises Retry where nothing could be stored: the user is asked to click again."""
    reply = request_proposal(context, click) if click.kind is ClickKind.PROPOSE else _handle_click(context, click)
    given = build_answer(reply)
    if not given.is_accepted:
        record_rejection(
            context, f"decide.{click.proposal[:80]}", reply.value, f"{click.kind.value} by {click.user[:80]}"
        )
    return given


def _handle_click(context: Context, click: Click) -> ClickResult:
    proposal = proposals.load_proposal(context, click.proposal)
    service = context.services.get(proposal.service) if proposal else None
    record = incident_record.load_incident(context, proposal.incident) if proposal else None
    if proposal is None or service is None or record is None:
        return ClickResult.UNKNOWN_PROPOSAL
    asked_anew = bool(record.proposal) and not proposals.is_of_same_question(record.proposal, proposal)
    if not asked_anew and record.message and click.message and click.message != record.message:
        return ClickResult.TAMPERED
    standing = decisions.load_decision(context, proposal.decision_key)
    members = context.chat.list_group_members(service.approver_group) if service.approver_group else ()
    refused = find_refusal(click, proposal, service, members, context.clock.now())
    if refused is ClickResult.EXPIRED and not decisions.is_open(standing):
        refused = None  # it was decided in time; the answer says how
    if refused is not None:
        return refused
    if click.kind is ClickKind.SNOOZE:
        return _snooze(context, proposal, standing)
    if click.kind is ClickKind.DENY:
        return _deny(context, click, proposal, standing)
    return _approve(context, click, proposal, Approvers(service, members), standing)


def _deny(context: Context, click: Click, proposal: Proposal, decision: Decision | None) -> ClickResult:
    why = f"{click.user_name[:80]}: {quote_untrusted(click.reason)}" if click.reason else click.user_name[:80]
    stands = decisions.store_decision(context, proposal.decision_key, Decision(DecisionState.DENIED, click.user, why))
    if stands.state is DecisionState.ACTING:
        return ClickResult.TOO_LATE
    if stands.state is DecisionState.DENIED and (decision is None or decision.state is not DecisionState.DENIED):
        return ClickResult.DENIED
    return _build_final_reply(stands)


def _snooze(context: Context, proposal: Proposal, decision: Decision | None) -> ClickResult:
    """A user who answers a question that is already decided gets to know how."""
    if decision is not None and not decisions.is_open(decision):
        return ClickResult.ALREADY_APPROVED if decision.state in _APPROVED_STATES else _build_final_reply(decision)
    until = context.clock.now() + SNOOZE_PERIOD

    def snoozed(now: IncidentRecord) -> IncidentRecord:
        is_asked = now.state is IncidentState.PROPOSED and now.ending is None
        return replace(now, snoozed_until=max(until, now.snoozed_until or until)) if is_asked else now

    record = incident_record.update_incident(context, proposal.incident, snoozed)
    if record.snoozed_until is None or record.ending is not None:
        return ClickResult.MUTED if IncidentState.MUTED in {record.state, record.ending} else ClickResult.VOID
    return ClickResult.SNOOZED


def _build_final_reply(decision: Decision) -> ClickResult:
    """What is said of a decision that nothing changes any more."""
    return ClickResult.MUTED if decisions.is_ended_by_person(decision) else _FINAL_REPLIES[decision.state]


def _approve(
    context: Context, click: Click, proposal: Proposal, electorate: Approvers, decision: Decision | None
) -> ClickResult:
    """Without asking the platform: the chat waits three seconds. `redeploy` finds what is stale, and says so."""
    if decisions.is_open(decision):
        record = incident_record.require_incident(context, proposal.incident)
        if not record.active or record.ending is not None:
            return ClickResult.MUTED if IncidentState.MUTED in {record.state, record.ending} else ClickResult.VOID
    vote = Vote(click.user, proposal.id)
    stands = decisions.store_approval(context, proposal.decision_key, vote, electorate, click.user_name[:80])
    if stands.state in _FINAL_REPLIES:
        return _build_final_reply(stands)
    if stands.state is DecisionState.COUNTING:
        return ClickResult.COUNTED
    if stands.chosen != proposal.id:
        return ClickResult.DECIDED_OTHERWISE
    if stands.state is DecisionState.APPROVED:
        # Also when it was approved before: that process may have died here. The approval is stored and counts: where a
        # parallel click is publishing it, or nothing can be published now, the next tick hands it on.
        with suppress(Retry):
            publish_approval(context, proposal)
    return ClickResult.APPROVED if decisions.is_open(decision) else ClickResult.ALREADY_APPROVED


def publish_approval(context: Context, proposal: Proposal) -> None:
    """Publishes a stored approval, and lets the incident say so."""
    effects.publish_redeploy_approved(context, proposal.id)

    def approved(now: IncidentRecord) -> IncidentRecord:
        if now.state is not IncidentState.PROPOSED or now.ending is not None or now.proposal != proposal.decision_key:
            return now
        # The fix is that of the chosen option: a later failure is judged by whether its revision contains it.
        return replace(now, proposal=proposal.id, fix=proposal.fix or now.fix).moved_to(
            IncidentState.APPROVED, context.clock.now(), proposal.id
        )

    incident_record.update_incident(context, proposal.incident, approved)
