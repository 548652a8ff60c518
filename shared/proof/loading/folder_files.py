"""The Python files of folders, where no start command tells which of them are loaded.

They are those of the configured roots, of an image's copies, or of the whole repository.
"""

import posixpath
from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase

from shared.proof.loading.commit_tree import RecordingTree
from shared.proof.loading.image_files import ImageFiles
from shared.proof.model.service_files import IGNORE_FILES, build_ignore_filter, build_service_filter

MAX_FILES = 20_000
MAX_FOLDERS = 20_000


def list_source_root_files(tree: RecordingTree, failing_path: str, roots: Sequence[str]) -> set[str]:
    """The Python files below the configured roots: they alone decide."""
    tops = [posixpath.normpath(root).strip("/") for root in roots]
    return _walk_folders(
        tree, ["" if top == "." else top for top in tops], build_service_filter({}, failing_path, roots)
    )


def list_repository_files(tree: RecordingTree, failing_path: str) -> set[str]:
    """The repository's Python files less tests and what its ignore files leave out."""
    beside = posixpath.dirname(failing_path)
    read = ["", beside] if tree.blob(posixpath.join(beside, "Dockerfile")) is not None else [""]  # by no other build
    return _walk_folders(tree, [""], build_service_filter(_read_ignores(tree, read), failing_path))


def list_copied_files(files: ImageFiles, dockerfile: str, failing_path: str) -> set[str]:
    """The Python files that an image copies, less tests and what its ignore file leaves out."""
    return _walk_folders(
        files.tree, files.copied_sources(), build_service_filter(_read_image_ignores(files, dockerfile), failing_path)
    )


def is_copied(files: ImageFiles, dockerfile: str, path: str) -> bool:
    """Whether an image copies a file, and no ignore file leaves it out."""
    if not files.image_paths(path):
        return False
    ignores = _read_image_ignores(files, dockerfile)
    return not path.endswith(".py") or build_service_filter(ignores, "", ())(path) or files.tree.blob(path) is None


def build_docker_filter(files: ImageFiles, dockerfile: str, running_paths: Sequence[str]) -> Callable[[str], bool]:
    """Whether Docker leaves a path of the repository out of what it copies; `running_paths` are known to be in."""
    ignores = _read_image_ignores(files, dockerfile)
    return build_ignore_filter(
        {path: text for path, text in ignores.items() if path.endswith(".dockerignore")}, running_paths
    )


def _read_image_ignores(files: ImageFiles, dockerfile: str) -> dict[str, str]:
    own = files.tree.read_text(f"{dockerfile}.dockerignore")
    if own:  # Docker reads it instead of the context's
        return {posixpath.join(files.context, ".dockerignore"): own}
    return _read_ignores(files.tree, [files.context])


def _read_ignores(tree: RecordingTree, folders: Iterable[str]) -> dict[str, str]:
    paths = [posixpath.join(folder, name) for folder in folders for name in IGNORE_FILES]
    return {path: text for path in paths if (text := tree.read_text(path))}


def _walk_folders(tree: RecordingTree, top_paths: Sequence[str], belongs: Callable[[str], bool]) -> set[str]:
    """The files below some paths, of which the last part may be a pattern; in a bounded number."""
    files: set[str] = set()
    queue: list[str] = []
    for top in top_paths:
        if tree.blob(top) is not None:
            files |= {top} if belongs(top) else set()
            continue
        if set("*?[") & set(top):
            folder, _, pattern = top.rpartition("/")
            names = [name for name in tree.folder(folder) or () if fnmatchcase(name, pattern)]
            files |= {path for name in names if belongs(path := posixpath.join(folder, name))}
            queue += [posixpath.join(folder, name) for name in names]
        else:
            queue.append(top)
    tree.recorded_paths |= {path + "/" for path in queue}  # `is_affected_by` looks at every folder above a path
    seen: set[str] = set()
    while queue and len(seen) < MAX_FOLDERS and len(files) < MAX_FILES:
        folder = queue.pop()
        for name, kind in (tree.list_unrecorded(folder) or {}).items() if folder not in seen else ():
            path = posixpath.join(folder, name)
            if kind == "folder":
                queue.append(path)
            elif belongs(path):
                files.add(path)
        seen.add(folder)
    return files
