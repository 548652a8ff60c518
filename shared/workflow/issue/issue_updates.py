"""An incident comes in; its issue tells of it: one comment for each event, and one part of its body, edited in place.

Nothing waits for this but the incident's rest: while the code host is away, what was approved is deployed all the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from shared.ports import WRONG_LABEL
from shared.proof.model.finding import Kind
from shared.proposal.proposal import Proposal
from shared.proposal.verdict import WATCH_DURATION
from shared.report.incident_status import Milestone, passed, state_part
from shared.report.issue import inert_title
from shared.service import Service
from shared.text.phrases import join_words, quote_untrusted
from shared.text.timestamps import format_timestamp
from shared.workflow import effects
from shared.workflow.context import World
from shared.workflow.effects import Revised
from shared.workflow.flow import State
from shared.workflow.investigation.gather_evidence import KIND as EVIDENCE
from shared.workflow.records import decisions, documents, incident_records, proposals
from shared.workflow.records.incident_record import Case
from shared.workflow.records.milestones import NAMES, milestones
from shared.workflow.records.proposal_status import standing_of, title_of

HINT = (
    f"What you can do here: label this issue `{WRONG_LABEL}`, and all automation for this incident stops for good; close it, "
    "and this incident ends; comment `/provenfix reinvestigate`, and whatever has no fix yet is looked at again."
)
_AGAIN = "Comment `/provenfix reinvestigate`, and it is looked at again, on the evidence of then."
_URGENT = frozenset((State.PROPOSED, State.REPORTED, State.FAILED, State.ROLLED_BACK, State.REFUSED, State.EXPIRED))
"""What waits for a person."""
_VERBS = {Kind.REDEPLOY: "redeploy", Kind.ROLLBACK: "roll back to", Kind.NONE: "deploy"}


def tell(world: World, service: Service, case: Case) -> Case:
    """Tells what has happened since the issue told of it last. Raises Retry where that has to be tried again."""
    if case.issue is None or case.told == case.step:
        return case
    if not case.told:
        effects.prepare_labels(world, service)
    for part, sentences in _events(world, case):
        effects.comment(world, service, case, part, sentences)
    effects.revise_issue(world, service, case, case.step, lambda: _by_now(world, case.id))
    return incident_records.change(world, case.id, lambda now: replace(now, told=case.step))


def _by_now(world: World, incident: str) -> Revised | None:
    """None where the end is decided: its own words are shown by whoever finishes it, or have been."""
    case = incident_records.demand(world, incident)
    return Revised(part_of(world, case), title_by_now(world, case)) if case.ending is None else None


def title_by_now(world: World, case: Case, ending: State | None = None) -> str:
    """The issue's title as the incident stands; "" where its evidence is not there, or is older than this question."""
    evidence = world.store.read(EVIDENCE, case.evidence)
    proposal = world.store.read(proposals.KIND, case.proposal) if case.proposal else None
    if evidence is None or proposal is None:
        return ""
    return inert_title(title_of(case, evidence.value, proposal.value, standing_of(case, ending)))


def part_of(world: World, case: Case, ending: str = "", ends: State | None = None) -> str:
    """How the incident stands, as Markdown; `ending` says it of one whose end, `ends`, is decided."""
    state = ends if ending and ends else case.state
    words = ending or _standing(world, case, state)
    hint = HINT if case.active and not ending else _AGAIN if _askable(case, state) else ""
    return state_part(words, urgent=state in _URGENT, since=_reached(case), hint=hint, state=state.value)


def _askable(case: Case, state: State) -> bool:
    return replace(case, state=state, ending=None).askable


def in_time(case: Case) -> str:
    """How long everything took, from the first log entry to its end, which is decided."""
    return passed([*_reached(case), ("verified", case.ended_at)] if case.ended_at else _reached(case))


def _reached(case: Case) -> Sequence[Milestone]:
    """What was reached, and when, the first log entry first."""
    reached = milestones(case)
    return [(name, at) for name in NAMES if (at := getattr(reached, name)) is not None]


def _events(world: World, case: Case) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What deserves a comment and was not told yet, oldest first; each has a name of its own."""
    seen = case.steps.index(case.told) + 1 if case.told in case.steps else 0
    again = _again(case.look)
    reached = {documents.choice(step, "state", State) for step in case.history[seen:]}
    proposal = proposals.load(world, case.proposal) if case.proposal else None
    if case.regresses and not case.told:
        revisions = join_words([quote_untrusted(each, 80) for each in case.revisions] or ["without a name"])
        yield (
            "recurred",
            (
                f"It is back: revision {revisions} contains the fix and fails all the same.",
                "This issue is open again, and its text is about this failure now.",
            ),
        )
    if proposal is not None and State.PROPOSED in reached and not _supersedes(world, case):
        yield f"proposed{again}", (asked(proposal),)
    if proposal is not None and State.APPROVED in reached:
        yield f"approved{again}", (f"{_approved(world, proposal)} It is deployed once everything was checked again.",)
    if proposal is not None and case.rollout is not None and State.WATCHING in reached:
        serves = f"revision {quote_untrusted(case.rollout.revision, 80)} runs {proposal.commit}"
        yield f"deployed{again}", (f"Deployed: {serves} and has all of the traffic.",)


def _supersedes(world: World, case: Case) -> bool:
    """Whether its question only takes the place of one that was open: the edited part says so, and nobody is told.

    Where the code host was away, and nobody was told of that one either, it is news.
    """
    states = [documents.choice(step, "state", State) for step in case.history]
    place = len(states) - 1 - states[::-1].index(State.PROPOSED)
    if states[max(0, place - 2) : place] != [State.PROPOSED, State.OPENED]:
        return False
    return any(effects.commented(world, case, f"proposed{_again(look)}") for look in range(1, case.look))


def _again(look: int) -> str:
    """Tells the comments of later looks from those of the first."""
    return "" if look == 1 else f"{look}"


def asked(proposal: Proposal) -> str:
    """What is to be decided, and until when."""
    return (
        f"A decision is awaited in the chat: {_VERBS[proposal.kind]} {proposal.commit}? "
        f"The question expires at {format_timestamp(proposal.expires_at, dated=True)}; without an approval nothing is deployed."
    )


def _approved(world: World, proposal: Proposal) -> str:
    people = _people(world, proposal)
    return f"Approved{f' by {people}' if people else ''}: {_VERBS[proposal.kind]} {proposal.commit}."


def _people(world: World, proposal: Proposal) -> str:
    who = decisions.approvers(world, proposal.question)
    named = [f"{quote_untrusted(name, 80)} (`{quote_untrusted(user, 40)}`)" if name else f"`{quote_untrusted(user, 40)}`" for user, name in who]
    return join_words(named) if named else ""


def approval_of(world: World, proposal: Proposal) -> str:
    """`approved by nora (`U-NORA`) at 2026-…`: who, and when the last of them did; "" where nobody has."""
    people, last = _people(world, proposal), decisions.person(world, proposal.question)
    return f"approved by {people}{f' at {format_timestamp(last[1], dated=True)}' if last else ''}" if people else ""


def _standing(world: World, case: Case, state: State) -> str:
    proposal = proposals.load(world, case.proposal) if case.proposal else None
    if state is State.PROPOSED and proposal is not None:
        return asked(proposal)
    if state is State.WATCHING and proposal is not None and case.rollout is not None and case.rollout.since:
        until = format_timestamp(datetime.fromisoformat(case.rollout.since) + WATCH_DURATION, dated=True)
        since, approval = format_timestamp(datetime.fromisoformat(case.rollout.since), dated=True), approval_of(world, proposal)
        deployed = f"Deployed automatically at {since}{f' ({approval})' if approval else ''}"
        return f"{deployed}: {proposal.commit} has all of the traffic. It is watched until {until}."
    return _STANDING.get(state, _STANDING[State.OPENED]).format(commit=proposal.commit if proposal else "The commit")


_STANDING = {
    State.OPENED: "The proof stands below. What follows from it is being put down.",
    State.UNFIXED: "Nothing can be deployed yet. Whenever the deploy branch moves, this is looked at again.",
    State.REPORTED: "Nothing is proposed, and a person has to look at it. The reason is below.",
    State.APPROVED: "Approved: {commit} is checked once more, and then deployed.",
    State.DEPLOYING: "{commit} is being deployed, and gets its traffic step by step.",
    State.WATCHING: "{commit} is deployed and has all of the traffic. It is being watched.",
}
