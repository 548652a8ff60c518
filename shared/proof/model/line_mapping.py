"""Where a later version of a file holds what stood at a line of an earlier one."""

from collections.abc import Sequence
from difflib import SequenceMatcher

_MAX_MAPPED_LINES = 20_000
"""Lines; beyond this the comparison would take longer than it is worth."""


def map_line(before: Sequence[str], after: Sequence[str], line: int) -> int:
    """The line of `after` (from 1) that stands where `line` stood in `before`, by the edits between them."""
    if max(len(before), len(after)) > _MAX_MAPPED_LINES:
        return min(line, max(1, len(after)))
    for _, old_start, old_end, new_start, new_end in SequenceMatcher(None, before, after).get_opcodes():
        if old_start < line <= old_end:
            return min(new_start + (line - old_start), max(new_start + 1, new_end))
    return min(line, max(1, len(after)))
