"""The Python files of folders, where no start command tells which of them are loaded.

In: the recorded tree, and the configured roots, an image's copies or nothing. Out: repository paths.
"""

import posixpath
from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase

from shared.proof.loading.image_files import ImageFiles
from shared.proof.loading.tree import RecordedTree
from shared.proof.model.service_files import IGNORE_FILES, belonging, leaving_out

MOST_FILES = 20_000
MOST_FOLDERS = 20_000


def files_of_roots(tree: RecordedTree, failing: str, roots: Sequence[str]) -> set[str]:
    """The Python files below the configured roots: they alone decide."""
    tops = [posixpath.normpath(root).strip("/") for root in roots]
    return _walk(tree, ["" if top == "." else top for top in tops], belonging({}, failing, roots))


def repository_files(tree: RecordedTree, failing: str) -> set[str]:
    """The repository's Python files less tests and what its ignore files leave out."""
    beside = posixpath.dirname(failing)
    read = ["", beside] if tree.blob(posixpath.join(beside, "Dockerfile")) is not None else [""]  # by nobody else
    return _walk(tree, [""], belonging(_ignores(tree, read), failing))


def copied_files(files: ImageFiles, dockerfile: str, failing: str) -> set[str]:
    """The Python files that an image copies, less tests and what its ignore file leaves out."""
    return _walk(files.tree, files.sources(), belonging(_image_ignores(files, dockerfile), failing))


def holds(files: ImageFiles, dockerfile: str, path: str) -> bool:
    """Whether an image copies a file, and no ignore file leaves it out."""
    if not files.places(path):
        return False
    ignores = _image_ignores(files, dockerfile)
    return not path.endswith(".py") or belonging(ignores, "", ())(path) or files.tree.blob(path) is None


def docker_leaves_out(files: ImageFiles, dockerfile: str, running: Sequence[str]) -> Callable[[str], bool]:
    """Whether Docker leaves a path of the repository out of what it copies; `running`: what is known to be in."""
    ignores = _image_ignores(files, dockerfile)
    return leaving_out({path: text for path, text in ignores.items() if path.endswith(".dockerignore")}, running)


def _image_ignores(files: ImageFiles, dockerfile: str) -> dict[str, str]:
    own = files.tree.text(f"{dockerfile}.dockerignore")
    if own:  # Docker reads it instead of the context's
        return {posixpath.join(files.context, ".dockerignore"): own}
    return _ignores(files.tree, [files.context])


def _ignores(tree: RecordedTree, folders: Iterable[str]) -> dict[str, str]:
    paths = [posixpath.join(folder, name) for folder in folders for name in IGNORE_FILES]
    return {path: text for path in paths if (text := tree.text(path))}


def _walk(tree: RecordedTree, tops: Sequence[str], belongs: Callable[[str], bool]) -> set[str]:
    """The files below some paths, of which the last part may be a pattern; in a bounded number."""
    found: set[str] = set()
    queue: list[str] = []
    for top in tops:
        if tree.blob(top) is not None:
            found |= {top} if belongs(top) else set()
            continue
        if set("*?[") & set(top):
            folder, _, pattern = top.rpartition("/")
            names = [name for name in tree.folder(folder) or () if fnmatchcase(name, pattern)]
            found |= {path for name in names if belongs(path := posixpath.join(folder, name))}
            queue += [posixpath.join(folder, name) for name in names]
        else:
            queue.append(top)
    tree.asked |= {path + "/" for path in queue}  # `touches` looks at every folder above a path
    seen: set[str] = set()
    while queue and len(seen) < MOST_FOLDERS and len(found) < MOST_FILES:
        folder = queue.pop()
        for name, kind in (tree.list_unrecorded(folder) or {}).items() if folder not in seen else ():
            path = posixpath.join(folder, name)
            if kind == "folder":
                queue.append(path)
            elif belongs(path):
                found.add(path)
        seen.add(folder)
    return found
