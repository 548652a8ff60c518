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
from shared.proposal.decision import Approvers, DecisionState
from shared.service import Service
from shared.text.timestamps import format_rfc3339
from shared.workflow.context import Context
from shared.workflow.flow import IncidentState
from shared.workflow.records import documents

KIND = "decisions"
_MAX_ATTEMPTS = 200

_STATES_AFTER_OPEN = frozenset(
    (
        DecisionState.COUNTING,
        DecisionState.APPROVED,
        DecisionState.DENIED,
        DecisionState.EXPIRED,
        DecisionState.SUPERSEDED,
        DecisionState.REFUSED,
    )
)
_TRANSITIONS = {
    None: _STATES_AFTER_OPEN,
    DecisionState.COUNTING: _STATES_AFTER_OPEN,
    DecisionState.APPROVED: frozenset((DecisionState.DENIED, DecisionState.REFUSED, DecisionState.ACTING)),
}
"""Every other state is final."""
_STATES_BY_PEOPLE = frozenset((DecisionState.APPROVED.value, DecisionState.DENIED.value))


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
    version: int = 0
    """How often it has been written."""

    def approvals(self, proposal: str) -> tuple[str, ...]:
        """Who has approved a proposal, in that order."""
        return tuple(vote.by for vote in self.votes if vote.proposal == proposal)


def is_open(decision: Decision | None) -> bool:
    """Whether the question still waits for an answer."""
    return decision is None or decision.state is DecisionState.COUNTING


def is_ended_by_person(decision: Decision) -> bool:
    """Whether the approval was refused because a person has put an end to the automation."""
    return decision.state is DecisionState.REFUSED and decision.why == IncidentState.MUTED.value


def load_decision(context: Context, question: str) -> Decision | None:
    """The decision as of now; None where there is none yet."""
    stored = context.store.read(KIND, question)
    return _decision_from_document(stored.value) if stored else None


def find_last_decider(context: Context, question: str) -> tuple[str, datetime] | None:
    """Who approved or denied last, and when; None where no person has."""
    stored = context.store.read(KIND, question)
    steps = documents.read_parts(stored.value, "steps") if stored else ()
    by_people = [step for step in steps if documents.read_text(step, "state") in _STATES_BY_PEOPLE]
    return (documents.read_text(by_people[-1], "by"), documents.read_time(by_people[-1], "at")) if by_people else None


def list_approvers(context: Context, question: str) -> list[tuple[str, str]]:
    """User id and name of whoever has approved what was chosen."""
    stored = context.store.read(KIND, question)
    if stored is None:
        return []
    decision, steps = _decision_from_document(stored.value), documents.read_parts(stored.value, "steps")
    agreed = {DecisionState.COUNTING.value, DecisionState.APPROVED.value}
    names = {
        documents.read_text(each, "by"): documents.read_text(each, "why") for each in steps if each["state"] in agreed
    }
    return [(person, names.get(person, "")) for person in decision.approvals(decision.chosen)]


def has_quorum(context: Context, service: Service, decision: Decision) -> bool:
    """Whether enough of those who approved what was chosen may still approve it: people leave teams and groups."""
    members = context.chat.list_group_members(service.approver_group) if service.approver_group else ()
    electorate = Approvers(service, members)
    entitled = [by for by in decision.approvals(decision.chosen) if electorate.includes(by)]
    return len(entitled) >= service.quorum


def store_decision(context: Context, question: str, wanted: Decision) -> Decision:
    """Moves the decision to the wanted one if that is still possible, and returns the one that stands.

    The same wish by somebody else counts as well as one's own: nobody is told whose write it was.
    """

    def kept(now: Decision | None) -> Decision:
        return replace(wanted, chosen=wanted.chosen or now.chosen, votes=now.votes) if now else wanted

    return _update_decision(context, question, kept)


def store_approval(context: Context, question: str, vote: Vote, electorate: Approvers, reason: str) -> Decision:
    """Counts one person's approval, and returns the decision that stands: approved once enough of them agree.

    Earlier votes of people who are no approvers any more are dropped.
    """

    def counted(now: Decision | None) -> Decision:
        earlier = [each for each in (now.votes if now else ()) if electorate.includes(each.by)]
        votes = (*(each for each in earlier if each.by != vote.by), vote)
        if sum(each.proposal == vote.proposal for each in votes) < electorate.service.quorum:
            return Decision(DecisionState.COUNTING, vote.by, reason, votes=votes)
        return Decision(DecisionState.APPROVED, vote.by, reason, chosen=vote.proposal, votes=votes)

    return _update_decision(context, question, counted)


def _update_decision(context: Context, question: str, update: Callable[[Decision | None], Decision]) -> Decision:
    for _ in range(_MAX_ATTEMPTS):
        stored = context.store.read(KIND, question)
        now = _decision_from_document(stored.value) if stored else None
        wanted = update(now)
        if now is not None and (wanted.state not in _TRANSITIONS.get(now.state, ()) or _is_same_vote(now, wanted)):
            return now
        steps = (
            (*documents.read_parts(stored.value, "steps"), _history_step(context, wanted))
            if stored
            else (_history_step(context, wanted),)
        )
        value = _decision_to_document(question, wanted, steps)
        if stored is None:
            context.store.create(KIND, question, value)  # the document tells whose it was
        elif context.store.replace(KIND, question, value, stored.version):
            return wanted
    raise Retry(f"the decision about {question} is being changed by too many at once")


def _is_same_vote(now: Decision, wanted: Decision) -> bool:
    """Whether a vote was counted already: a person who presses twice is still one."""
    return now.state is wanted.state is DecisionState.COUNTING and set(now.votes) == set(wanted.votes)


def _history_step(context: Context, wanted: Decision) -> Document:
    return {"state": wanted.state.value, "by": wanted.by, "why": wanted.why, "at": format_rfc3339(context.clock.now())}


def _decision_to_document(question: str, decision: Decision, steps: tuple[Document, ...]) -> Document:
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


def _decision_from_document(value: Document) -> Decision:
    votes = documents.read_parts(value, "votes")
    return Decision(
        state=documents.read_choice(value, "state", DecisionState),
        by=documents.read_text(value, "by"),
        why=documents.read_text(value, "why"),
        etag=documents.read_text(value, "etag"),
        chosen=documents.read_text(value, "chosen"),
        votes=tuple(Vote(documents.read_text(vote, "by"), documents.read_text(vote, "proposal")) for vote in votes),
        version=len(documents.read_parts(value, "steps")),
    )
