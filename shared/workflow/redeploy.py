"""An approved proposal comes in; after everything was checked once more, its deployment begins."""

from dataclasses import replace

from shared.errors import Reject, Retry
from shared.proposal.decision import DecisionState
from shared.proposal.proposal import Proposal, ProposalStatus
from shared.service import Service
from shared.text.timestamps import format_rfc3339
from shared.workflow import effects
from shared.workflow.context import Outcome, World
from shared.workflow.decide import hand_on
from shared.workflow.flow import State
from shared.workflow.investigate_incident import service_of
from shared.workflow.issue.stop_automation import muted
from shared.workflow.records import decisions, documents, incident_records, proposals
from shared.workflow.records.decisions import Decision
from shared.workflow.records.incident_record import Case, Rollout
from shared.workflow.rollout.finish import show
from shared.workflow.rollout.recurrence_kind import lost_by
from shared.workflow.rollout.rollout_limits import count_today, hold_rollout

_BY = "redeploy"


def redeploy(world: World, proposal_id: str) -> Outcome:
    """`deploying`, `waiting:<reason>`, `refused:<reason>` or `duplicate`. Raises Retry, Reject."""
    proposal = proposals.demand(world, proposal_id)
    case = incident_records.demand(world, proposal.incident)
    service = service_of(world, case)
    decision = decisions.load(world, proposal.question)
    if decision is None or decisions.is_open(decision):
        raise Reject("undecided", proposal.id)
    if decision.chosen and decision.chosen != proposal.id:
        raise Reject("decided_otherwise", proposal.id)
    if case.state is State.OPENED and decision.state is not DecisionState.ACTING:
        raise Retry(f"{case.id} is still being investigated")
    if decision.state is DecisionState.APPROVED:
        hand_on(world, proposal)
        etag, objection = "", _lapsed(world, service, case, proposal, decision)
        if not objection:
            etag, objection = _objection(world, service, case, proposal)
        if not objection and not hold_rollout(world, service, proposal):
            return Outcome("waiting:another_rollout", case.id)
        if not objection and not count_today(world, service, proposal):
            objection = "daily_cap"
        if objection:
            wanted = Decision(DecisionState.REFUSED, _BY, objection)
        else:
            # From here on a denial comes too late; up to here, whoever writes first has decided.
            wanted = Decision(DecisionState.ACTING, _BY, decision.by, etag)
        decision = decisions.decide(world, proposal.question, wanted)
    if decision.state is not DecisionState.ACTING:
        return Outcome(f"refused:{decision.why if decision.by == _BY else decision.state.value}", case.id)
    return _deploy(world, service, case, proposal, decision.etag)


def _lapsed(world: World, service: Service, case: Case, proposal: Proposal, decision: Decision) -> str:
    """Why an approval no longer counts, whatever the commit is worth; "" where it does."""
    if not case.active or case.ending is not None:
        return (case.ending or case.state).value
    if world.clock.now() >= proposal.expires_at:
        return "approval_expired"
    return "" if decisions.has_quorum(world, service, decision) else "approver_removed"


def _objection(world: World, service: Service, case: Case, proposal: Proposal) -> tuple[str, str]:
    """The service's etag, and why an approved commit is not deployed after all; "" where it is."""
    with world.histories(service) as history:
        failed = world.prover.objection(
            proposal, service, history, world.compilers, lambda commit: world.checks.at(service, commit)
        )
    if failed:
        return "", f"gate: {failed}"
    # Compiling takes its time; what may change within it is looked at afterwards.
    serving = world.revisions.serving(service)
    if proposals.is_stale(proposal, serving):
        return "", "stale"
    newer = lost_by(world, service, proposal, serving)
    if newer:
        return "", f"downgrade: {newer}"
    if muted(world, service, case):
        return "", State.MUTED.value
    return serving.etag, "kill_switch" if world.kill_switch(service.id) else ""


def _too_late(world: World, service: Service, proposal: Proposal) -> str:
    """Why not even a deployment that was decided on begins any more; "" where it does."""
    if world.clock.now() >= proposal.expires_at:
        return "approval_expired"
    return "kill_switch" if world.kill_switch(service.id) else ""


def _deploy(world: World, service: Service, case: Case, proposal: Proposal, etag: str) -> Outcome:
    begun = effects.deploy(world, service, proposal, etag, lambda: _too_late(world, service, proposal))
    refused = documents.text(begun, "refused")
    if refused:
        if proposals.of_one_question(case.proposal, proposal):  # else it is about another question by now
            incident_records.end(world, proposal.incident, State.REFUSED, refused, case.look)
        return Outcome(f"refused:{begun.get('reason', 'stale')}", proposal.incident, refused)
    operation = documents.text(begun, "operation")

    def deploying(now: Case) -> Case:
        if now.rollout is not None or not now.active or now.proposal != proposal.id:
            return now  # it goes on already, or is about another question by now
        moment = world.clock.now()
        rollout = Rollout(operation, proposal.revision, begun=format_rfc3339(moment))
        return replace(now, rollout=rollout).to(State.DEPLOYING, moment, operation)

    case = incident_records.change(world, proposal.incident, deploying)
    if case.state is State.DEPLOYING:  # only now: no chat that is away may hold up what was approved
        show(world, service, case, ProposalStatus.APPROVED, "")
    return Outcome(case.state.value, case.id, operation)
