"""Matches the statements of two versions of a function."""

from collections import Counter
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher

_MAX_COMPARED = 1_500
"""Statements on either side that are aligned; of more, only what both begin and end with."""
_MIN_MOVED_LENGTH = 8
"""Characters of a statement that is known again where it moved: `return` and `pass` are not."""


def match_statements(older: Sequence[str], newer: Sequence[str]) -> Mapping[int, int]:
    """Positions in `newer` to positions in `older`; each is used once. What moved within the function is matched."""
    start = _count_common(older, newer)
    end = _count_common(older[start:][::-1], newer[start:][::-1])
    matched = {number: number for number in range(start)}
    matched |= {len(newer) - 1 - number: len(older) - 1 - number for number in range(end)}
    left, right = older[start : len(older) - end], newer[start : len(newer) - end]
    if left and right and max(len(left), len(right)) <= _MAX_COMPARED:
        for block in SequenceMatcher(None, left, right, autojunk=False).get_matching_blocks():
            matched |= {start + block.b + number: start + block.a + number for number in range(block.size)}
        matched |= _match_moved(older, newer, matched)
    return matched


def measure_likeness(older: Sequence[str], newer: Sequence[str]) -> float:
    """The share of the larger function's statements that both have, wherever they are: 0.0 to 1.0."""
    larger = max(len(older), len(newer))
    common = Counter(older) & Counter(newer)
    return sum(common.values()) / larger if larger else 0.0


def _count_common(older: Sequence[str], newer: Sequence[str]) -> int:
    pairs = zip(older, newer, strict=False)
    return next((number for number, (left, right) in enumerate(pairs) if left != right), min(len(older), len(newer)))


def _match_moved(older: Sequence[str], newer: Sequence[str], matched: Mapping[int, int]) -> Mapping[int, int]:
    used = set(matched.values())
    free: dict[str, list[int]] = {}
    for number, text in enumerate(older):
        if number not in used and len(text) >= _MIN_MOVED_LENGTH:
            free.setdefault(text, []).append(number)
    moved: dict[int, int] = {}
    for number, text in enumerate(newer):
        if number not in matched and free.get(text):
            moved[number] = free[text].pop(0)
    return moved
