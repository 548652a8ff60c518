"""The files of a repository's index, split and sparse indexes included."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from shared.adapters.git import parse
from shared.adapters.git.objects import ObjectStore
from shared.adapters.git.process import GitError
from shared.adapters.git.scratch import ScratchRepository
from shared.errors import InputError
from shared.proof.model.history import TreeEntry


def read_index_files(scratch: ScratchRepository, objects: ObjectStore, index_file: str = "") -> Mapping[str, TreeEntry]:
    """The regular files of the index by path; conflicted ones are left out. Raises InputError.

    `index_file` is what git names to a hook: `git commit -a` writes the next index to another file beside the index.
    A file that is elsewhere is ignored.
    """
    index = _find_index(scratch, index_file)
    if not index.is_file():
        return {}
    for part in scratch.git_dir.glob("sharedindex.*"):  # a split index keeps most entries in these
        shutil.copyfile(part, scratch.directory / part.name)
    files: dict[str, TreeEntry] = {}
    for mode, entry in parse.parse_index(_list_entries(scratch, index)):
        if mode != parse.FOLDER_MODE:
            files[entry.path] = entry
            continue
        below = objects.files(entry.blob)
        if below is None:
            raise InputError(f"{scratch.path}: the tree of {entry.path} is not in this copy; fetch it first")
        files |= {(path := entry.path + name): TreeEntry(path, tree_entry.blob) for name, tree_entry in below.items()}
    return files


def _list_entries(scratch: ScratchRepository, index: Path) -> bytes:
    git = scratch.git(GIT_INDEX_FILE=str(index))
    try:
        return git.run(*scratch.index_arguments(index))
    except (GitError, OSError) as error:
        raise InputError(f"{scratch.path}: its index cannot be read ({error})") from error


def _find_index(scratch: ScratchRepository, index_file: str) -> Path:
    folder = Path(os.path.realpath(scratch.git_dir))
    real = Path(os.path.realpath(index_file)) if index_file else folder / "index"
    return real if real.parent == folder else folder / "index"
