"""Lists the Python files of a service where no start command shows which of them are loaded.

Of the configured source roots, of what an image copies, or of the whole repository; less tests and ignored files.
"""

import fnmatch
import posixpath
from collections.abc import Callable, Sequence

from shared.proof.loading.commit_tree import RecordingTree
from shared.proof.loading.image_files import ImageFiles, read_ignore_files, read_image_ignores
from shared.proof.model.paths import build_service_filter

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
    return _walk_folders(tree, [""], build_service_filter(read_ignore_files(tree, read), failing_path))


def list_copied_files(files: ImageFiles, dockerfile: str, failing_path: str) -> set[str]:
    """The Python files that an image copies, less tests and what its ignore file leaves out."""
    return _walk_folders(
        files.tree, files.copied_sources(), build_service_filter(read_image_ignores(files, dockerfile), failing_path)
    )


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
            names = [name for name in tree.folder(folder) or () if fnmatch.fnmatchcase(name, pattern)]
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
