"""Reads versions of files as outlines, each once, and no more than a few hundred of them."""

from dataclasses import dataclass, field

from shared.proof.model.ports import History
from shared.proof.suspected.source_outline import SourceOutline, StatementCache, read_outline

MAX_READS = 400
"""Versions that are read for one exception."""


@dataclass(slots=True)
class Outlines:
    """Of one history. `is_exhausted` says that something was not read any more."""

    history: History
    by_lines: bool = False
    """Whether nothing is parsed, because what is asked about does not parse here."""
    is_exhausted: bool = False
    reads: int = 0
    _cache: StatementCache = field(default_factory=StatementCache)
    _by_blob: dict[str, SourceOutline | None] = field(default_factory=dict)

    def read(self, blob: str) -> SourceOutline | None:
        """None for contents that are not in this copy, or after too many reads."""
        if blob not in self._by_blob:
            if self.reads >= MAX_READS:
                self.is_exhausted = True
                return None
            self.reads += 1
            content = self.history.read(blob)
            self._by_blob[blob] = (
                read_outline(content, by_lines=self.by_lines, cache=self._cache) if content is not None else None
            )
        return self._by_blob[blob]
