"""Reads one commit's tree for the loading rules, and compares two trees.

`RecordingTree` fetches each answer once and records what was asked: nothing else can change what the rules decide.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Protocol

from shared.errors import InputError
from shared.proof.declared.ci_python import is_ci_file
from shared.proof.model.history import Folder
from shared.proof.model.ports import History

MAX_BYTES = 1 << 20
"""Of a script, a Dockerfile or a module, no more is read."""

_IMAGE_FILE_NAME = re.compile(
    r"(?:dockerfile|containerfile)(?:[.-].*)?|.*\.(?:dockerfile|containerfile)|procfile", re.I
)
_COMPOSE_NAME = re.compile(r"(?:docker-)?compose(?:[.-][\w.-]{1,40})?\.ya?ml")
_SCRIPT_NAME = re.compile(r"(?:makefile|justfile|taskfile\.ya?ml|[\w.-]{1,80}\.sh)", re.I)
_DEPLOYED_NAME = re.compile(r"(?:skaffold[\w.-]{0,40}|(?:[\w.-]{1,40}-)?service|cloud-?run[\w.-]{0,40})\.ya?ml")
"""How Skaffold's files and descriptions of Cloud Run services are called."""
BUILD_FOLDERS = ("", "scripts", "script", "deploy", "bin", "ci", ".github/workflows")
"""Where scripts that build images usually are."""


class SourceTree(Protocol):
    """One commit; answers are for regular files only."""

    def blob(self, path: str) -> str | None:
        """The blob id of the regular file at that path; None where there is none."""

    def folder(self, path: str) -> Mapping[str, str] | None:
        """Direct entries, name to "file" or "folder"; "" is the top; None where there is no such folder."""

    def read(self, path: str) -> bytes | None:
        """The contents; None where absent or not in this copy."""


@lru_cache(maxsize=100_000)
def is_image_file(path: str) -> bool:
    """Whether a path is named as a Dockerfile or a Procfile; a new one anywhere can change which image counts."""
    return bool(_IMAGE_FILE_NAME.fullmatch(path.rpartition("/")[2]))


def is_compose_file(path: str) -> bool:
    """Whether a path is named as a compose file."""
    return bool(_COMPOSE_NAME.fullmatch(path.rpartition("/")[2]))


def is_build_file(path: str) -> bool:
    """Whether a file may say how images are built; a new one can change from which folder one is."""
    folder, _, name = path.rpartition("/")
    is_script = folder in BUILD_FOLDERS and _SCRIPT_NAME.fullmatch(name)
    return is_ci_file(path) or is_compose_file(path) or bool(is_script) or bool(_DEPLOYED_NAME.fullmatch(name))


def is_affected_by(recorded_paths: Collection[str], path: str, *, is_added_or_removed: bool = True) -> bool:
    """Whether a change of `path` can change a closure that depends on `recorded_paths`.

    `is_added_or_removed`: the path was added or removed (also by a rename or a change of its type); False where only
    its contents changed. `recorded_paths` holds files as "a/b.py" and listed folders as "a/"; "/" is the top.
    """
    if path in recorded_paths or is_image_file(path):
        return True
    if not is_added_or_removed:
        return False
    if is_build_file(path):
        return True
    parts = path.split("/")
    return "/" in recorded_paths or any(
        "/".join(parts[:depth]) + "/" in recorded_paths for depth in range(1, len(parts))
    )


class RecordingTree:
    """Answers from another tree, each fetched once; `recorded_paths` is what was asked for.

    `contents_read`: the files of these whose contents were asked for, and not only whether they exist.
    """

    def __init__(self, tree: SourceTree) -> None:
        self._tree = tree
        self._blobs: dict[str, str | None] = {}
        self._folders: dict[str, Mapping[str, str] | None] = {}
        self.recorded_paths: set[str] = set()
        self.contents_read: set[str] = set()
        self.unreadable_paths: set[str] = set()
        """Files whose contents were asked for, and that this copy of the repository does not hold."""

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
        exists = self.list_unrecorded(path) is not None
        if not exists:
            self.recorded_paths.add(path + "/")
        return exists

    def list_unrecorded(self, path: str) -> Mapping[str, str] | None:
        """As `folder`, where another rule (`is_image_file`) decides when the answer changes."""
        if path not in self._folders:
            self._folders[path] = self._tree.folder(path) if not path or is_relative_path(path) else None
        return self._folders[path]

    def read(self, path: str) -> bytes | None:
        self.contents_read.add(path)
        if self.blob(path) is None:
            return None
        content = self._tree.read(path)
        if content is None:
            self.unreadable_paths.add(path)
        return content

    def read_text(self, path: str) -> str:
        """The beginning of a text file; "" where it cannot be read."""
        return (self.read(path) or b"")[:MAX_BYTES].decode("utf-8", "replace")


def has_same_inputs(tree: RecordingTree, other: RecordingTree, except_path: str) -> bool:
    """Whether all that was asked of a tree, but for one file, is the same in another."""
    files = [path for path in tree.recorded_paths if not path.endswith("/") and path != except_path]
    folders = [path.rstrip("/") for path in tree.recorded_paths if path.endswith("/")]
    same_files = all(tree.blob(path) == other.blob(path) for path in files)
    return same_files and all(tree.list_unrecorded(path) == other.list_unrecorded(path) for path in folders)


def is_relative_path(path: str) -> bool:
    """Whether a path is a plain one below the top: no root, no step up, of a sane length."""
    return 0 < len(path) <= 4096 and path[0] != "/" and ".." not in path.split("/")


_EMPTY_FOLDER = Folder({}, {})
_MAX_FOLDERS = 100_000
"""Of one tree, or of two that are compared. Ten small tree objects that list each other are as many as one likes."""


class CommitTree:
    """Answers `shared.proof.loading.commit_tree.SourceTree` for one commit.

    Raises InputError where a folder is not in this copy.
    """

    def __init__(self, history: History, commit: str) -> None:
        self._history = history
        self.root_tree = history.root_tree(commit)
        self._loaded_folders: dict[str, Folder | None] = {}

    def blob(self, path: str) -> str | None:
        """The blob of the regular file at a path."""
        above, _, name = path.rpartition("/")
        folder = self._get_folder(above)
        return None if folder is None else folder.files.get(name)

    def folder(self, path: str) -> Mapping[str, str] | None:
        """What is in a folder, name to "file" or "folder"."""
        folder = self._get_folder(path)
        if folder is None:
            return None
        return dict.fromkeys(folder.files, "file") | dict.fromkeys(folder.folders, "folder")

    def read(self, path: str) -> bytes | None:
        """The contents of the regular file at a path."""
        blob = self.blob(path)
        return None if blob is None else self._history.read(blob)

    def is_link(self, path: str) -> bool:
        """Whether a link or a submodule is at a path, as far as the history shows."""
        above, _, name = path.rpartition("/")
        folder = self._get_folder(above)
        return folder is not None and name in folder.links

    def walk_files(self) -> Iterator[tuple[str, str]]:
        """Path and blob of every regular file, those near the top first; folders are read as they are reached."""
        waiting = [""]
        for path in waiting:
            _check_folder_count(waiting)
            folder, above = self._get_folder(path) or _EMPTY_FOLDER, f"{path}/" if path else ""
            yield from ((above + name, blob) for name, blob in folder.files.items())
            waiting.extend(above + name for name in folder.folders)

    def _get_folder(self, path: str) -> Folder | None:
        if path not in self._loaded_folders:
            self._loaded_folders[path] = self._load_folder(path)
        return self._loaded_folders[path]

    def _load_folder(self, path: str) -> Folder | None:
        if not path:
            return read_folder(self._history, self.root_tree)
        above, _, name = path.rpartition("/")
        folder = self._get_folder(above)
        below = None if folder is None else folder.folders.get(name)
        return None if below is None else read_folder(self._history, below)


def read_folder(history: History, folder: str) -> Folder:
    """A folder that some tree names. Raises InputError where it is not in this copy."""
    entries = history.folder(folder)
    if entries is None:
        raise InputError(f"folder {folder} is not in this copy of the repository; fetch what is missing")
    return entries


def find_changed_paths(history: History, before: str, after: str) -> Iterator[tuple[str, bool]]:
    """Each file that differs below two folders, and whether it came or went (False: its contents changed).

    A link that came or went is among them. Only folders whose ids differ are read.
    """
    if before == after:
        return
    waiting = [("", before, after)]
    for above, old_id, new_id in waiting:
        _check_folder_count(waiting)
        old, new = (read_folder(history, folder_id) if folder_id else _EMPTY_FOLDER for folder_id in (old_id, new_id))
        yield from ((above + name, gone) for name, gone in _compare_entries(old.files, new.files))
        yield from ((above + name, True) for name in sorted(old.links ^ new.links))
        below = (name for name, _ in _compare_entries(old.folders, new.folders))
        waiting += [(f"{above}{name}/", old.folders.get(name, ""), new.folders.get(name, "")) for name in below]


def _compare_entries(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[tuple[str, bool]]:
    """Each name whose id differs, and whether one side lacks it."""
    for name in old.keys() | new.keys():
        old_id, new_id = old.get(name), new.get(name)
        if old_id != new_id:
            yield name, old_id is None or new_id is None


def _check_folder_count(folders: Sequence[object]) -> None:
    if len(folders) > _MAX_FOLDERS:
        raise InputError(f"a tree holds more than {_MAX_FOLDERS} folders; no service is made of that")
