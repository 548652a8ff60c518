"""An incident whose end is decided comes in; all that goes with that end is done, and then it is at rest.

In: an incident with an `ending`. Out: the same one in that state. The order is what makes it safe: first the decision,
by compare-and-set; then the effects, each through the ledger; last the rest, after which no tick looks at it any more.
"""

from dataclasses import replace

from shared.domain.proposal import Message, Standing
from shared.domain.service import Service
from shared.domain.wording import said
from shared.steps import cases, decisions, effects, proposals
from shared.steps.case import Case
from shared.steps.decisions import Decision
from shared.steps.evidence import evidence_for
from shared.steps.flow import State
from shared.steps.journal import in_time, part_of, tell
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
    State.RESOLVED: (
        "Mended, and watched for as long as it takes to say so. For 30 days more, a revision that contains the fix and "
        "fails all the same opens this issue again."
    ),
    State.REPORTED: "The watch ended without a proof that the failure is mended. A person has to look at it.",
    State.MUTED: "A person has ended this: nothing more is done about it.",
}
_COMMENTED = frozenset(_SENTENCES) - {State.MUTED}
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
    why = case.ending_why
    words = _words(case, ending)
    if ending in _TAKEN_BACK and case.rollout is not None:  # first of all: it waits for nobody
        refused = effects.shift(world, service, case.proposal, case.rollout.previous, 100)
        if refused:
            words = f"Nothing was put back: somebody has changed the service by hand ({said(refused)})."
            ending, why = State.REPORTED, f"{words} {why}"
    _told(world, service, case, ending, words)
    if ending is State.RESOLVED and case.issue is not None:
        effects.close_issue(world, service, case.issue.number, case.id)
    show(world, service, case, _STANDINGS.get(ending), why)

    def at_rest(now: Case) -> Case:
        if not now.active:
            return now
        rested = replace(now.to(ending, world.clock.now(), why), ending=ending)
        return replace(rested, told=rested.step)

    return cases.change(world, case.id, at_rest)


def _words(case: Case, ending: State) -> str:
    if ending is State.REPORTED and case.rollout is None:
        return "Nothing was found to deploy. A person has to look at it."
    return _SENTENCES.get(ending, "")


def _told(world: World, service: Service, case: Case, ending: State, words: str) -> None:
    """The end, on the issue: a comment where it is news to a person, and the part of the body in any case."""
    why, step = said(case.ending_why, 600), f"{ending.value}{'' if case.look == 1 else case.look}"
    if ending in _COMMENTED and (case.rollout is not None or ending is not State.REPORTED):
        case = tell(world, service, case)  # what led to the end comes before it
        times = (in_time(world, case),) if ending is State.RESOLVED else ()
        effects.comment(world, service, case, step, (words, why, *times))
    effects.revise_issue(world, service, case, step, lambda: part_of(world, case, f"{words} {why}".strip()))


def show(world: World, service: Service, case: Case, standing: Standing | None, why: str) -> None:
    """Brings the proposal's message up to date, where there is one."""
    if standing is None or not case.message:
        return
    proposal = proposals.demand(world, case.proposal)
    message = proposals.message(proposal, evidence_for(world, service, case), case, standing, why)
    person, decision = decisions.person(world, proposal.question), decisions.load(world, proposal.question)
    if person is not None:
        message = replace(message, by=person[0], decided_at=person[1])
    if decision is not None:
        message = _with_votes(message, decision, service.quorum)
    effects.tell(world, service, case.message, message, decision.turn if decision and standing is Standing.OPEN else 0)


def _with_votes(message: Message, decision: Decision, quorum: int) -> Message:
    back = message.alternative
    if back is not None:
        back = replace(back, approvals=decision.approvals(back.proposal))
    return replace(message, approvals=decision.approvals(message.proposal), alternative=back, quorum=quorum)
