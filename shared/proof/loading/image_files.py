"""Where in the repository a file of an image comes from, and where in the image a file of the repository is."""

import fnmatch
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from shared.proof.loading.commit_tree import RecordingTree
from shared.proof.loading.copy_rules import (
    GLOB_CHARACTERS,
    Origin,
    OriginKind,
    find_copy_targets,
    get_path_below,
    is_excluded,
    join_context,
    match_source,
)
from shared.proof.loading.dockerfile_stages import BuildStage, CopyInstruction
from shared.proof.model.ignore_rules import parse_docker_ignore
from shared.proof.model.paths import IGNORE_FILES, AppliedIgnores, build_service_filter

_STAGE_ADDRESS = re.compile(r"/@(\d{1,3})/")
MAX_CANDIDATES = 64
_DOCKER_IGNORE = IGNORE_FILES[0]


def find_address_in_stage(index: int, path: str) -> str:
    """The address of a path in an earlier stage, whose project was installed there and reaches the image installed."""
    return f"/@{index}/{path.lstrip('/')}"


_Candidates = dict[tuple[int, str], tuple[Origin, ...]]
"""Where the file at a path of a stage may come from."""
_MAX_REMEMBERED = 100_000
"""Paths of one image."""


def _asks_tree(copy: CopyInstruction) -> bool:
    """Whether it depends on the tree what a copy puts where: of a pattern, on what matches."""
    return not copy.keeps_parents and any(GLOB_CHARACTERS & set(source) for source in copy.sources)


@lru_cache(maxsize=32)
def _open_candidates(_context: str, _copies: tuple[tuple[CopyInstruction, ...], ...]) -> "_Candidates":
    """One memory for all commits with the same copies: where these take a path from is the same in every tree."""
    return {}


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
        self._implied_names: dict[tuple[int, str], frozenset[str]] = {}
        copies = tuple(stage.copies for stage in stages)
        is_same_everywhere = not any(_asks_tree(copy) for listed in copies for copy in listed)
        self._candidates: _Candidates = _open_candidates(context, copies) if is_same_everywhere else {}

    def locate(self, path: str) -> str | None:
        """The repository path of the file at an image path; None where the repository gives none."""
        if path not in self._located:
            self._located[path] = self.find_origin(path, self.is_left_out)
        return self._located[path]

    def find_origin(self, path: str, is_left_out: Callable[[str], bool]) -> str | None:
        """As `locate`, by another rule of what a build leaves out."""
        likely = (origin for origin, kind in self._list_origins(path) if kind is not OriginKind.FOLDER)
        existing = (origin for origin in likely if self.tree.blob(origin) is not None)
        return next((origin for origin in existing if not is_left_out(origin)), None)

    def list_origin_paths(self, path: str) -> tuple[str, ...]:
        """The repository paths of which one, if it were a file, would be the file at an image path."""
        return tuple(origin for origin, _ in self._list_origins(path))

    def is_folder(self, path: str) -> bool:
        """Whether the image has such a folder out of the repository, or above what was copied."""
        if self._list_implied_names(len(self.stages) - 1, path):
            return True
        folders = [origin for origin, kind in self._list_origins(path) if kind is not OriginKind.FILE]
        return any(not folder or (self.tree.has_folder(folder) and not self._is_empty(folder)) for folder in folders)

    def _is_empty(self, folder: str) -> bool:
        """Whether a folder of the repository and all that is in it is left out."""
        if not self.is_left_out(folder):
            return False
        return all(self.is_left_out(posixpath.join(folder, name)) for name in self.tree.folder(folder) or ())

    def list_entries(self, path: str) -> set[str]:
        """The names in an image folder."""
        names = set(self._list_implied_names(len(self.stages) - 1, path))
        for origin, kind in self._list_origins(path):
            if kind is not OriginKind.FILE:
                names |= set(self.tree.folder(origin) or ())
        return names

    def _list_stage_folders(self, index: int, path: str) -> set[str]:
        """The names of the folders in a folder of a stage."""
        names = set(self._list_implied_names(index, path))
        for origin, origin_kind in self._list_stage_origins(index, path):
            if origin_kind is not OriginKind.FILE:
                names |= {name for name, kind in (self.tree.folder(origin) or {}).items() if kind == "folder"}
        return names

    def read_text(self, path: str) -> str:
        """The beginning of a text file of the image; "" where there is none."""
        origin = self.locate(posixpath.normpath(path))
        return self.tree.read_text(origin) if origin else ""

    def image_paths(self, path: str) -> tuple[str, ...]:
        """The image paths at which a repository path is."""
        return tuple(dict.fromkeys(self._find_image_paths(len(self.stages) - 1, path)))

    def image_paths_in_stage(self, index: int, path: str) -> tuple[str, ...]:
        """The paths at which a repository path is in an earlier stage."""
        return tuple(dict.fromkeys(self._find_image_paths(index, path)))

    def copied_sources(self) -> tuple[str, ...]:
        """The repository paths (files, folders, patterns) that reach the image."""
        return tuple(dict.fromkeys(self._find_sources(len(self.stages) - 1, set())))

    def _list_origins(self, path: str) -> tuple[Origin, ...]:
        earlier = _STAGE_ADDRESS.match(path)
        if earlier and int(earlier[1]) < len(self.stages):
            return self._list_stage_origins(int(earlier[1]), posixpath.normpath("/" + path[earlier.end() :]))
        return self._list_stage_origins(len(self.stages) - 1, posixpath.normpath(path))

    def _list_stage_origins(self, index: int, path: str) -> tuple[Origin, ...]:
        if (index, path) not in self._candidates:
            if len(self._candidates) >= _MAX_REMEMBERED:
                self._candidates.clear()
            origins: dict[Origin, None] = {}
            for copy in reversed(self.stages[index].copies):
                origins |= dict.fromkeys(self._list_copy_origins(copy, path))
            self._candidates[index, path] = likeliest = tuple(origins)[:MAX_CANDIDATES]
            return likeliest
        return self._candidates[index, path]

    def _list_copy_origins(self, copy: CopyInstruction, path: str) -> Iterator[Origin]:
        """What of a copy's sources can be at an image path: repository paths, and as what."""
        below = get_path_below(path, copy.target)
        if below is None:
            return
        for source in reversed(copy.sources):
            for rest, kind in self._match_source(source, below, copy):
                if copy.excluded and is_excluded(copy, rest, source):
                    continue
                if copy.stage is None:
                    yield join_context(self.context, rest), kind
                    continue
                for origin, inner in self._list_stage_origins(copy.stage, posixpath.normpath("/" + rest)):
                    if OriginKind.EITHER in {kind, inner} or kind is inner:
                        yield origin, inner if kind is OriginKind.EITHER else kind

    def _match_source(self, source: str, below: str, copy: CopyInstruction) -> Iterator[Origin]:
        """The context paths that a copy of `source` puts at `below` its target, and as what.

        Of a folder that a pattern matches it is what is in it; of what several matches give, the last counts.
        """
        if copy.keeps_parents or not GLOB_CHARACTERS & set(source):
            yield from match_source(source, below, copy)
            return
        above, _, name = source.rpartition("/")
        matched: list[tuple[str, str, OriginKind]] = []
        if below and "/" not in below and fnmatch.fnmatchcase(below, name):
            folders = self._expand_folders(above, copy.stage) if GLOB_CHARACTERS & set(above) else [above]
            paths = [posixpath.join(folder, below) for folder in folders]
            matched += [(path, path, OriginKind.FILE) for path in paths]
        if "." not in name:  # `*.py` is meant for files
            folders = self._expand_folders(source, copy.stage)
            kind = OriginKind.EITHER if below else OriginKind.FOLDER
            matched += [(folder, posixpath.join(folder, below), kind) for folder in folders]
        yield from ((path, kind) for _, path, kind in sorted(matched, reverse=True))

    def _expand_folders(self, pattern: str, stage: int | None) -> list[str]:
        """The folders of the build context, or of a stage, that a pattern matches."""
        folders = [""]
        for part in pattern.split("/"):
            if not GLOB_CHARACTERS & set(part):
                folders = [posixpath.join(folder, part) for folder in folders]
                continue
            inner = ((folder, name) for folder in folders for name in sorted(self._list_folders(folder, stage)))
            matched = (posixpath.join(folder, name) for folder, name in inner if fnmatch.fnmatchcase(name, part))
            folders = list(matched)[:MAX_CANDIDATES]
        return folders

    def _list_folders(self, folder: str, stage: int | None) -> set[str]:
        if stage is not None:
            return self._list_stage_folders(stage, posixpath.normpath(f"/{folder}"))
        entries = self.tree.folder(join_context(self.context, folder)) or {}
        return {name for name, kind in entries.items() if kind == "folder"}

    def _list_implied_names(self, index: int, path: str) -> frozenset[str]:
        """The names that a folder of a stage has only because something was copied further down, there or before."""
        if (index, path) not in self._implied_names:
            self._implied_names[index, path] = frozenset(self._find_implied_names(index, posixpath.normpath(path)))
        return self._implied_names[index, path]

    def _find_implied_names(self, index: int, path: str) -> Iterator[str]:
        for copy in self.stages[index].copies:
            if further := get_path_below(copy.target, path):
                yield further.partition("/")[0]
            below = get_path_below(path, copy.target)
            if below is None or copy.stage is None:
                continue
            for source in copy.sources:
                places = (posixpath.normpath(f"/{rest}") for rest, _ in self._match_source(source, below, copy))
                yield from (name for address in places for name in self._list_implied_names(copy.stage, address))

    def _find_image_paths(self, index: int, path: str) -> Iterator[str]:
        for copy in self.stages[index].copies:
            inside = [path] if copy.stage is None else list(self._find_image_paths(copy.stage, path))
            for source in copy.sources:
                origin = join_context(self.context, source) if copy.stage is None else "/" + source
                for inner in inside:
                    if not (copy.excluded and is_excluded(copy, inner, origin)):
                        yield from find_copy_targets(copy, origin, inner)

    def _find_sources(self, index: int, seen: set[int]) -> Iterator[str]:
        seen.add(index)
        for copy in self.stages[index].copies:
            if copy.stage is None:
                yield from (join_context(self.context, source) for source in copy.sources)
            elif copy.stage not in seen:
                yield from self._find_sources(copy.stage, seen)


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
