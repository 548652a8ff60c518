"""An incident whose end is decided comes in; all that goes with that end is done, and then it is at rest.

In: an incident with an `ending`. Out: the same one in that state. The order is what makes it safe: first the decision,
by compare-and-set; then the effects, each through the ledger; last the rest, after which no tick looks at it any more.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from shared.proposal.proposal import Message, ProposalStatus
from shared.service import Service
from shared.text.phrases import quote_untrusted
from shared.text.timestamps import format_timestamp
from shared.workflow import effects
from shared.workflow.context import World
from shared.workflow.effects import Revised
from shared.workflow.flow import State
from shared.workflow.investigation.gather_evidence import evidence_for
from shared.workflow.issue.issue_updates import approval_of, in_time, part_of, tell, title_by_now
from shared.workflow.records import decisions, documents, incident_records, proposals
from shared.workflow.records.cause import Cause
from shared.workflow.records.decisions import Decision
from shared.workflow.records.incident_record import Case
from shared.workflow.records.proposal_status import ENDS
from shared.workflow.rollout.next_question import Outlook, opened_again, outlook_after

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
_DEEDS = {
    State.EXPIRED: "Expired",
    State.REFUSED: "Refused automatically",
    State.FAILED: "Given up automatically",
    State.ROLLED_BACK: "Rolled back automatically",
    State.RESOLVED: "Resolved automatically",
    State.REPORTED: "Ended automatically",
}
"""Whose doing an end was: where it is not here, that of the person whom the reason names."""


def finish(world: World, service: Service, case: Case) -> Case:
    """Raises Retry where some of it has to be done again; what was done by then stays done."""
    ending = case.ending
    if ending is None or not case.active:
        return case
    why, cause, commit = case.ending_why, case.ending_cause, ""
    words = _words(case, ending)
    if ending in _TAKEN_BACK and case.rollout is not None:  # first of all: it waits for nobody
        refused = effects.shift(world, service, case.proposal, case.rollout.previous, 100)
        if refused:
            words = f"Nothing was put back: somebody has changed the service by hand ({quote_untrusted(refused)})."
            ending, cause, why = State.REPORTED, Cause.NOT_PUT_BACK, f"{words} {why}"
        else:
            outlook = _outlook(world, service, case)
            why, commit = f"{_stopped(why)}{outlook.words}", outlook.commit
    end = End(ending, words, why)
    _tell_issue(world, service, case, end)
    if ending is State.RESOLVED and case.issue is not None:
        effects.close_issue(world, service, case.issue.number, case.id)
    show(world, service, case, ENDS.get(ending), why)
    failed = proposals.demand(world, case.proposal).commit if commit else ""

    def at_rest(now: Case) -> Case:
        if not now.active or now.ending is None or now.look != case.look:
            return now
        moment = world.clock.now()
        rested = replace(now.to(ending, now.ended_at or moment, why), ending=ending, ending_why=why, rest_at=moment)
        rested = replace(rested, ending_cause=cause, told=rested.step)
        return opened_again(rested, failed, moment) if failed else rested

    case = incident_records.change(world, case.id, at_rest)
    if case.state is State.OPENED:
        effects.publish_opened(world, case)
    return case


@dataclass(frozen=True, slots=True)
class End:
    """A decided end: what it means, and why it came to it."""

    state: State
    words: str
    why: str


def _outlook(world: World, service: Service, case: Case) -> Outlook:
    proposal = proposals.demand(world, case.proposal)
    return outlook_after(service, case, proposal, evidence_for(world, service, case))


def _stopped(sentence: str) -> str:
    """With a full stop and a space, so that another sentence can follow."""
    return f"{sentence.rstrip()}{'' if sentence.rstrip().endswith(('.', '!', '?')) else '.'} " if sentence else ""


def _words(case: Case, ending: State) -> str:
    if ending is State.REPORTED and case.rollout is None:
        return "Nothing was found to deploy. A person has to look at it."
    return _SENTENCES.get(ending, "")


def _tell_issue(world: World, service: Service, case: Case, end: End) -> None:
    """The end, on the issue: a comment where it is news to a person, and the part of the body in any case."""
    why, step = quote_untrusted(end.why, 900), f"{end.state.value}{'' if case.look == 1 else case.look}"
    words = f"{_deed(world, case, end.state)}{end.words}"
    if end.state in _COMMENTED and (case.rollout is not None or end.state is not State.REPORTED):
        case = tell(world, service, case)  # what led to the end comes before it
        times = (in_time(case),) if end.state is State.RESOLVED else ()
        effects.comment(world, service, case, step, (words, why, *times))
    revised = Revised(part_of(world, case, f"{words} {why}".strip(), end.state), title_by_now(world, case, end.state))

    def by_now() -> Revised | None:
        now = incident_records.demand(world, case.id)
        return revised if now.look == case.look and now.ending is not None else None  # else something newer is shown

    effects.revise_issue(world, service, case, step, by_now)


def _deed(world: World, case: Case, state: State) -> str:
    """`Rolled back automatically at … (approved by nora (`U-NORA`) at …). `; "" where a person has ended it."""
    if state not in _DEEDS or not case.proposal:
        return ""
    at = format_timestamp(case.ended_at or world.clock.now(), dated=True)
    approval = approval_of(world, proposals.demand(world, case.proposal))
    return f"{_DEEDS[state]} at {at}{f' ({approval})' if approval else ''}. "


def show(world: World, service: Service, case: Case, standing: ProposalStatus | None, why: str) -> None:
    """Brings the proposal's message up to date, where there is one."""
    if standing is None or not case.message:
        return
    proposal = proposals.demand(world, case.proposal)
    message = proposals.message(proposal, evidence_for(world, service, case), case, standing, why)
    person, decision = decisions.person(world, proposal.question), decisions.load(world, proposal.question)
    message = replace(message, at=_since(world, case, standing))
    if person is not None:
        message = replace(message, by=person[0], decided_at=person[1])
    if decision is not None:
        message = _with_votes(message, decision, service.quorum)
    effects.tell(world, service, case.message, message, decision.turn if decision and standing is ProposalStatus.OPEN else 0)


def _since(world: World, case: Case, standing: ProposalStatus) -> datetime | None:
    """When the question came to stand so: never when somebody approved it."""
    if standing in {ProposalStatus.OPEN, ProposalStatus.SUPERSEDED}:
        return world.clock.now()
    if case.ending is not None:
        return case.ended_at
    return documents.moment(case.history[-1], "at") if case.history else None


def _with_votes(message: Message, decision: Decision, quorum: int) -> Message:
    back = message.alternative
    if back is not None:
        back = replace(back, approvals=decision.approvals(back.proposal))
    return replace(message, approvals=decision.approvals(message.proposal), alternative=back, quorum=quorum)
