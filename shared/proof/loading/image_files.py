"""Where in the repository a file of an image comes from, and where in the image a file of the repository lies."""

import fnmatch
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from shared.proof.loading.commit_tree import RecordingTree
from shared.proof.loading.dockerfile_stages import BuildStage, CopyInstruction
from shared.proof.model.ignore_rules import DockerIgnore, parse_docker_ignore
from shared.proof.model.paths import IGNORE_FILES, AppliedIgnores, build_service_filter

_GLOB_CHARACTERS = frozenset("*?[")
_STAGE_ADDRESS = re.compile(r"/@(\d{1,3})/")
MAX_CANDIDATES = 64
_DOCKER_IGNORE = IGNORE_FILES[0]


def address_in_stage(index: int, path: str) -> str:
    """The address of a path in an earlier stage, whose project was installed there and reaches the image installed."""
    return f"/@{index}/{path.lstrip('/')}"


class ImageFiles:
    """Image paths are absolute; a later copy hides an earlier one, as in a build."""

    def __init__(
        self, tree: RecordingTree, stages: Sequence[BuildStage], context: str, *, is_context_known: bool = False
    ) -> None:
        self.tree = tree
        self.stages = stages
        self.context = context
        self.is_context_known = is_context_known
        """Whether the repository says that the image is built from there."""
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
        return any(not folder or (self.tree.has_folder(folder) and not self._is_empty(folder)) for folder in folders)

    def _is_empty(self, folder: str) -> bool:
        """Whether a folder of the repository and all that is in it is left out."""
        if not self.is_left_out(folder):
            return False
        return all(self.is_left_out(posixpath.join(folder, name)) for name in self.tree.folder(folder) or ())

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

    def image_paths_in_stage(self, index: int, path: str) -> tuple[str, ...]:
        """The paths at which a repository path lies in an earlier stage."""
        return tuple(dict.fromkeys(self._find_image_paths(index, path)))

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
            for rest, file_only in self._match_source(source, below, copy):
                if copy.excluded and is_excluded(copy, rest, source):
                    continue
                if copy.stage is not None:
                    yield from self._list_stage_origins(copy.stage, posixpath.normpath("/" + rest))
                else:
                    yield (
                        posixpath.normpath(posixpath.join(self.context, rest)).removeprefix("./").strip("."),
                        file_only,
                    )

    def _match_source(self, source: str, below: str, copy: CopyInstruction) -> Iterator[tuple[str, bool]]:
        """The context paths that a copy of `source` puts at `below` its target: of a matching folder what is in it."""
        yield from _match_source(source, below, copy)
        if copy.stage is None and not copy.keeps_parents and _can_match_folders(source):
            for folder in self._expand_folders(source):
                yield posixpath.join(folder, below), False

    def _expand_folders(self, source: str) -> list[str]:
        """The folders of the build context that a pattern matches."""
        folders = [""]
        for part in source.split("/"):
            folders = [
                posixpath.join(folder, name)
                for folder in folders
                for name, kind in self._list_context(folder, part)
                if kind == "folder" and fnmatch.fnmatchcase(name, part)
            ][:MAX_CANDIDATES]
        return folders

    def _list_context(self, folder: str, part: str) -> list[tuple[str, str]]:
        path = _join_context(self.context, folder)
        if not _GLOB_CHARACTERS & set(part):
            return [(part, "folder")] if self.tree.has_folder(posixpath.join(path, part)) else []
        return sorted((self.tree.folder(path) or {}).items())

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
                    if not (copy.excluded and is_excluded(copy, inner, origin)):
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


def _can_match_folders(source: str) -> bool:
    """Whether a pattern may match a folder: `*.py` is meant for files."""
    return bool(_GLOB_CHARACTERS & set(source)) and "." not in source.rpartition("/")[2]


@lru_cache(maxsize=128)
def _parse_excluded(patterns: tuple[str, ...]) -> DockerIgnore:
    return parse_docker_ignore("", "\n".join(patterns))


def is_excluded(copy: CopyInstruction, path: str, source: str) -> bool:
    """Whether `--exclude` takes a path out, by its whole name or by that below the copied folder."""
    rules = _parse_excluded(copy.excluded)
    below = _get_path_below(path, source) or path
    return any(rules.find_line(name.lstrip("/")) for name in (path, below))


def _is_outside(path: str, folder: str) -> bool:
    return folder != "." and _get_path_below(path, folder) is None


def _find_copy_targets(copy: CopyInstruction, origin: str, path: str) -> Iterator[str]:
    if _GLOB_CHARACTERS & set(origin):
        yield from _find_matched_targets(copy, origin, path)
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


def _find_matched_targets(copy: CopyInstruction, pattern: str, path: str) -> Iterator[str]:
    """Where a file lies that a pattern matches, or whose folder it does."""
    parts, wanted = path.split("/"), pattern.split("/")
    matched = len(parts) >= len(wanted) and all(map(fnmatch.fnmatchcase, parts, wanted))
    if not matched:
        return
    if copy.keeps_parents:
        yield posixpath.join(copy.target, path)
    elif len(parts) == len(wanted):
        yield posixpath.join(copy.target, parts[-1])
    elif _can_match_folders(pattern):
        yield posixpath.join(copy.target, *parts[len(wanted) :])


def read_docker_ignores(files: ImageFiles, dockerfile: str) -> AppliedIgnores:
    """The rules of the `.dockerignore` that Docker reads; none where there is no such file."""
    own = f"{dockerfile}{_DOCKER_IGNORE}"
    path = own if files.tree.blob(own) is not None else posixpath.join(files.context, _DOCKER_IGNORE)
    return AppliedIgnores(files.context, parse_docker_ignore(path, files.tree.read_text(path)))


def build_docker_filter(files: ImageFiles, dockerfile: str, running_paths: Sequence[str]) -> Callable[[str], bool]:
    """Whether Docker leaves a path of the repository out of what it copies.

    `running_paths` are known to be in the image: an ignore file that leaves one of them out is not the build's.
    """
    ignores = read_docker_ignores(files, dockerfile)
    if any(ignores.find_line(path) for path in running_paths):
        return lambda _: False
    return lambda path: ignores.find_line(path) is not None


def is_copied(files: ImageFiles, dockerfile: str, path: str) -> bool:
    """Whether an image copies a file, and no ignore file leaves it out."""
    if not files.image_paths(path):
        return False
    ignores = read_image_ignores(files, dockerfile)
    return not path.endswith(".py") or build_service_filter(ignores, "", ())(path) or files.tree.blob(path) is None


def read_image_ignores(files: ImageFiles, dockerfile: str) -> Mapping[str, str]:
    """The text of each ignore file that may count for an image, by the path at which it would count."""
    own = f"{dockerfile}{_DOCKER_IGNORE}"
    if files.tree.blob(own) is not None:  # Docker reads it instead of the context's
        return {posixpath.join(files.context, _DOCKER_IGNORE): files.tree.read_text(own)}
    return read_ignore_files(files.tree, [files.context])


def read_ignore_files(tree: RecordingTree, folders: Iterable[str]) -> Mapping[str, str]:
    """The text of each ignore file in some folders; a `.gcloudignore` with what it includes."""
    paths = [posixpath.join(folder, name) for folder in folders for name in IGNORE_FILES]
    return {path: text for path in paths if (text := tree.read_text(path))}
