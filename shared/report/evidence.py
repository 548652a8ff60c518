"""Evidence: numbered facts with a reference that anybody can follow; every answer cites them."""

from dataclasses import dataclass
from enum import StrEnum


class EvidenceKind(StrEnum):
    LOG_ENTRY = "log_entry"
    REVISION = "revision"
    COMMIT = "commit"
    COMPILE = "compile"
    CHECK = "check"
    FILE = "file"
    QUERY = "query"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact. `ref` says where to look (a commit, `commit:path`, a log position); `text` is what is there."""

    id: str
    """`e1`, `e2`, … in the order of the report."""
    kind: EvidenceKind
    ref: str
    text: str
