"""A repository's past as values: commits, the versions of a file, the tree of one commit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit. `parents` may be rewritten by a path-limited walk to the nearest commits that the walk kept."""

    id: str
    """40 hex digits (64 in a SHA-256 repository)."""
    parents: tuple[str, ...]
    committed_at: datetime
    authored_at: datetime
    author: str
    subject: str


@dataclass(frozen=True, slots=True)
class FileVersion:
    """A commit of a path-limited walk, with the blob of each walked path after it (absent paths are left out)."""

    commit: Commit
    blobs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """A regular file of a commit's tree (symbolic links and submodules are not listed)."""

    path: str
    blob: str


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder of a tree, by name: the blobs of its regular files and the ids of its folders.

    Folders with the same id hold the same, at whatever commit and path.
    """

    files: Mapping[str, str]
    folders: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Branch:
    """The deploy branch: its name as a person would say it, and the commit at its head."""

    name: str
    head: str


@dataclass(frozen=True, slots=True)
class FileChange:
    """Lines added and deleted in one file; both None for a binary file."""

    path: str
    added: int | None
    deleted: int | None
