"""The five whys and the error behind the error, every answer from evidence."""

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
