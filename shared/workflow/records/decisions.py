"""The one decision about a question: whoever wins the write to its document has decided; deny beats approve.

In: a question's key and what somebody (or the clock) wants. Out: how the decision stands after it. Approving either of
its proposals, denying, expiring, refusing and the beginning of the deployment all contend for this one document, so
that no two of them happen.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from shared.errors import Retry
from shared.ports import Document
from shared.proposal.decision import DecisionState, Approvers
from shared.service import Service
from shared.text.timestamps import format_rfc3339
from shared.workflow.context import World
from shared.workflow.flow import State
from shared.workflow.records import documents

KIND = "decisions"
_MOST_LATER = 200

_OPEN = frozenset(
    (
        DecisionState.COUNTING,
        DecisionState.APPROVED,
        DecisionState.DENIED,
        DecisionState.EXPIRED,
        DecisionState.SUPERSEDED,
        DecisionState.REFUSED,
    )
)
_MAY_BECOME = {
    None: _OPEN,
    DecisionState.COUNTING: _OPEN,
    DecisionState.APPROVED: frozenset((DecisionState.DENIED, DecisionState.REFUSED, DecisionState.ACTING)),
}
"""Every other state is final."""
_BY_PEOPLE = frozenset((DecisionState.APPROVED.value, DecisionState.DENIED.value))


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's yes to one of the question's proposals; a later one of theirs takes its place."""

    by: str
    proposal: str


@dataclass(frozen=True, slots=True)
class Decision:
    """`by` is a user id, or the name of the function that decided for the clock or the world."""

    state: DecisionState
    by: str
    why: str = ""
    etag: str = ""
    """Of the service as the last check saw it; set where the deployment has begun."""
    chosen: str = ""
    """The proposal that was approved; "" where none was."""
    votes: tuple[Vote, ...] = ()
    turn: int = 0
    """How often it has been written."""

    def approvals(self, proposal: str) -> tuple[str, ...]:
        """Who has approved a proposal, in that order."""
        return tuple(vote.by for vote in self.votes if vote.proposal == proposal)


def is_open(decision: Decision | None) -> bool:
    """Whether the question still waits for an answer."""
    return decision is None or decision.state is DecisionState.COUNTING


def is_muted(decision: Decision) -> bool:
    """Whether the approval was refused because a person has put an end to the automation."""
    return decision.state is DecisionState.REFUSED and decision.why == State.MUTED.value


def load(world: World, question: str) -> Decision | None:
    """The decision as of now; None where there is none yet."""
    stored = world.store.read(KIND, question)
    return _read(stored.value) if stored else None


def person(world: World, question: str) -> tuple[str, datetime] | None:
    """Who approved or denied last, and when; None where no person has."""
    stored = world.store.read(KIND, question)
    steps = documents.parts(stored.value, "steps") if stored else ()
    by_people = [step for step in steps if documents.text(step, "state") in _BY_PEOPLE]
    return (documents.text(by_people[-1], "by"), documents.moment(by_people[-1], "at")) if by_people else None


def approvers(world: World, question: str) -> list[tuple[str, str]]:
    """User id and name of whoever has approved what was chosen."""
    stored = world.store.read(KIND, question)
    if stored is None:
        return []
    decision, steps = _read(stored.value), documents.parts(stored.value, "steps")
    agreed = {DecisionState.COUNTING.value, DecisionState.APPROVED.value}
    names = {documents.text(each, "by"): documents.text(each, "why") for each in steps if each["state"] in agreed}
    return [(person, names.get(person, "")) for person in decision.approvals(decision.chosen)]


def has_quorum(world: World, service: Service, decision: Decision) -> bool:
    """Whether enough of those who approved what was chosen may still approve it: people leave teams and groups."""
    members = world.chat.members(service.approver_group) if service.approver_group else ()
    electorate = Approvers(service, members)
    entitled = [by for by in decision.approvals(decision.chosen) if electorate.admits(by)]
    return len(entitled) >= service.quorum


def decide(world: World, question: str, wanted: Decision) -> Decision:
    """Moves the decision to the wanted one if that is still possible, and returns the one that stands.

    The same wish by somebody else counts as well as one's own: nobody is told whose write it was.
    """

    def kept(now: Decision | None) -> Decision:
        return replace(wanted, chosen=wanted.chosen or now.chosen, votes=now.votes) if now else wanted

    return _moved(world, question, kept)


def approve(world: World, question: str, vote: Vote, electorate: Approvers, why: str) -> Decision:
    """Counts one person's approval, and returns the decision that stands: approved once enough of them agree.

    Earlier votes of people who are no approvers any more are dropped.
    """

    def counted(now: Decision | None) -> Decision:
        earlier = [each for each in (now.votes if now else ()) if electorate.admits(each.by)]
        votes = (*(each for each in earlier if each.by != vote.by), vote)
        if sum(each.proposal == vote.proposal for each in votes) < electorate.service.quorum:
            return Decision(DecisionState.COUNTING, vote.by, why, votes=votes)
        return Decision(DecisionState.APPROVED, vote.by, why, chosen=vote.proposal, votes=votes)

    return _moved(world, question, counted)


def _moved(world: World, question: str, how: Callable[[Decision | None], Decision]) -> Decision:
    for _ in range(_MOST_LATER):
        stored = world.store.read(KIND, question)
        now = _read(stored.value) if stored else None
        wanted = how(now)
        if now is not None and (wanted.state not in _MAY_BECOME.get(now.state, ()) or _same(now, wanted)):
            return now
        steps = (*documents.parts(stored.value, "steps"), _step(world, wanted)) if stored else (_step(world, wanted),)
        value = _document(question, wanted, steps)
        if stored is None:
            world.store.create(KIND, question, value)  # the document tells whose it was
        elif world.store.replace(KIND, question, value, stored.version):
            return wanted
    raise Retry(f"the decision about {question} is being changed by too many at once")


def _same(now: Decision, wanted: Decision) -> bool:
    """Whether a vote was counted already: a person who presses twice is still one."""
    return now.state is wanted.state is DecisionState.COUNTING and set(now.votes) == set(wanted.votes)


def _step(world: World, wanted: Decision) -> Document:
    return {"state": wanted.state.value, "by": wanted.by, "why": wanted.why, "at": format_rfc3339(world.clock.now())}


def _document(question: str, decision: Decision, steps: tuple[Document, ...]) -> Document:
    return {
        "proposal": question,
        "state": decision.state.value,
        "by": decision.by,
        "why": decision.why,
        "etag": decision.etag,
        "chosen": decision.chosen,
        "votes": [{"by": vote.by, "proposal": vote.proposal} for vote in decision.votes],
        "steps": list(steps),
    }


def _read(value: Document) -> Decision:
    votes = documents.parts(value, "votes")
    return Decision(
        state=documents.choice(value, "state", DecisionState),
        by=documents.text(value, "by"),
        why=documents.text(value, "why"),
        etag=documents.text(value, "etag"),
        chosen=documents.text(value, "chosen"),
        votes=tuple(Vote(documents.text(vote, "by"), documents.text(vote, "proposal")) for vote in votes),
        turn=len(documents.parts(value, "steps")),
    )
