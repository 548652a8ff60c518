"""A tick comes in; every incident that is not at rest is taken one step further."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

from shared.errors import Reject, Retry
from shared.proposal.decision import DecisionState
from shared.proposal.proposal import Proposal, ProposalStatus
from shared.service import Service
from shared.workflow import effects
from shared.workflow.context import Outcome, World
from shared.workflow.decide import hand_on
from shared.workflow.flow import State
from shared.workflow.investigation.gather_evidence import branch_sign
from shared.workflow.investigation.tying import cause_of_close
from shared.workflow.issue.issue_updates import tell
from shared.workflow.issue.stop_automation import muted
from shared.workflow.records import decisions, documents, incident_records, proposals
from shared.workflow.records.decisions import Decision
from shared.workflow.records.incident_record import Case, read_case
from shared.workflow.records.rejections import reject
from shared.workflow.redeploy import redeploy
from shared.workflow.rollout.finish import finish, show
from shared.workflow.rollout.watching import follow, watch
from shared.workflow.supersede import ask_anew, newer

GRACE = timedelta(minutes=2)
"""How long a 1011 waits for the error that explains it."""
NUDGE = timedelta(minutes=10)
"""After this long an incident that nobody has investigated is published again,"""
MOST_NUDGES = 6
"""and so often at most; its message is then in the dead letters."""

LOOK = timedelta(minutes=10)
"""How often the deploy branch is looked at, of what could not be mended yet"""
PATIENCE = timedelta(days=7)
"""for so long."""

MOST_LOOKS = 20
"""So often an incident is asked about at most; after that its question stands until it expires."""

_BY = "verify"


def verify(world: World) -> Outcome:
    """`ticked`. Raises Retry or what nobody foresaw, once all were looked at, where one has to be looked at again."""
    moved, again, unknown = 0, [], []
    for service in world.services.values():
        for stored in incident_records.active(world, service.id):
            try:
                case = read_case(stored.value)
                moved += advance(world, service, case).state is not case.state
            except Retry as reason:
                again.append(f"{stored.key}: {reason}")
            except Reject as refused:
                reject(world, f"verify.{stored.key}", refused.reason, refused.detail)
            except Exception as error:  # noqa: BLE001  # raised below: one incident must not keep the others waiting
                unknown.append(error)
    if unknown:
        raise unknown[0]
    if again:
        raise Retry("; ".join(again[:5]))
    return Outcome("ticked", detail=f"{moved} moved")


def advance(world: World, service: Service, case: Case) -> Case:
    """One incident, one step, and its end where that is decided."""
    if case.ending is None:
        case = _STAGES[case.state](world, service, case)
    case = finish(world, service, case)
    return tell(world, service, case) if case.active else case


def _waiting(world: World, service: Service, case: Case) -> Case:
    """A 1011 is the symptom of the syntax error to which the log ties it; else its own incident, after a while."""
    now = world.clock.now()
    causes = [cause_of_close(world, service, entry) for entry in case.entries]
    if causes and causes[0] is not None and all(causes):
        return incident_records.end(world, case.id, State.ABSORBED, f"explained by {causes[0].id}", case.look)
    if now < case.opened_at + world.wait(GRACE):
        return case
    case = incident_records.change(
        world, case.id, lambda at: at.to(State.OPENED, now, "nothing explains it") if at.state is State.WAITING else at
    )
    return _opened(world, service, case)


def _opened(world: World, _: Service, case: Case) -> Case:
    """Publishes what was stored and never published, and what has been lying there for too long."""
    since = documents.moment(case.history[-1], "at") if case.history else case.opened_at
    effects.publish_opened(world, case, min((world.clock.now() - since) // world.wait(NUDGE), MOST_NUDGES))
    return case


def _unfixed(world: World, service: Service, case: Case) -> Case:
    """Looks whether the deploy branch has moved since, every ten minutes; and gives up after a week."""
    now = world.clock.now()
    if now >= case.opened_at + PATIENCE:
        return incident_records.end(
            world, case.id, State.REPORTED, f"nothing to deploy within {PATIENCE.days} days", case.look
        )
    if case.looked_at is not None and now < case.looked_at + world.wait(LOOK):
        return case
    if muted(world, service, case):
        return incident_records.end(world, case.id, State.MUTED, "the issue was closed or marked as wrong", case.look)
    with world.histories(service) as history:
        sign = branch_sign(world, service, history)

    def looked(at: Case) -> Case:
        if at.state is not State.UNFIXED or at.look != case.look:
            return at
        if sign == at.branch_sign:
            return replace(at, looked_at=now)
        return replace(at, look=at.look + 1, looked_at=now).to(State.OPENED, now, f"the branch has moved: {sign}")

    case = incident_records.change(world, case.id, looked)
    return _opened(world, service, case) if case.state is State.OPENED else case


def _proposed(world: World, service: Service, case: Case) -> Case:
    proposal = proposals.demand(world, case.proposal)
    decision = decisions.load(world, proposal.question)
    if decisions.is_open(decision):
        decision = _overtaken(world, service, case, proposal, decision) or decision
    if decision is None:
        return case
    if decision.state is DecisionState.COUNTING:
        show(world, service, case, ProposalStatus.OPEN, "")
        return case
    if decision.state in {DecisionState.APPROVED, DecisionState.ACTING}:
        hand_on(world, proposals.demand(world, decision.chosen or proposal.id))
        return _approved(world, service, incident_records.demand(world, case.id))
    return _decided_against(world, service, case, decision)


def _overtaken(
    world: World, service: Service, case: Case, proposal: Proposal, decision: Decision | None
) -> Decision | None:
    """How an unanswered question ends without anybody's answer; None while it stays open."""
    if muted(world, service, case):
        wanted = Decision(DecisionState.REFUSED, _BY, State.MUTED.value)
    elif world.clock.now() >= proposal.expires_at:
        wanted = Decision(DecisionState.EXPIRED, _BY)
    elif case.look < MOST_LOOKS and (why := newer(world, service, case, proposal, decision)):
        wanted = Decision(DecisionState.SUPERSEDED, _BY, why)
    else:
        return None
    return decisions.decide(world, proposal.question, wanted)


def _approved(world: World, service: Service, case: Case) -> Case:
    """Whatever keeps an approval from being acted on, it is tried again at every tick until it is decided."""
    redeploy(world, case.proposal)
    case = incident_records.demand(world, case.id)
    decision = decisions.load(world, proposals.demand(world, case.proposal).question)
    if case.ending is None and decision is not None and case.state is State.APPROVED:
        return _decided_against(world, service, case, decision)
    return case


_ENDINGS = {
    DecisionState.DENIED: State.DENIED,
    DecisionState.EXPIRED: State.EXPIRED,
    DecisionState.REFUSED: State.REFUSED,
}


def _decided_against(world: World, service: Service, case: Case, decision: Decision) -> Case:
    if decision.state is DecisionState.SUPERSEDED:
        return _opened(world, service, ask_anew(world, service, case, decision.why))
    ending = _ENDINGS.get(decision.state)
    if ending is None:
        return case
    if decisions.is_muted(decision):
        ending = State.MUTED
    return incident_records.end(world, case.id, ending, decision.why, case.look)


def _deploying(world: World, service: Service, case: Case) -> Case:
    if muted(world, service, case):
        return incident_records.end(
            world, case.id, State.MUTED, f"the issue was closed or marked as wrong{_left(case)}", case.look
        )
    return follow(world, service, case)


def _watching(world: World, service: Service, case: Case) -> Case:
    if muted(world, service, case):
        return incident_records.end(
            world, case.id, State.MUTED, f"the issue was closed or marked as wrong{_left(case)}", case.look
        )
    return watch(world, service, case)


def _left(case: Case) -> str:
    """What a person who stops a rollout on its way has to know."""
    rollout = case.rollout
    if rollout is None:
        return ""
    return f"; the traffic stays as it is: {rollout.share} % for {rollout.revision or 'the new revision'}, tied by name"


_STAGES: Mapping[State, Callable[[World, Service, Case], Case]] = {
    State.WAITING: _waiting,
    State.OPENED: _opened,
    State.UNFIXED: _unfixed,
    State.PROPOSED: _proposed,
    State.APPROVED: _approved,
    State.DEPLOYING: _deploying,
    State.WATCHING: _watching,
}
