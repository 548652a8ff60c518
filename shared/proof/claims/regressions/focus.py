"""What of a source a change can have broken: the lines that are new, and whatever mentions a name that was touched."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

_WORD = re.compile(rb"[\w\x80-\xff]+")
_MAX_COMPARED = 20_000
"""Lines; a longer file counts as new."""


@dataclass(frozen=True, slots=True)
class Focus:
    """`lines`: None where all of the file is new. `former`: the source before, None where there was none."""

    names: frozenset[str] = frozenset()
    lines: frozenset[int] | None = None
    former: bytes | None = None

    @property
    def is_unchanged(self) -> bool:
        """Whether no line of the file is new."""
        return self.lines is not None and not self.lines

    def covers(self, node: ast.expr, *names: str) -> bool:
        """Whether an expression that has these names may newly fail."""
        if self.lines is None or not self.names.isdisjoint(names):
            return True
        lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
        return not self.lines.isdisjoint(lines) if len(lines) < 200 else True

    def covers_line(self, line: int, *names: str) -> bool:
        """The same for a statement of one line."""
        return self.lines is None or line in self.lines or not self.names.isdisjoint(names)

    def is_mentioned(self, source: bytes) -> bool:
        """Whether a source mentions a touched name at all."""
        return bool(self.names) and not _encode(self.names).isdisjoint(_WORD.findall(source))


@lru_cache(maxsize=16)
def _encode(names: frozenset[str]) -> frozenset[bytes]:
    return frozenset(name.encode("utf-8", "surrogatepass") for name in names)


def focus_on_change(before: bytes | None, after: bytes) -> Focus:
    """The focus on the lines of a file that changed, or that is new."""
    if before is None:
        return Focus()
    former, later = before.splitlines(), after.splitlines()
    if max(len(former), len(later)) > _MAX_COMPARED:
        return Focus(frozenset(), None, before)
    return Focus(frozenset(), frozenset(_list_new_lines(former, later)), before)


def _list_new_lines(former: list[bytes], later: list[bytes]) -> Iterator[int]:
    for tag, _, _, start, end in SequenceMatcher(None, former, later).get_opcodes():
        if tag != "equal":
            yield from range(start + 1, end + 1)
