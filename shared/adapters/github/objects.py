"""Trees of one repository, folder by folder and by id, so that what two commits share is asked for once.

A commit's tree comes whole from the REST API the first time. Afterwards only the folders that differ are missing; these
are asked for by id, those of all commits that may be looked at next in the same query.
"""

import base64
import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.adapters.github.client import GitHubClient
from shared.adapters.github.queries import FILE_MODE, Query, add_blob, parse_tree_entries
from shared.proof.model.history import Folder, TreeEntry

TREE_FIELDS = "... on Tree { oid entries { nameRaw mode type oid size } }"
_FILE_TYPE_MASK = 0o170000
_FOLDERS_PER_QUERY = 100
_MAX_QUERIES = 40
"""For the folders of many trees."""
_LEVELS_BEFORE_WHOLE = 3
"""Queries for missing folders, one level after the other, before the rest is asked for whole."""


@dataclass(frozen=True, slots=True)
class FolderEntry:
    """One line of a folder: a regular file, or another folder."""

    name: str
    is_folder: bool
    oid: str
    size: int


class Trees:
    """Folders by id; `roots` are the trees of commits by commit."""

    def __init__(self, github: GitHubClient, owner: str, name: str) -> None:
        self._github = github
        self._owner, self._name = owner, name
        self._folders: dict[str, tuple[FolderEntry, ...]] = {}
        self._links: dict[str, frozenset[str]] = {}
        self.roots: dict[str, str] = {}
        self.files_by_commit: dict[str, Mapping[str, TreeEntry]] = {}
        """The trees that were asked for."""
        self.sizes: dict[str, int] = {}
        """Bytes by blob."""

    def files_at(self, commit: str) -> Mapping[str, TreeEntry] | None:
        """The regular files of a commit by path; None where there is no such commit, or a folder is not there."""
        if commit not in self.files_by_commit:
            root = self.root_tree_id(commit)
            if root is None:
                return None
            self.files_by_commit[commit] = {
                path: TreeEntry(path, line.oid) for path, line in self._walk_files(root, "")
            }
        return self.files_by_commit[commit]

    def root_tree_id(self, commit: str) -> str | None:
        """The id of a commit's top folder, once all below it is known; None as in `of`. Nothing is listed for it."""
        root = self.roots.get(commit)
        if root is None or not self._folders or not self._complete_tree(root):
            root = self._fetch_whole(commit)
        if root is None or self._missing_folders([root]):
            return None
        self.roots[commit] = root
        return root

    def folder(self, oid: str) -> Folder | None:
        """A folder by its id; None where it was not loaded."""
        lines = self._folders.get(oid)
        if lines is None:
            return None
        files = {line.name: line.oid for line in lines if not line.is_folder}
        folders = {line.name: line.oid for line in lines if line.is_folder}
        return Folder(files, folders, self._links.get(oid, frozenset()))

    def store(self, node: Mapping[str, Any] | None) -> None:
        """Keeps a folder from the response of a query (`TREE_FIELDS`)."""
        if not node or "entries" not in node:
            return
        lines, links = [], []
        for entry in node["entries"] or ():
            folder = entry["type"] == "tree"
            name = base64.b64decode(entry["nameRaw"]).decode("utf-8", "surrogateescape")
            if folder or (entry["type"] == "blob" and entry["mode"] & _FILE_TYPE_MASK == FILE_MODE):
                lines.append(FolderEntry(name, folder, entry["oid"], entry["size"]))
            else:
                links.append(name)
        self._links |= {node["oid"]: frozenset(links)} if links else {}
        self._store_folder(node["oid"], lines)

    def load_missing(self, roots: list[str]) -> bool:
        """Asks for the folders that are missing below these trees, level by level. False where some were not had."""
        for _ in range(_MAX_QUERIES):
            missing = self._missing_folders(roots)
            if not missing or not self._query_folders(missing[:_FOLDERS_PER_QUERY]):
                return not missing
        return not self._missing_folders(roots)

    def list_paths(self, roots: list[str]) -> set[str]:
        """The files below these trees, as far as they are known."""
        paths: set[str] = set()
        waiting = [(root, "") for root in roots]
        seen = set(waiting)
        while waiting:
            folder, prefix = waiting.pop()
            for line in self._folders.get(folder, ()):
                below = (line.oid, f"{prefix}{line.name}/")
                if not line.is_folder:
                    paths.add(prefix + line.name)
                elif below not in seen:
                    seen.add(below)
                    waiting.append(below)
        return paths

    def paths_by_blob(self, roots: Collection[str] | None = None) -> Mapping[str, str]:
        """Blob to path for what is known of some trees, or of all.

        Each folder is looked at once, however many commits share it.
        """
        paths: dict[str, str] = {}
        seen: set[str] = set()
        waiting = [(root, "") for root in (self.roots.values() if roots is None else roots)]
        while waiting:
            folder, prefix = waiting.pop()
            if folder in seen or folder not in self._folders:
                continue
            seen.add(folder)
            for line in self._folders[folder]:
                if line.is_folder:
                    waiting.append((line.oid, f"{prefix}{line.name}/"))
                else:
                    paths[line.oid] = prefix + line.name
        return paths

    def _store_folder(self, oid: str, lines: list[FolderEntry]) -> None:
        self._folders[oid] = tuple(lines)
        self.sizes.update((line.oid, line.size) for line in lines if not line.is_folder)

    def _walk_files(self, tree: str, prefix: str) -> Iterator[tuple[str, FolderEntry]]:
        for line in self._folders[tree]:
            if line.is_folder:
                yield from self._walk_files(line.oid, f"{prefix}{line.name}/")
            else:
                yield prefix + line.name, line

    def _missing_folders(self, roots: list[str]) -> list[str]:
        missing: dict[str, None] = {}
        seen: set[str] = set()
        waiting = list(reversed(roots))
        while waiting:
            oid = waiting.pop()
            if oid in seen:
                continue
            seen.add(oid)
            if oid not in self._folders:
                missing[oid] = None
                continue
            waiting.extend(line.oid for line in reversed(self._folders[oid]) if line.is_folder)
        return list(missing)

    def _complete_tree(self, root: str) -> bool:
        for _ in range(_LEVELS_BEFORE_WHOLE):
            if not self._missing_folders([root]):
                return True
            missing = self._missing_folders([root, *self.roots.values()])  # the next commit's, too
            if not self._query_folders(missing[:_FOLDERS_PER_QUERY]):
                return False
        return not self._missing_folders([root])

    def _query_folders(self, oids: list[str]) -> bool:
        query = Query()
        for index, oid in enumerate(oids):
            query.parts.append(f"t{index}: object(oid: {query.add_variable(oid, 'GitObjectID!')}) {{ {TREE_FIELDS} }}")
        repository = self._github.query(*query.build(self._owner, self._name))["repository"] or {}
        for node in repository.values():
            self.store(node)
        return oids[0] in self._folders

    def _fetch_whole(self, tree: str) -> str | None:
        """The id of a tree (or of a commit's) once all below it is known; None where there is none."""
        answer = self._github.find_json(f"/repos/{self._owner}/{self._name}/git/trees/{tree}", recursive="1")
        if answer is None:
            return None
        if answer["truncated"]:
            return self._fetch_in_parts(tree)
        folders: dict[str, list[FolderEntry]] = {"": []}
        ids = {"": str(answer["sha"])}
        for path, kind, oid, size in parse_tree_entries(answer):
            folder, _, name = path.rpartition("/")
            folders.setdefault(folder, []).append(FolderEntry(name, kind == "tree", oid, size))
            if kind == "tree":
                folders.setdefault(path, [])
                ids[path] = oid
        for path, lines in folders.items():
            self._store_folder(ids[path], lines)
        return ids[""]

    def _fetch_in_parts(self, tree: str) -> str | None:
        """A tree that is cut off in one answer: its own lines, then each folder by itself."""
        answer = self._github.find_json(f"/repos/{self._owner}/{self._name}/git/trees/{tree}")
        if answer is None:
            return None
        lines = [FolderEntry(path, kind == "tree", oid, size) for path, kind, oid, size in parse_tree_entries(answer)]
        for line in lines:
            if line.is_folder and line.oid not in self._folders and self._fetch_whole(line.oid) is None:
                return None
        self._store_folder(answer["sha"], lines)
        return str(answer["sha"])


_BLOBS_PER_QUERY = 100
_BYTES_PER_QUERY = 4_000_000
_MAX_TEXT_BYTES = 500_000
"""Bytes; what is longer is cut by a query and therefore not asked for with one."""


class Blobs:
    """Reads each blob once. `likely` says which others will be wanted soon, with their sizes."""

    def __init__(self, github: GitHubClient, owner: str, name: str, expected: Callable[[], Mapping[str, int]]) -> None:
        self._github = github
        self._owner, self._name = owner, name
        self._expected = expected
        self._cache: dict[str, bytes | None] = {}

    def read(self, oid: str) -> bytes | None:
        """A blob's bytes; None where there is no such blob."""
        if oid not in self._cache:
            self._fetch(oid)
        if oid not in self._cache:
            self._cache[oid] = self._read_raw(oid)
        return self._cache[oid]

    def store(self, node: Mapping[str, Any] | None) -> None:
        """Keeps a blob from the response of a query, if it is complete."""
        if not node or "text" not in node or node["text"] is None or node["isTruncated"]:
            return
        content = node["text"].encode("utf-8", "surrogatepass")
        if compute_blob_id(content, len(node["oid"])) == node["oid"]:
            self._cache[node["oid"]] = content

    def _fetch(self, oid: str) -> None:
        likely = self._expected()
        if likely.get(oid, 0) > _MAX_TEXT_BYTES:
            return
        query, sizes = Query(), {oid: likely.get(oid, 0)}
        for other, size in likely.items():
            if other in self._cache or other in sizes or size > _MAX_TEXT_BYTES:
                continue
            if len(sizes) == _BLOBS_PER_QUERY or sum(sizes.values()) + size > _BYTES_PER_QUERY:
                break
            sizes[other] = size
        for index, blob in enumerate(sizes):
            add_blob(query, f"b{index}", blob)
        self._store_all(self._github.query(*query.build(self._owner, self._name)))

    def _store_all(self, data: Mapping[str, Any]) -> None:
        for node in (data["repository"] or {}).values():
            self.store(node)

    def _read_raw(self, oid: str) -> bytes | None:
        answer = self._github.find_json(f"/repos/{self._owner}/{self._name}/git/blobs/{oid}")
        return None if answer is None else base64.b64decode(answer["content"])


def compute_blob_id(content: bytes, digits: int = 40) -> str:
    """Git's id of these bytes: SHA-1, or SHA-256 where ids have 64 digits."""
    header = b"blob %d\0" % len(content)
    if digits == 64:
        return hashlib.sha256(header + content).hexdigest()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()
