"""A question with its answer, how sure the answer is, and the evidence that it stands on."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Confidence(StrEnum):
    PROVEN = "proven"
    """A compiler or git ancestry says so."""
    OBSERVED = "observed"
    """It was logged, or stands in a file."""
    INFERRED = "inferred"
    """It follows from evidence, by a stated step."""
    UNKNOWN = "unknown"
    """No evidence."""


@dataclass(frozen=True, slots=True)
class Why:
    n: int
    question: str
    answer: str
    confidence: Confidence
    evidence: tuple[str, ...]
    """Evidence ids; empty only where `confidence` is unknown."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A why before it has its number."""

    question: str
    answer: str
    confidence: Confidence
    evidence: tuple[str, ...] = ()


def numbered(drafts: Iterable[Draft]) -> tuple[Why, ...]:
    """Counts from 1. Without evidence nothing is known, whatever the draft says."""
    return tuple(
        Why(n, draft.question, draft.answer, draft.confidence if draft.evidence else Confidence.UNKNOWN, draft.evidence)
        for n, draft in enumerate(drafts, 1)
    )
