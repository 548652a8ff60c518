"""Evidence: numbered facts with a reference that a reader can follow; every answer cites them."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum, auto


class EvidenceKind(StrEnum):
    LOG_ENTRY = "log_entry"
    REVISION = "revision"
    COMMIT = "commit"
    COMPILE = "compile"
    CODE = "code"
    """A verdict on what the code of a commit does, without compiling or running it."""
    CHECK = "check"
    FILE = "file"
    QUERY = "query"
    PROBE = "probe"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact. `ref` says where to look (a commit, `commit:path`, a log position); `text` is what is there."""

    id: str
    """`e1`, `e2`, … in the order of the report."""
    kind: EvidenceKind
    ref: str
    text: str


class FactTopic(StrEnum):
    """What a fact is about; answers look their evidence up by it."""

    SIGHTING = auto()
    RAISED = auto()
    CANDIDATE = auto()
    """One of several exceptions, one of which closed a connection."""
    GAP = auto()
    """A time in which an instance logged nothing."""
    ENVIRONMENT = auto()
    """Variables that the failing revision lacks."""
    COMPARED_FRAMES = auto()
    SUSPECTED = auto()
    SYMPTOM = auto()
    NEARBY = auto()
    COUNT = auto()
    DEPLOYED = auto()
    STATED = auto()
    DEPLOYMENT = auto()
    PYTHON = auto()
    COMPARED = auto()
    BROKEN = auto()
    LINE = auto()
    EXPLAINED = auto()
    ELSEWHERE = auto()
    SECOND_OPINION = auto()
    ALSO_BROKEN = auto()
    LOADING = auto()
    NOT_LOADED = auto()
    MISSING_IMPORT = auto()
    INTRODUCED = auto()
    ATTEMPTS = auto()
    ATTEMPT = auto()
    FIX = auto()
    NO_FIX = auto()
    NOT_DEPLOYED = auto()
    TARGET = auto()
    REFUSED = auto()
    SHIPS = auto()
    ROLLBACK = auto()
    TRIAL_CANDIDATE = auto()
    EXPERIMENT = auto()
    READ = auto()
    CI = auto()
    DEVELOPMENT = auto()
    UNSEEN = auto()


CAUSE_TOPICS = (FactTopic.RAISED, FactTopic.CANDIDATE, FactTopic.GAP, FactTopic.ENVIRONMENT)
"""What the class of a cause is based on."""


@dataclass(frozen=True, slots=True)
class Fact:
    topic: FactTopic
    kind: EvidenceKind
    ref: str
    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Numbered evidence, in the order of the report, each with its topic."""

    evidence: tuple[Evidence, ...]
    topics: tuple[FactTopic, ...]
    """The topic of each, in the same order."""

    def evidence_ids(self, *topics: FactTopic) -> tuple[str, ...]:
        """The ids of all evidence about these topics, in the order of the report."""
        return tuple(item.id for item, topic in zip(self.evidence, self.topics, strict=True) if topic in topics)


def number_facts(facts: Iterable[Fact]) -> Facts:
    """`e1`, `e2`, … in the order given."""
    numbered = tuple(facts)
    evidence = tuple(Evidence(f"e{n}", fact.kind, fact.ref, fact.text) for n, fact in enumerate(numbered, 1))
    return Facts(evidence, tuple(fact.topic for fact in numbered))
