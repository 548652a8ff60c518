"""A repository's history with its checkout on top: the files on disk as if they were one more commit.

Implements the history port, which also answers for `WORK_TREE`. Nothing is written: blobs and folders of the checkout
are held in memory, under the ids that git would give the same blobs.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha1, sha256
from pathlib import Path

from shared.adapters.git.repository import GitRepository
from shared.errors import UsageError
from shared.proof.model.history import Commit, Folder, TreeEntry


class WorkTree:
    """The checkout that contains the directory `path`; see `find`."""

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.realpath(root))

    @classmethod
    def find(cls, path: str) -> "WorkTree | None":
        """The checkout around a directory, or None: a bare repository has none."""
        start = Path(os.path.realpath(path))
        for directory in (start, *start.parents):
            if (directory / ".git").exists():
                return cls(directory)
            if directory.name != ".git" and all((directory / part).exists() for part in ("HEAD", "objects", "refs")):
                return None  # a bare repository, which may be in the checkout of another one
        return None

    def read(self, path: str) -> bytes | None:
        """The bytes of a regular file by its path from the root; None where there is none inside the checkout."""
        real = Path(os.path.realpath(self.root / path))
        try:
            return real.read_bytes() if real.is_relative_to(self.root) and real.is_file() else None
        except (OSError, ValueError):
            return None

    def path_within(self, argument: str) -> str:
        """An argument of the command line as a path from the root, "" for the root itself. Raises UsageError."""
        try:
            paths = [Path(os.path.realpath(path)) for path in (argument, self.root / argument) if Path(path).exists()]
        except (OSError, ValueError):  # a name that no file can have
            paths = []
        if not paths:
            raise UsageError(f"{argument!r}: there is no such file here or in {self.root}; name one that exists")
        for path in paths:
            if path.is_relative_to(self.root):
                inside = path.relative_to(self.root).as_posix()
                return "" if inside == "." else inside
        raise UsageError(f"{argument!r} is outside the repository {self.root}; name files inside, or another --repo")


WORK_TREE = "0" * 40
"""The id by which the checkout is asked for."""


class WorkTreeHistory(GitRepository):
    """Answers for `WORK_TREE` from the tracked files as they are on disk, for commits as the repository does."""

    def __init__(self, path: str, read_file: Callable[[str], bytes | None]) -> None:
        super().__init__(path)
        self._hash = sha256 if self._scratch.id_bytes == 32 else sha1
        self._contents: dict[str, bytes] = {}
        self._entries: dict[str, TreeEntry] = {}
        self._folders: dict[str, Folder] = {}
        for name in self.tracked_paths():
            content = read_file(name)
            if content is not None:
                blob = self._hash(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
                self._contents[blob] = content
                self._entries[name] = TreeEntry(name, blob)
        self._top = self._add_folder(self._entries)

    def _add_folder(self, entries: Mapping[str, TreeEntry], above: str = "") -> str:
        """Takes a folder and all below it in; returns its id."""
        files: dict[str, str] = {}
        below: dict[str, dict[str, TreeEntry]] = {}
        for path, entry in entries.items():
            name, _, rest = path.removeprefix(above).partition("/")
            if rest:
                below.setdefault(name, {})[path] = entry
            else:
                files[name] = entry.blob
        folders = {name: self._add_folder(inner, f"{above}{name}/") for name, inner in below.items()}
        listed = "\n".join(f"{name} {oid}" for name, oid in sorted({**files, **folders}.items()))
        tree_id = "checkout " + self._hash(listed.encode(), usedforsecurity=False).hexdigest()
        self._folders[tree_id] = Folder(files, folders)
        return tree_id

    def resolve(self, revision: str) -> Commit:
        """The commit that a name names; the checkout for its own id."""
        if revision == WORK_TREE:
            now = datetime.now(UTC)
            return Commit(WORK_TREE, (), now, now, "", "the files on disk")
        return super().resolve(revision)

    def paths_named(self, name: str, tips: Sequence[str]) -> Sequence[str]:
        """Every path with this file name in any state that is reachable, or on disk."""
        on_disk = [path for path in self._entries if path.rpartition("/")[2] == name]
        commits = [tip for tip in tips if tip != WORK_TREE]
        return list(dict.fromkeys([*super().paths_named(name, commits), *on_disk]))

    def blob_ids(self, locations: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], str]:
        """The blob id for each (commit, path) at which there is a file."""
        asked = list(locations)
        on_disk = {
            (commit, path): self._entries[path].blob
            for commit, path in asked
            if commit == WORK_TREE and path in self._entries
        }
        return {**super().blob_ids(location for location in asked if location[0] != WORK_TREE), **on_disk}

    def tree(self, commit: str) -> Mapping[str, TreeEntry]:
        """The regular files of a commit by path."""
        return self._entries if commit == WORK_TREE else super().tree(commit)

    def root_tree(self, commit: str) -> str:
        """The id of a commit's top folder."""
        return self._top if commit == WORK_TREE else super().root_tree(commit)

    def folder(self, tree_id: str) -> Folder | None:
        """A folder by its id."""
        return self._folders[tree_id] if tree_id in self._folders else super().folder(tree_id)

    def read(self, blob: str) -> bytes | None:
        """A blob's bytes."""
        return self._contents[blob] if blob in self._contents else super().read(blob)
