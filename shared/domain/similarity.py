"""Whether a file that vanished and a file that appeared in the same commit are one file under a new name."""

from collections import Counter
from collections.abc import Mapping

RENAME_THRESHOLD = 0.5
"""The share of common bytes from which git itself calls it a rename (`git diff -M`, default 50 %)."""


def similarity(old: bytes, new: bytes) -> float:
    """The share of the larger file's bytes that both have, line by line, wherever the lines stand: 0.0 to 1.0."""
    larger = max(len(old), len(new))
    if larger == 0:
        return 1.0
    common = Counter(old.splitlines(keepends=True)) & Counter(new.splitlines(keepends=True))
    return sum(len(line) * count for line, count in common.items()) / larger


def best_match(content: bytes, others: Mapping[str, bytes]) -> str | None:
    """The path among `others` that is most similar to `content`, if any is similar enough to be the same file."""
    scored = [(similarity(content, other), path) for path, other in others.items()]
    score, path = max(scored, default=(0.0, ""))
    return path if score >= RENAME_THRESHOLD else None
