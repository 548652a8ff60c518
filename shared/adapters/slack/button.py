"""What a button or a dialog carries, so that a click on it can be bound to one proposal: a message in, JSON in and out.

The value is shown to the client and comes back from it: `decide` believes none of it and compares all of it.
"""

import json
from dataclasses import dataclass

from shared.domain.proposal import Message
from shared.errors import Reject

APPROVE = "provenfix.approve"
DENY = "provenfix.deny"
ROLL_BACK = "provenfix.roll_back"
LONGEST = 2_000
"""Characters that Slack takes as a button's value."""


@dataclass(frozen=True, slots=True)
class Bound:
    """The proposal that a click is about. All of it is opaque text."""

    proposal: str
    incident: str
    commit: str
    evidence_hash: str


def bound(message: Message) -> Bound:
    """What Approve and Deny are about."""
    return Bound(message.proposal, message.incident, message.commit, message.evidence_hash)


def alternative(message: Message) -> Bound | None:
    """What "Roll back instead" is about: the approval of another proposal on the same evidence."""
    other = message.alternative
    return Bound(other.proposal, message.incident, other.commit, message.evidence_hash) if other else None


def value(of: Bound) -> str:
    """As a button carries it."""
    return json.dumps([of.proposal, of.incident, of.commit, of.evidence_hash], separators=(",", ":"))


def read(text: str) -> Bound:
    """The reverse of `value`. Raises Reject for everything else."""
    try:
        fields = json.loads(text) if len(text) <= LONGEST else None
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, list) or len(fields) != 4 or not all(isinstance(each, str) for each in fields):
        raise Reject("malformed_button", "the value of the button is not one of ours")
    return Bound(*fields)
