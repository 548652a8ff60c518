"""An incident whose end is decided comes in; all that goes with that end is done, and then it is at rest.

In: an incident with an `ending`. Out: the same one in that state. The order is what makes it safe: first the decision,
by compare-and-set; then the effects, each through the ledger; last the rest, after which no tick looks at it any more.
"""

from dataclasses import replace

from shared.domain.proposal import Standing
from shared.domain.service import Service
from shared.steps import cases, decisions, effects, proposals
from shared.steps.case import Case
from shared.steps.evidence import evidence_for
from shared.steps.flow import State
from shared.steps.world import World

_SENTENCES = {
    State.DENIED: "The proposal was denied. Nothing was deployed.",
    State.EXPIRED: "The proposal expired without a decision. Nothing was deployed.",
    State.REFUSED: "The approved commit was not deployed: what the approval stood on has changed.",
    State.FAILED: "The deployment failed. The traffic is split as it was before.",
    State.ROLLED_BACK: (
        "The rollout was taken back: the traffic is split as it was before. Where it followed the newest revision, it "
        "is pinned to the one that served: the next deployment gets no traffic until somebody gives it some."
    ),
    State.RESOLVED: "Mended, and watched for as long as it takes to say so.",
    State.REPORTED: "The watch ended without a proof that the failure is mended. A person has to look at it.",
}
_TAKEN_BACK = frozenset((State.ROLLED_BACK, State.FAILED))
"""A deployment pins the traffic where it is; after one that failed, too, it is to be as it was."""
_STANDINGS = {
    State.DENIED: Standing.DENIED,
    State.EXPIRED: Standing.EXPIRED,
    State.REFUSED: Standing.REFUSED,
    State.FAILED: Standing.FAILED,
    State.ROLLED_BACK: Standing.ROLLED_BACK,
    State.RESOLVED: Standing.RESOLVED,
    State.REPORTED: Standing.INCONCLUSIVE,
    State.MUTED: Standing.MUTED,
}


def finish(world: World, service: Service, case: Case) -> Case:
    """Raises Retry where some of it has to be done again; what was done by then stays done."""
    ending = case.ending
    if ending is None or not case.active:
        return case
    told, why = _SENTENCES.get(ending, ""), case.ending_why
    if ending in _TAKEN_BACK and case.rollout is not None:
        refused = effects.shift(world, service, case.proposal, case.rollout.previous, 100)
        if refused:
            told = f"Nothing was put back: somebody has changed the service by hand ({refused})."
            ending, why = State.REPORTED, f"{told} {why}"
    if ending in _SENTENCES and (case.rollout is not None or ending is not State.REPORTED):
        effects.comment(world, service, case, ending.value, (told, case.ending_why))
    if ending is State.RESOLVED and case.issue is not None:
        effects.close_issue(world, service, case.issue.number, case.id)
    show(world, service, case, _STANDINGS.get(ending), why)

    def rested(now: Case) -> Case:
        return replace(now.to(ending, world.clock.now(), why), ending=ending) if now.active else now

    return cases.change(world, case.id, rested)


def show(world: World, service: Service, case: Case, standing: Standing | None, why: str) -> None:
    """Brings the proposal's message up to date, where there is one."""
    if standing is None or not case.message:
        return
    proposal = proposals.demand(world, case.proposal)
    message = proposals.message(proposal, evidence_for(world, service, case), case, standing, why)
    person = decisions.person(world, proposal.id)
    if person is not None:
        message = replace(message, by=person[0], decided_at=person[1])
    effects.tell(world, service, case.message, message)
