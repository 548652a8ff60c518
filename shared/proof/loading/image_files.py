"""Where in the repository a file of an image comes from, and where in the image a file of the repository lies.

Where no start command tells which files are loaded, the Python files of the source roots, of the image's copies or of
the repository are listed here, too.
"""

import fnmatch
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from shared.proof.loading.commit_tree import RecordingTree
from shared.proof.loading.dockerfile_stages import BuildStage, CopyInstruction
from shared.proof.model.paths import IGNORE_FILES, build_ignore_filter, build_service_filter

_GLOB_CHARACTERS = frozenset("*?[")
_STAGE_ADDRESS = re.compile(r"/@(\d{1,3})/")
MAX_CANDIDATES = 64


def address_in_stage(index: int, path: str) -> str:
    """The address of a path in an earlier stage, whose project was installed there and reaches the image installed."""
    return f"/@{index}/{path.lstrip('/')}"


class ImageFiles:
    """Image paths are absolute; a later copy hides an earlier one, as in a build."""

    def __init__(self, tree: RecordingTree, stages: Sequence[BuildStage], context: str) -> None:
        self.tree = tree
        self.stages = stages
        self.context = context
        self.is_left_out: Callable[[str], bool] = lambda _: False
        self._located: dict[str, str | None] = {}
        self._candidates: dict[tuple[int, str], tuple[tuple[str, bool], ...]] = {}

    def locate(self, path: str) -> str | None:
        """The repository path of the file at an image path; None where the repository gives none."""
        if path not in self._located:
            existing = (origin for origin, _ in self._list_origins(path) if self.tree.blob(origin) is not None)
            self._located[path] = next((origin for origin in existing if not self.is_left_out(origin)), None)
        return self._located[path]

    def list_origin_paths(self, path: str) -> tuple[str, ...]:
        """The repository paths of which one, if it were a file, would be the file at an image path."""
        return tuple(origin for origin, _ in self._list_origins(path))

    def is_folder(self, path: str) -> bool:
        """Whether the image has such a folder out of the repository, or above what was copied."""
        if self._list_implied_names(path):
            return True
        folders = [origin for origin, file_only in self._list_origins(path) if not file_only]
        return any(not folder or self.tree.has_folder(folder) for folder in folders)

    def list_entries(self, path: str) -> set[str]:
        """The names in an image folder."""
        names = self._list_implied_names(path)
        for origin, file_only in self._list_origins(path):
            if not file_only:
                names |= set(self.tree.folder(origin) or ())
        return names

    def read_text(self, path: str) -> str:
        """The beginning of a text file of the image; "" where there is none."""
        origin = self.locate(posixpath.normpath(path))
        return self.tree.read_text(origin) if origin else ""

    def image_paths(self, path: str) -> tuple[str, ...]:
        """The image paths at which a repository path lies."""
        return tuple(dict.fromkeys(self._find_image_paths(len(self.stages) - 1, path)))

    def copied_sources(self) -> tuple[str, ...]:
        """The repository paths (files, folders, patterns) that reach the image."""
        return tuple(dict.fromkeys(self._find_sources(len(self.stages) - 1, set())))

    def _list_origins(self, path: str) -> tuple[tuple[str, bool], ...]:
        earlier = _STAGE_ADDRESS.match(path)
        if earlier and int(earlier[1]) < len(self.stages):
            return self._list_stage_origins(int(earlier[1]), posixpath.normpath("/" + path[earlier.end() :]))
        return self._list_stage_origins(len(self.stages) - 1, posixpath.normpath(path))

    def _list_stage_origins(self, index: int, path: str) -> tuple[tuple[str, bool], ...]:
        if (index, path) not in self._candidates:
            origins: dict[tuple[str, bool], None] = {}
            for copy in reversed(self.stages[index].copies):
                origins |= dict.fromkeys(self._list_copy_origins(copy, path))
            self._candidates[index, path] = tuple(origins)[:MAX_CANDIDATES]
        return self._candidates[index, path]

    def _list_copy_origins(self, copy: CopyInstruction, path: str) -> Iterator[tuple[str, bool]]:
        """What of a copy's sources can be at an image path: (repository path, whether only as a file)."""
        below = _get_path_below(path, copy.target)
        if below is None:
            return
        for source in copy.sources:
            for rest, file_only in _match_source(source, below, copy):
                if copy.stage is not None:
                    yield from self._list_stage_origins(copy.stage, posixpath.normpath("/" + rest))
                else:
                    yield (
                        posixpath.normpath(posixpath.join(self.context, rest)).removeprefix("./").strip("."),
                        file_only,
                    )

    def _list_implied_names(self, path: str) -> set[str]:
        """The names that an image folder has only because something was copied further down."""
        names = set()
        for copy in self.stages[-1].copies:
            below = _get_path_below(copy.target, posixpath.normpath(path))
            if below:
                names.add(below.partition("/")[0])
        return names

    def _find_image_paths(self, index: int, path: str) -> Iterator[str]:
        for copy in self.stages[index].copies:
            inside = [path] if copy.stage is None else list(self._find_image_paths(copy.stage, path))
            for source in copy.sources:
                origin = _join_context(self.context, source) if copy.stage is None else "/" + source
                for inner in inside:
                    yield from _find_copy_targets(copy, origin, inner)

    def _find_sources(self, index: int, seen: set[int]) -> Iterator[str]:
        seen.add(index)
        for copy in self.stages[index].copies:
            if copy.stage is None:
                yield from (_join_context(self.context, source) for source in copy.sources)
            elif copy.stage not in seen:
                yield from self._find_sources(copy.stage, seen)


def _join_context(context: str, source: str) -> str:
    path = posixpath.normpath(posixpath.join(context, source))
    return "" if path == "." else path


def _get_path_below(path: str, folder: str) -> str | None:
    """What of a path is below a folder: "" for the folder itself, None outside."""
    if path == folder:
        return ""
    prefix = folder.rstrip("/") + "/"
    return path[len(prefix) :] if path.startswith(prefix) else None


def _match_source(source: str, below: str, copy: CopyInstruction) -> Iterator[tuple[str, bool]]:
    """The context paths that a copy of `source` puts at `below` its target."""
    folder, _, name = source.rpartition("/")
    if copy.keeps_parents:
        if not _is_outside(below, source):
            yield below, False
        return
    if _GLOB_CHARACTERS & set(source):
        first, _, more = below.partition("/")
        if first and not more and fnmatch.fnmatchcase(first, name):
            yield posixpath.join(folder, first), True
        return
    if below or not copy.is_into_folder:
        yield posixpath.join(source, below), False
    elif copy.is_into_folder:
        yield source, False
    if below == name:
        yield source, True


def _is_outside(path: str, folder: str) -> bool:
    return folder != "." and _get_path_below(path, folder) is None


def _find_copy_targets(copy: CopyInstruction, origin: str, path: str) -> Iterator[str]:
    if _GLOB_CHARACTERS & set(origin):
        if fnmatch.fnmatchcase(path, origin) and path.count("/") == origin.count("/"):
            yield posixpath.join(copy.target, posixpath.basename(path))
        return
    below = path if not origin or origin == "/." else _get_path_below(path, origin)
    if below is None:
        return
    if copy.keeps_parents:
        yield posixpath.join(copy.target, path)
    elif below:
        yield posixpath.join(copy.target, below.lstrip("/"))
    else:
        yield posixpath.join(copy.target, posixpath.basename(path)) if copy.is_into_folder else copy.target


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
