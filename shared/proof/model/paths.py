"""Finds the file of a tree that a logged path means; a path from a log is compared with names, never opened."""

import posixpath
from collections.abc import Iterable, Sequence

_MAX_COMPONENTS = 64
"""Path components compared; a logged path may be as long as its writer likes."""


def split_logged_path(logged_path: str) -> tuple[str, ...]:
    """The last components of a logged path, without `.`, `..` and the root."""
    cut = logged_path.replace("\\", "/")[-4096:]
    parts = posixpath.normpath(cut).split("/")
    return tuple(part for part in parts if part not in ("", ".", ".."))[-_MAX_COMPONENTS:]


def match_logged_path(logged_path: str, tree_paths: Iterable[str]) -> Sequence[tuple[str, ...]]:
    """The paths of `tree` with the logged file name, in tiers: those that share most of the logged path come first.

    `/app/chat/run.py` puts `backend/chat/run.py` before `run.py`: what a Dockerfile copies where is not known, the
    common tail is. Within a tier only the contents can tell.
    """
    logged_parts = split_logged_path(logged_path)
    if not logged_parts:
        return ()
    tiers: dict[int, list[str]] = {}
    for path in tree_paths:
        if path.endswith(logged_parts[-1]) and (parts := path.split("/"))[-1] == logged_parts[-1]:
            tiers.setdefault(_count_common_tail(logged_parts, parts), []).append(path)
    return tuple(tuple(sorted(tiers[depth])) for depth in sorted(tiers, reverse=True))


def count_common_tail(logged_path: str, path: str) -> int:
    """How many components a path shares with the end of a logged one."""
    return _count_common_tail(split_logged_path(logged_path), path.split("/"))


def _count_common_tail(logged_parts: Sequence[str], parts: Sequence[str]) -> int:
    pairs = zip(reversed(logged_parts), reversed(parts), strict=False)
    return next(
        (depth for depth, (left, right) in enumerate(pairs) if left != right), min(len(logged_parts), len(parts))
    )


_PYTHON_SUFFIXES = (".py", ".pyw")


def is_python_name(path: str) -> bool:
    """Whether a path has a name by which Python imports a source."""
    return path.endswith(_PYTHON_SUFFIXES)


def can_be_loaded_like(path: str, other: str) -> bool:
    """Whether whatever loads `other` could load `path`: by an import, or as a script of the same kind of name."""
    return is_python_name(path) or _get_suffix(path) == _get_suffix(other)


def has_other_interpreter(content: bytes) -> bool:
    """Whether the first line hands the file to another interpreter than Python."""
    first = content[:256].split(b"\n", 1)[0]
    return first.startswith(b"#!") and b"python" not in first.lower() and b"pypy" not in first.lower()


def _get_suffix(path: str) -> str:
    name = path.rpartition("/")[2].lstrip(".")
    return name.rpartition(".")[2] if "." in name else ""
