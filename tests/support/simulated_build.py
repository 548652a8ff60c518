"""Builds images by really copying names from one file system to the next, as BuildKit's copier does; no Docker needed.

A tree of paths and the instructions of each stage come in; the files of the last stage, each with its origin, go out.
"""

import posixpath
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase


@dataclass
class FileSystem:
    """`files` maps a path to the path of the repository that it came from; `folders` are those that exist."""

    files: dict[str, str] = field(default_factory=dict)
    folders: set[str] = field(default_factory=lambda: {"/"})

    def add_file(self, path: str, origin: str) -> None:
        self.add_folder(posixpath.dirname(path))
        self.files[path] = origin

    def add_folder(self, path: str) -> None:
        while path not in self.folders:
            self.folders.add(path)
            path = posixpath.dirname(path)

    def list_below(self, folder: str) -> list[str]:
        prefix = folder.rstrip("/") + "/"
        return [path for path in self.files if path.startswith(prefix)]


def make_context(paths: Sequence[str], is_out: Callable[[str], bool]) -> FileSystem:
    """What Docker sends of a build context; paths begin with a slash."""
    context = FileSystem()
    for path in paths:
        if not is_out(path):
            context.add_file(f"/{path}", path)
    return context


def build(context: FileSystem, stages: Sequence[Sequence[str]]) -> FileSystem | None:
    """The file system of the last stage. Instructions: `WORKDIR x`, `COPY [--from=N] source… target`, `RUN rm -r x`.

    None where a build would stop: a source that does not exist, or a file in the spot of a folder.
    """
    built: list[FileSystem] = []
    for stage in stages:
        image, workdir = FileSystem(), "/"
        for instruction in stage:
            word, *rest = instruction.split()
            if word == "WORKDIR":
                workdir = posixpath.normpath(posixpath.join(workdir, rest[0]))
                image.add_folder(workdir)
                continue
            origin = re.fullmatch(r"--from=(\d+)", rest[0])
            source = built[int(origin[1])] if origin else context
            if not copy(image, source, rest[1:] if origin else rest, workdir):
                return None
        built.append(image)
    return built[-1]


def copy(image: FileSystem, source: FileSystem, words: Sequence[str], workdir: str) -> bool:
    *patterns, target = words
    matched = [name for pattern in patterns for name in sorted(expand(source, pattern))]
    if not matched:
        return False
    must_be_folder = target.endswith("/") or target == "." or len(words) > 2
    into = posixpath.normpath(posixpath.join(workdir, target))
    for name in matched:
        if name in source.files:
            is_folder = must_be_folder or into in image.folders
            spot = posixpath.join(into, posixpath.basename(name)) if is_folder else into
            if spot in image.folders or any(above in image.files for above in list_above(spot)):
                return False
            image.add_file(spot, source.files[name])
            continue
        if into in image.files:
            return False
        image.add_folder(into)
        for path in source.list_below(name):
            spot = posixpath.join(into, posixpath.relpath(path, name))
            if spot in image.folders or any(above in image.files for above in list_above(spot)):
                return False
            image.add_file(spot, source.files[path])
    return True


def list_above(path: str) -> list[str]:
    above = []
    while path != "/":
        path = posixpath.dirname(path)
        above.append(path)
    return above


def expand(source: FileSystem, pattern: str) -> set[str]:
    """The files and folders that a source of a copy names."""
    wanted = posixpath.normpath("/" + pattern.lstrip("/"))
    known = {*source.files, *source.folders} - ({"/"} if wanted != "/" else set())
    if not set("*?[") & set(wanted):
        return {wanted} & known
    parts = wanted.split("/")
    return {
        path for path in known if path.count("/") == wanted.count("/") and all(map(fnmatchcase, path.split("/"), parts))
    }
