"""The one decision about a question: the first write to its document decides; deny beats approve.

Approving either of its proposals, denying, expiring, refusing and the beginning of the deployment all contend for this
one document, so that no two of them happen.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from shared.proposal.decision import Approvers, DecisionState
from shared.service import Service
from shared.workflow.context import Context
from shared.workflow.flow import IncidentState
from shared.workflow.records.documents import Collection

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
_STATES_BY_PEOPLE = frozenset((DecisionState.APPROVED, DecisionState.DENIED))
_APPROVING_STATES = frozenset((DecisionState.COUNTING, DecisionState.APPROVED))


@dataclass(frozen=True, slots=True)
class Vote:
    """One user's yes to one of the question's proposals; a later one of theirs takes its place."""

    by: str
    proposal: str


@dataclass(frozen=True, slots=True)
class DecisionStep:
    """One write of a decision."""

    state: DecisionState
    by: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """`by` is a user id, or the name of the function that decided."""

    state: DecisionState
    by: str
    why: str = ""
    etag: str = ""
    """Of the service as the last check saw it; set where the deployment has begun."""
    chosen: str = ""
    """The proposal that was approved; "" where none was."""
    votes: tuple[Vote, ...] = ()
    steps: tuple[DecisionStep, ...] = ()
    """Every write of it, oldest first."""

    @property
    def version(self) -> int:
        """How often it has been written."""
        return len(self.steps)

    def approvals(self, proposal: str) -> tuple[str, ...]:
        """Who has approved a proposal, in that order."""
        return tuple(vote.by for vote in self.votes if vote.proposal == proposal)


KIND = "decisions"
DECISIONS = Collection(KIND, Decision, lambda question, _: {"proposal": question})
"""By question: the id of its first proposal."""


def is_open(decision: Decision | None) -> bool:
    """Whether the question still waits for an answer."""
    return decision is None or decision.state is DecisionState.COUNTING


def is_ended_by_person(decision: Decision) -> bool:
    """Whether the approval was refused because a user has put an end to the automation."""
    return decision.state is DecisionState.REFUSED and decision.why == IncidentState.MUTED.value


def load_decision(context: Context, question: str) -> Decision | None:
    """The decision as of now; None where there is none yet."""
    return DECISIONS.read(context.store, question)


def find_last_decider(context: Context, question: str) -> tuple[str, datetime] | None:
    """Who approved or denied last, and when; None where no user has."""
    decision = load_decision(context, question)
    steps = decision.steps if decision is not None else ()
    return next(((step.by, step.at) for step in reversed(steps) if step.state in _STATES_BY_PEOPLE), None)


def list_approvers(context: Context, question: str) -> list[tuple[str, str]]:
    """User id and name of each approver of what was chosen."""
    decision = load_decision(context, question)
    if decision is None:
        return []
    names = {step.by: step.why for step in decision.steps if step.state in _APPROVING_STATES}
    return [(user, names.get(user, "")) for user in decision.approvals(decision.chosen)]


def has_quorum(context: Context, service: Service, decision: Decision) -> bool:
    """Whether enough of those who approved what was chosen may still approve it: users leave teams and groups."""
    members = context.chat.list_group_members(service.approver_group) if service.approver_group else ()
    electorate = Approvers(service, members)
    entitled = [by for by in decision.approvals(decision.chosen) if electorate.includes(by)]
    return len(entitled) >= service.quorum


def store_decision(context: Context, question: str, wanted: Decision) -> Decision:
    """Moves the decision to `wanted` if that is still possible, and returns the one that counts.

    The caller does not learn whose write it was: the same decision by another caller counts as well.
    """

    def with_votes(now: Decision | None) -> Decision:
        return replace(wanted, chosen=wanted.chosen or now.chosen, votes=now.votes) if now else wanted

    return _update_decision(context, question, with_votes)


def store_approval(context: Context, question: str, vote: Vote, electorate: Approvers, reason: str) -> Decision:
    """Counts one user's approval, and returns the decision that counts: approved once enough of them agree.

    Earlier votes of users who are no approvers any more are dropped.
    """

    def with_vote(now: Decision | None) -> Decision:
        earlier = [before for before in (now.votes if now else ()) if electorate.includes(before.by)]
        votes = (*(before for before in earlier if before.by != vote.by), vote)
        if sum(counted.proposal == vote.proposal for counted in votes) < electorate.service.quorum:
            return Decision(DecisionState.COUNTING, vote.by, reason, votes=votes)
        return Decision(DecisionState.APPROVED, vote.by, reason, chosen=vote.proposal, votes=votes)

    return _update_decision(context, question, with_vote)


def _update_decision(context: Context, question: str, update: Callable[[Decision | None], Decision]) -> Decision:
    def moved(now: Decision | None) -> Decision:
        wanted = update(now)
        if now is not None and (wanted.state not in _TRANSITIONS.get(now.state, ()) or _is_same_vote(now, wanted)):
            return now
        step = DecisionStep(wanted.state, wanted.by, wanted.why, context.clock.now())
        return replace(wanted, steps=(*now.steps, step) if now is not None else (step,))

    return DECISIONS.change(context.store, question, moved)


def _is_same_vote(now: Decision, wanted: Decision) -> bool:
    """Whether a vote was counted already: a user who presses twice is still one."""
    return now.state is wanted.state is DecisionState.COUNTING and set(now.votes) == set(wanted.votes)
