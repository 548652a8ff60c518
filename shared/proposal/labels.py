"""The labels of a message's paragraphs. An adapter of a chat finds each by `split_label` and sets it in bold."""

from enum import StrEnum


class Label(StrEnum):
    """What a paragraph is about, in the order of the message."""

    PROPOSAL = "Proposal"
    FAILS = "What fails"
    IMPACT = "Impact"
    SINCE = "Since"
    BROKEN = "Broken at"
    FIXED = "Fixed by"
    SUSPECTED = "Suspected"
    POSSIBLE_FIX = "Possible fix"
    TRIED = "Tried"
    NEWEST = "Newest passing commit"
    SHIPS = "What ships"
    IMAGE = "Image"
    INSTEAD = "Or go back"
    CONFIDENCE = "Confidence"
    CAUSE = "Cause"
    """Where no commit is proposed: the class of the cause,"""
    RAISED = "Logged exception"
    OWNER = "Who can act"
    MENDS = "What would fix it"
    INACTION = "If nothing is done"
    APPROVE = "Approve"
    """What a decision leads to, and who may take it,"""
    DENY = "Deny"
    ROLL_BACK = "Roll back"
    WHO_DECIDES = "Who decides"


PROOF_LABELS = frozenset((Label.BROKEN, Label.FIXED, Label.SUSPECTED, Label.POSSIBLE_FIX, Label.TRIED, Label.NEWEST))
"""The three lines of the proof."""


def split_label(line: str) -> tuple[Label | None, str]:
    """The paragraph's label and its words; None where it has no label."""
    label, colon, words = line.partition(": ")
    return (Label(label), words) if colon and label in _LABEL_VALUES else (None, line)


_LABEL_VALUES = frozenset(label.value for label in Label)
