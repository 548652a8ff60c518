"""A question with its answer, its confidence and the evidence that it cites, and which five of them are the whys."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum, auto


class Confidence(StrEnum):
    PROVEN = "proven"
    """A compiler or git ancestry says so."""
    OBSERVED = "observed"
    """It was logged, or is in a file."""
    INFERRED = "inferred"
    """It follows from evidence, by a stated step."""
    UNKNOWN = "unknown"
    """No evidence."""


class WhyKey(StrEnum):
    """Which question it is, however it is worded."""

    FAILED = auto()
    REJECTED = auto()
    INTRODUCED = auto()
    NOT_ENDED = auto()
    NOT_DEPLOYED = auto()
    """A fix is merged."""
    NOT_READY = auto()
    """A fix exists, and is not merged."""
    NO_FIX = auto()
    NEXT_TO_FAIL = auto()
    NOT_CAUGHT = auto()
    BEHIND = auto()
    """The error behind the error."""
    VERSION = auto()
    """Which version is deployed, where that is unknown."""
    ANY_FIX = auto()
    MEANING = auto()
    NO_COMMIT = auto()
    MENDS = auto()
    """The remedy where no commit is proposed, and who can apply it."""


class Statement(StrEnum):
    """What an answer says beside its figures, where what it says depends on what was found."""

    VERSION_NO_REASON = auto()
    ARRIVED_BROKEN = auto()
    MERGED_BROKEN = auto()
    CLAIMS_FIX = auto()
    DEPLOYED_AMONG_THEM = auto()
    """One of the changes that did not end it is what is deployed."""
    CLAIMS_NO_FIX = auto()
    FILE_DELETED = auto()
    CI_ABSENT = auto()
    CI_UNREADABLE = auto()
    CI_WITHOUT_CHECK = auto()
    CI_ON_DEPLOYED = auto()
    CI_ON_ANY = auto()
    """The file fails on every version, so that whatever compiles it must meet the error."""
    CI_ON_OTHERS = auto()
    CI_VERSION_UNKNOWN = auto()
    CI_CAN_CATCH = auto()
    """CI runs a check that can report such a failure."""
    CI_CANNOT_CATCH = auto()
    """CI checks the code, and by nothing that meets such a failure."""
    ADMITS_OTHER = auto()
    UNCOMMITTED_TREE = auto()
    CONTRADICTED = auto()
    UNTIED = auto()
    """Nothing ties the image to a commit."""
    NAMED_BY_PERSON = auto()
    TRACED = auto()
    NOT_BORNE_OUT = auto()
    FIX_OUTLIVED = auto()
    CAUSE_CLASSIFIED = auto()
    """The class of the cause is known, although no commit is proven."""


@dataclass(frozen=True, slots=True)
class Why:
    n: int
    key: WhyKey
    question: str
    answer: str
    confidence: Confidence
    evidence: tuple[str, ...]
    """Evidence ids; empty only where `confidence` is unknown."""
    statements: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True)
class WhyDraft:
    """A why before it has its number."""

    key: WhyKey
    question: str
    answer: str
    confidence: Confidence
    evidence: tuple[str, ...] = ()
    statements: tuple[Statement, ...] = ()


def number_whys(drafts: Iterable[WhyDraft]) -> tuple[Why, ...]:
    """Counts from 1. Without evidence nothing is known, whatever the draft says."""
    return tuple(
        Why(
            n,
            draft.key,
            draft.question,
            draft.answer,
            draft.confidence if draft.evidence else Confidence.UNKNOWN,
            draft.evidence,
            draft.statements,
        )
        for n, draft in enumerate(drafts, 1)
    )


FIVE = 5
_FIRST_TO_FOLD = (WhyKey.NEXT_TO_FAIL, WhyKey.INTRODUCED)
"""Questions that are no whys, and whose answers a reader also finds elsewhere: in the code, in the commits."""


@dataclass(frozen=True, slots=True)
class FiveWhys:
    """All whys of a report, parted as a post-mortem shows them."""

    five: tuple[Why, ...]
    """In their order; their own numbers may have gaps."""
    behind: Why
    """The error behind the error."""
    others: tuple[Why, ...]
    """Further questions."""


def select_five_whys(whys: Sequence[Why]) -> FiveWhys:
    """`whys` are at least five and, as the last one, the error behind the error."""
    *questions, behind = whys
    surplus = len(questions) - FIVE
    folded = [key for key in _FIRST_TO_FOLD if any(why.key is key for why in questions)][: max(0, surplus)]
    return FiveWhys(
        tuple(why for why in questions if why.key not in folded),
        behind,
        tuple(why for why in questions if why.key in folded),
    )
