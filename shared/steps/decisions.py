"""The one decision about a proposal: whoever wins the write to its document has decided; deny beats approve.

In: a proposal's id and what somebody (or the clock) wants. Out: how the decision stands after it. Approving, denying,
expiring, refusing and the beginning of the deployment all contend for this one document, so that no two of them happen.
"""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.decision import DecisionState
from shared.domain.moment import rfc3339
from shared.errors import Retry
from shared.ports import Document
from shared.steps import documents
from shared.steps.flow import State
from shared.steps.world import World

KIND = "decisions"
_MOST_LATER = 50

_MAY_BECOME = {
    None: frozenset((DecisionState.APPROVED, DecisionState.DENIED, DecisionState.EXPIRED, DecisionState.REFUSED)),
    DecisionState.APPROVED: frozenset((DecisionState.DENIED, DecisionState.REFUSED, DecisionState.ACTING)),
}
"""Every other state is final."""
_BY_PEOPLE = frozenset((DecisionState.APPROVED.value, DecisionState.DENIED.value))


@dataclass(frozen=True, slots=True)
class Decision:
    """`by` is a user id, or the name of the function that decided for the clock or the world."""

    state: DecisionState
    by: str
    why: str = ""
    etag: str = ""
    """Of the service as the last check saw it; set where the deployment has begun."""


def is_muted(decision: Decision) -> bool:
    """Whether the approval was refused because a person has put an end to the automation."""
    return decision.state is DecisionState.REFUSED and decision.why == State.MUTED.value


def load(world: World, proposal: str) -> Decision | None:
    """The decision as of now; None where there is none yet."""
    stored = world.store.read(KIND, proposal)
    return _read(stored.value) if stored else None


def person(world: World, proposal: str) -> tuple[str, datetime] | None:
    """Who approved or denied last, and when; None where no person has."""
    stored = world.store.read(KIND, proposal)
    steps = documents.parts(stored.value, "steps") if stored else ()
    by_people = [step for step in steps if documents.text(step, "state") in _BY_PEOPLE]
    return (documents.text(by_people[-1], "by"), documents.moment(by_people[-1], "at")) if by_people else None


def approvers(world: World, proposal: str) -> list[tuple[str, str]]:
    """User id and name of whoever has approved."""
    stored = world.store.read(KIND, proposal)
    steps = documents.parts(stored.value, "steps") if stored else ()
    found = {
        documents.text(step, "by"): documents.text(step, "why")
        for step in steps
        if documents.text(step, "state") == DecisionState.APPROVED.value
    }
    return list(found.items())


def decide(world: World, proposal: str, wanted: Decision) -> Decision:
    """Moves the decision to the wanted one if that is still possible, and returns the one that stands.

    The same wish by somebody else counts as well as one's own: nobody is told whose write it was.
    """
    for _ in range(_MOST_LATER):
        stored = world.store.read(KIND, proposal)
        now = _read(stored.value) if stored else None
        if wanted.state not in _MAY_BECOME.get(now.state if now else None, frozenset()):
            return now or wanted
        steps = (*documents.parts(stored.value, "steps"), _step(world, wanted)) if stored else (_step(world, wanted),)
        value = _document(proposal, wanted, steps)
        if stored is None:
            world.store.create(KIND, proposal, value)  # the document tells whose it was
        elif world.store.replace(KIND, proposal, value, stored.version):
            return wanted
    raise Retry(f"the decision about {proposal} is being changed by too many at once")


def _step(world: World, wanted: Decision) -> Document:
    return {"state": wanted.state.value, "by": wanted.by, "why": wanted.why, "at": rfc3339(world.clock.now())}


def _document(proposal: str, decision: Decision, steps: tuple[Document, ...]) -> Document:
    return {
        "proposal": proposal,
        "state": decision.state.value,
        "by": decision.by,
        "why": decision.why,
        "etag": decision.etag,
        "steps": list(steps),
    }


def _read(value: Document) -> Decision:
    return Decision(
        state=documents.choice(value, "state", DecisionState),
        by=documents.text(value, "by"),
        why=documents.text(value, "why"),
        etag=documents.text(value, "etag"),
    )
