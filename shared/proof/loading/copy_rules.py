"""Which path a copy of a Dockerfile puts where: from a path below its target to its sources, and the other way."""

import fnmatch
import posixpath
from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache

from shared.proof.loading.dockerfile_stages import CopyInstruction
from shared.proof.model.ignore_rules import DockerIgnore, parse_docker_ignore

GLOB_CHARACTERS = frozenset("*?[")


class OriginKind(StrEnum):
    """As what a path can be the origin of an image path."""

    FILE = "file"
    FOLDER = "folder"
    EITHER = "either"


Origin = tuple[str, OriginKind]


def join_context(context: str, source: str) -> str:
    """The repository path of a path of the build context."""
    path = posixpath.normpath(posixpath.join(context, source))
    return "" if path == "." else path


def get_path_below(path: str, folder: str) -> str | None:
    """What of a path is below a folder: "" for the folder itself, None outside."""
    if path == folder:
        return ""
    prefix = folder.rstrip("/") + "/"
    return path[len(prefix) :] if path.startswith(prefix) else None


def match_source(source: str, below: str, copy: CopyInstruction) -> Iterator[Origin]:
    """The context paths that a copy of `source`, which is no pattern, puts at `below` its target."""
    if copy.keeps_parents:
        if not _is_outside(below, source):
            yield below, OriginKind.EITHER
        return
    if below or not copy.is_into_folder:
        yield posixpath.join(source, below), OriginKind.EITHER
    else:
        yield source, OriginKind.FOLDER
    if below == posixpath.basename(source) and _may_be_folder(copy):
        yield source, OriginKind.FILE


def _may_be_folder(copy: CopyInstruction) -> bool:
    """Whether a file is put into the target: a folder may be there already."""
    return copy.is_into_folder or "." not in posixpath.basename(copy.target)


@lru_cache(maxsize=128)
def _parse_excluded(patterns: tuple[str, ...]) -> DockerIgnore:
    return parse_docker_ignore("", "\n".join(patterns))


def is_excluded(copy: CopyInstruction, path: str, source: str) -> bool:
    """Whether `--exclude` takes a path out, by its whole name or by that below the copied folder."""
    rules = _parse_excluded(copy.excluded)
    below = get_path_below(path, source) or path
    return any(rules.find_line(name.lstrip("/")) for name in (path, below))


def _is_outside(path: str, folder: str) -> bool:
    return folder != "." and get_path_below(path, folder) is None


def find_copy_targets(copy: CopyInstruction, origin: str, path: str) -> Iterator[str]:
    """The image paths at which a copy of `origin` puts a path."""
    if GLOB_CHARACTERS & set(origin):
        yield from _find_matched_targets(copy, origin, path)
        return
    below = path if not origin or origin == "/." else get_path_below(path, origin)
    if below is None:
        return
    if copy.keeps_parents:
        yield posixpath.join(copy.target, path)
    elif below:
        yield posixpath.join(copy.target, below.lstrip("/"))
    else:
        yield from () if copy.is_into_folder else (copy.target,)
        if _may_be_folder(copy):
            yield posixpath.join(copy.target, posixpath.basename(path))


def _find_matched_targets(copy: CopyInstruction, pattern: str, path: str) -> Iterator[str]:
    """Where a file is that a pattern matches, or whose folder it does."""
    parts, wanted = path.split("/"), pattern.split("/")
    matched = len(parts) >= len(wanted) and all(map(fnmatch.fnmatchcase, parts, wanted))
    if not matched:
        return
    if copy.keeps_parents:
        yield posixpath.join(copy.target, path)
    elif len(parts) == len(wanted):
        yield posixpath.join(copy.target, parts[-1])
    elif "." not in wanted[-1]:
        yield posixpath.join(copy.target, *parts[len(wanted) :])
