"""The tree of one commit, folder by folder, and what differs between two: ids are compared, nothing is listed twice."""

from collections.abc import Iterator, Mapping, Sequence

from shared.errors import InputError
from shared.proof.model.history import Folder
from shared.proof.model.ports import History

_EMPTY_FOLDER = Folder({}, {})
_MAX_FOLDERS = 100_000
"""Of one tree, or of two that are compared. Ten small tree objects that list each other are as many as one likes."""


class CommitTree:
    """Answers `shared.proof.loading.tree.SourceTree` for one commit.

    Raises Unreadable where a folder is not in this copy.
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
        """What lies in a folder, name to "file" or "folder"."""
        folder = self._get_folder(path)
        if folder is None:
            return None
        return dict.fromkeys(folder.files, "file") | dict.fromkeys(folder.folders, "folder")

    def read(self, path: str) -> bytes | None:
        """The contents of the regular file at a path."""
        blob = self.blob(path)
        return None if blob is None else self._history.read(blob)

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
    """A folder that some tree names. Raises Unreadable where it is not in this copy."""
    found = history.folder(folder)
    if found is None:
        raise InputError(f"folder {folder} is not in this copy of the repository; fetch what is missing")
    return found


def find_changed_paths(history: History, before: str, after: str) -> Iterator[tuple[str, bool]]:
    """Each file that differs below two folders, and whether it came or went (False: its contents changed).

    Only folders whose ids differ are read.
    """
    if before == after:
        return
    waiting = [("", before, after)]
    for above, old_id, new_id in waiting:
        _check_folder_count(waiting)
        old, new = (read_folder(history, each) if each else _EMPTY_FOLDER for each in (old_id, new_id))
        yield from ((above + name, gone) for name, gone in _compare_entries(old.files, new.files))
        below = (name for name, _ in _compare_entries(old.folders, new.folders))
        waiting += [(f"{above}{name}/", old.folders.get(name, ""), new.folders.get(name, "")) for name in below]


def _compare_entries(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[tuple[str, bool]]:
    """Each name whose id differs, and whether one side lacks it."""
    for name in old.keys() | new.keys():
        one, other = old.get(name), new.get(name)
        if one != other:
            yield name, one is None or other is None


def _check_folder_count(folders: Sequence[object]) -> None:
    if len(folders) > _MAX_FOLDERS:
        raise InputError(f"a tree holds more than {_MAX_FOLDERS} folders; no service is made of that")
