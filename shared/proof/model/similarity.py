"""Whether a file that vanished and a file that appeared in the same commit are one file under a new name."""

import posixpath
from collections import Counter
from collections.abc import Mapping

RENAME_THRESHOLD = 0.5
"""The share of common bytes from which git itself calls it a rename (`git diff -M`, default 50 %)."""


def measure_similarity(old: bytes, new: bytes) -> float:
    """The share of the larger file's bytes that both have, line by line, wherever the lines stand: 0.0 to 1.0.

    CRLF counts as LF, as in git: new line ends do not make another file.
    """
    old, new = old.replace(b"\r\n", b"\n"), new.replace(b"\r\n", b"\n")
    larger = max(len(old), len(new))
    if larger == 0:
        return 1.0
    common = Counter(old.splitlines(keepends=True)) & Counter(new.splitlines(keepends=True))
    return sum(len(line) * count for line, count in common.items()) / larger


def find_best_match(path: str, content: bytes, candidates: Mapping[str, bytes]) -> str | None:
    """The path among `others` that is most similar to `content`, if any is similar enough to be the same file.

    `path` is the other name of that content: of several that are equally similar, the one with its file name is taken.
    """
    name = posixpath.basename(path)
    scored = [
        (measure_similarity(content, other), posixpath.basename(candidate) == name, candidate)
        for candidate, other in sorted(candidates.items())
    ]
    score, _, found = max(scored, key=lambda each: each[:2], default=(0.0, False, ""))
    return found if score >= RENAME_THRESHOLD else None
