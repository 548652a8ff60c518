"""A repository's past as values: commits, the versions of a file, the tree of one commit.

A file of a tree, of which a large one has ten thousand, is a named tuple: it is made in a third of the time of a frozen
data class. A commit is stored with a report, by the names of its fields.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from shared.text.phrases import quote_untrusted, short_sha
from shared.text.timestamps import format_rfc3339


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


class TreeEntry(NamedTuple):
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
    links: frozenset[str] = frozenset()
    """The names of links and of submodules, where the history lists them."""


@dataclass(frozen=True, slots=True)
class Branch:
    """The deploy branch: its short name, and the commit at its head."""

    name: str
    head: str


@dataclass(frozen=True, slots=True)
class FileChange:
    """Lines added and deleted in one file; both None for a binary file."""

    path: str
    added: int | None
    deleted: int | None


_MAX_SUBJECT = 120
_FIX_WORDS = re.compile(
    r"(?i)\b(?:(?:bug|hot|quick)?fix(?:e[sd]|ing|up)?|resolv(?:e[sd]?|ing)|repair(?:s|ed|ing)?|correct(?:s|ed|ing)?"
    r"|mend(?:s|ed|ing)?|patch(?:es|ed)?|unbreaks?|restor(?:e[sd]?|ing))\b"
)


def quote_subject(commit: Commit) -> str:
    """The commit's subject in quotation marks."""
    return f"“{quote_untrusted(commit.subject, _MAX_SUBJECT)}”"


def describe_commit(commit: Commit) -> str:
    """Abbreviated id, subject and time."""
    return f"{short_sha(commit.id)} ({quote_subject(commit)}, committed {format_rfc3339(commit.committed_at)})"


def claims_fix(commit: Commit) -> bool:
    """Whether the subject says that the commit fixes something."""
    return _FIX_WORDS.search(commit.subject) is not None
