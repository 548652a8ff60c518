"""One commit's tree as the loading rules ask it; what was asked is recorded, for nothing else can change the answer.

In: a `SourceTree`. Out: the same answers, each fetched once, and the set of everything that was asked.
"""

import re
from collections.abc import Collection, Mapping
from typing import Protocol

MAX_BYTES = 1 << 20
"""Of a script, a Dockerfile or a module, no more is read."""

_IMAGE_FILE_NAME = re.compile(r"(?:dockerfile|containerfile)(?:[.-].*)?|.*\.(?:dockerfile|containerfile)|procfile", re.I)


class SourceTree(Protocol):
    """One commit; answers are for regular files only."""

    def blob(self, path: str) -> str | None:
        """The blob id of the regular file at that path; None where there is none."""

    def folder(self, path: str) -> Mapping[str, str] | None:
        """Direct entries, name to "file" or "folder"; "" is the top; None where there is no such folder."""

    def read(self, path: str) -> bytes | None:
        """The contents; None where absent or not in this copy."""


def is_image_file(path: str) -> bool:
    """Whether a path is named as a Dockerfile or a Procfile; a new one anywhere can change which image counts."""
    return bool(_IMAGE_FILE_NAME.fullmatch(path.rpartition("/")[2]))


def is_affected_by(recorded_paths: Collection[str], path: str, *, is_added_or_removed: bool = True) -> bool:
    """Whether a change of `path` can change a closure that depends on `asked`.

    `listed`: the path was added or removed (also by a rename, or by a change of its type); False where only its
    contents changed. `asked` holds files as "a/b.py" and listed folders as "a/"; "/" is the top.
    """
    if path in recorded_paths or is_image_file(path):
        return True
    if not is_added_or_removed:
        return False
    parts = path.split("/")
    return "/" in recorded_paths or any("/".join(parts[:depth]) + "/" in recorded_paths for depth in range(1, len(parts)))


class RecordingTree:
    """Answers from another tree, each fetched once; `asked` is what was asked for."""

    def __init__(self, tree: SourceTree) -> None:
        self._tree = tree
        self._blobs: dict[str, str | None] = {}
        self._folders: dict[str, Mapping[str, str] | None] = {}
        self.recorded_paths: set[str] = set()

    def blob(self, path: str) -> str | None:
        self.recorded_paths.add(path)
        if path not in self._blobs:
            self._blobs[path] = self._tree.blob(path) if is_relative_path(path) else None
        return self._blobs[path]

    def folder(self, path: str) -> Mapping[str, str] | None:
        self.recorded_paths.add(path + "/")
        return self.list_unrecorded(path)

    def has_folder(self, path: str) -> bool:
        """Whether there is such a folder. Only its absence is recorded: what counts in one is asked for by its path."""
        found = self.list_unrecorded(path) is not None
        if not found:
            self.recorded_paths.add(path + "/")
        return found

    def list_unrecorded(self, path: str) -> Mapping[str, str] | None:
        """As `folder`, where another rule (`is_image_file`) tells when the answer changes."""
        if path not in self._folders:
            self._folders[path] = self._tree.folder(path) if not path or is_relative_path(path) else None
        return self._folders[path]

    def read(self, path: str) -> bytes | None:
        return self._tree.read(path) if self.blob(path) is not None else None

    def read_text(self, path: str) -> str:
        """The beginning of a text file; "" where it cannot be read."""
        return (self.read(path) or b"")[:MAX_BYTES].decode("utf-8", "replace")


def is_relative_path(path: str) -> bool:
    """Whether a path is a plain one below the top: no root, no step up, of a sane length."""
    return 0 < len(path) <= 4096 and path[0] != "/" and ".." not in path.split("/")
