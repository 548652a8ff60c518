"""A verified click comes in; the one decision about a question is stored and handed on, or the click is refused."""

from contextlib import suppress
from dataclasses import replace

from shared.errors import Retry
from shared.proposal.decision import ClickAnswer, Click, ClickKind, DecisionState, Approvers, ClickResult, build_answer, find_refusal
from shared.proposal.proposal import Proposal
from shared.text.phrases import quote_untrusted
from shared.workflow import effects
from shared.workflow.context import World
from shared.workflow.flow import State
from shared.workflow.records import decisions, incident_records, proposals
from shared.workflow.records.decisions import Decision, Vote
from shared.workflow.records.incident_record import Case
from shared.workflow.records.rejections import reject

_STANDS = {
    DecisionState.DENIED: ClickResult.ALREADY_DENIED,
    DecisionState.EXPIRED: ClickResult.EXPIRED,
    DecisionState.REFUSED: ClickResult.VOID,
    DecisionState.SUPERSEDED: ClickResult.SUPERSEDED,
}


def decide(world: World, click: Click) -> ClickAnswer:
    """Raises Retry where nothing could be stored: the person is asked to click again."""
    reply = _decide(world, click)
    given = build_answer(reply)
    if not given.accepted:
        reject(world, f"decide.{click.proposal[:80]}", reply.value, f"{click.kind.value} by {click.user[:80]}")
    return given


def _decide(world: World, click: Click) -> ClickResult:
    proposal = proposals.load(world, click.proposal)
    service = world.services.get(proposal.service) if proposal else None
    if proposal is None or service is None:
        return ClickResult.UNKNOWN_PROPOSAL
    case = incident_records.load(world, proposal.incident)
    asked_anew = case is not None and bool(case.proposal) and not proposals.of_one_question(case.proposal, proposal)
    if case is not None and not asked_anew and case.message and click.message and click.message != case.message:
        return ClickResult.TAMPERED
    standing = decisions.load(world, proposal.question)
    members = world.chat.members(service.approver_group) if service.approver_group else ()
    refused = find_refusal(click, proposal, service, members, world.clock.now())
    if refused is ClickResult.EXPIRED and not decisions.is_open(standing):
        refused = None  # it was decided in time; the answer tells how
    if refused is not None:
        return refused
    if click.kind is ClickKind.DENY:
        return _deny(world, click, proposal, standing)
    return _approve(world, click, proposal, Approvers(service, members), standing)


def _deny(world: World, click: Click, proposal: Proposal, before: Decision | None) -> ClickResult:
    why = f"{click.user_name[:80]}: {quote_untrusted(click.reason)}" if click.reason else click.user_name[:80]
    stands = decisions.decide(world, proposal.question, Decision(DecisionState.DENIED, click.user, why))
    if stands.state is DecisionState.ACTING:
        return ClickResult.TOO_LATE
    if stands.state is DecisionState.DENIED and (before is None or before.state is not DecisionState.DENIED):
        return ClickResult.DENIED
    return _standing(stands)


def _standing(decision: Decision) -> ClickResult:
    """What is said of a decision that nothing changes any more."""
    return ClickResult.MUTED if decisions.is_muted(decision) else _STANDS[decision.state]


def _approve(world: World, click: Click, proposal: Proposal, electorate: Approvers, before: Decision | None) -> ClickResult:
    service = electorate.service
    if decisions.is_open(before):
        case = incident_records.demand(world, proposal.incident)
        if not case.active or case.ending is not None:
            return ClickResult.MUTED if State.MUTED in {case.state, case.ending} else ClickResult.VOID
        if proposals.is_stale(proposal, world.revisions.serving(service)):
            return ClickResult.STALE
    vote = Vote(click.user, proposal.id)
    stands = decisions.approve(world, proposal.question, vote, electorate, click.user_name[:80])
    if stands.state in _STANDS:
        return _standing(stands)
    if stands.state is DecisionState.COUNTING:
        return ClickResult.COUNTED
    if stands.chosen != proposal.id:
        return ClickResult.DECIDED_OTHERWISE
    if stands.state is DecisionState.APPROVED:
        # Also when it was approved before: whoever did may have died here. It is stored and counts, whatever becomes of
        # this: where a click is half-way through the same, or nothing can be published now, the next tick hands it on.
        with suppress(Retry):
            hand_on(world, proposal)
    return ClickResult.APPROVED if decisions.is_open(before) else ClickResult.ALREADY_APPROVED


def hand_on(world: World, proposal: Proposal) -> None:
    """Publishes a stored approval, and lets the incident say so."""
    effects.publish_approved(world, proposal.id)

    def approved(now: Case) -> Case:
        if now.state is not State.PROPOSED or now.ending is not None or now.proposal != proposal.question:
            return now
        # What mends it is that of the chosen way out: a later failure is judged by whether its revision contains it.
        return replace(now, proposal=proposal.id, fix=proposal.fix or now.fix).to(
            State.APPROVED, world.clock.now(), proposal.id
        )

    incident_records.change(world, proposal.incident, approved)
