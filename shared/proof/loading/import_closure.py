"""The files of a commit that the service loads: along the imports, from the start command of its image.

Returns the files, the rule by which they were chosen, and every path on which the answer depends.
"""

import posixpath
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from shared.proof.loading.buildpack_start import BuildpackStart, find_buildpack_start
from shared.proof.loading.commit_tree import MAX_BYTES, RecordingTree, SourceTree
from shared.proof.loading.dockerfile_search import is_deployed_dockerfile
from shared.proof.loading.image_files import ImageFiles, build_docker_filter, is_copied
from shared.proof.loading.image_starts import describe_starts, read_starts
from shared.proof.loading.images import (
    BuiltImage,
    find_images,
    list_project_installs,
)
from shared.proof.loading.import_follower import ImportFollower
from shared.proof.loading.imports import Imports, parse_imports
from shared.proof.loading.installed_projects import find_installed_projects
from shared.proof.loading.missing_modules import (
    DeployedTree,
    FollowedImports,
    find_missing_imports,
    find_missing_in_folders,
)
from shared.proof.loading.service_files import list_copied_files, list_repository_files, list_source_root_files
from shared.proof.loading.start_command import StartCommand
from shared.proof.model.missing_import import MissingImport

ImportsLoader = Callable[[str, str], Imports]


@dataclass(frozen=True)
class ImportClosure:
    """`files` are repository paths of Python files that the service loads as source.

    `start_command`: the start files and modules as found, "" where unreadable. `rule`: one sentence for the report.
    `is_exact`: False for all that the image copies. `image_path`: the Dockerfile or Procfile that was read.
    `ambiguous_images`: others whose closure holds the failing file. `recorded_paths`: see `is_affected_by`.
    `unresolved_imports`: dynamic imports of these files whose module no text names. `missing_imports`: imports of
    modules that the deployed commit had and that vanished.
    """

    files: frozenset[str]
    start_command: str
    rule: str
    is_exact: bool
    image_path: str
    ambiguous_images: tuple[str, ...]
    recorded_paths: frozenset[str]
    unresolved_imports: tuple[str, ...] = ()
    missing_imports: tuple[MissingImport, ...] = ()
    scripts: frozenset[str] = frozenset()
    """Those of the files that the start command runs by their path, as `python FILE` does."""
    contents_read: frozenset[str] = field(default=frozenset(), compare=False, repr=False)
    """Of the recorded paths, the files of which more counts than their imports and that they exist."""
    imports_read: Mapping[str, Imports] = field(default_factory=dict, compare=False, repr=False)
    """By path: the files that were followed, with what they import. Nothing else of their contents counts."""
    follower: ImportFollower | None = field(default=None, compare=False, repr=False)
    """None where no start command was followed."""


@dataclass(slots=True)
class _LoadedImage:
    """What one image (or the buildpack) loads."""

    path: str
    files: ImageFiles
    follower: ImportFollower | None
    start_text: str = ""
    start_position: str = ""
    name: str = ""

    @property
    def loaded_paths(self) -> frozenset[str]:
        return frozenset(self.follower.loaded.values()) if self.follower else frozenset()


@dataclass(frozen=True, slots=True)
class _ImageDescription:
    """What a closure says of its image."""

    start_command: str = ""
    path: str = ""
    ambiguous: Sequence[str] = ()
    unresolved_imports: Sequence[str] = ()
    missing_imports: Sequence[MissingImport] = ()
    scripts: frozenset[str] = frozenset()
    follower: ImportFollower | None = None


def find_import_closure(  # noqa: PLR0913, PLR0917  # the last two are what a caller may know already
    tree: SourceTree,
    failing_path: str,
    traced_paths: Sequence[str] = (),
    source_roots: Sequence[str] = (),
    imports_loader: ImportsLoader | None = None,
    deployed: DeployedTree | None = None,
) -> ImportClosure:
    """The closure at one commit.

    `imports_loader` may give the `parse_imports` of a (path, blob id) from a memory. `deployed` is the deployed commit,
    at which modules are looked up that are missing here.
    """
    search = _ClosureSearch(RecordingTree(tree), failing_path, tuple(traced_paths), imports_loader, deployed)
    return search.find_closure(source_roots)


class _ClosureSearch:
    def __init__(
        self,
        tree: RecordingTree,
        failing_path: str,
        traced: Sequence[str],
        imports: ImportsLoader | None,
        deployed: DeployedTree | None,
    ) -> None:
        self.tree = tree
        self.deployed = deployed
        self.failing = failing_path
        self.traced = traced
        self._imports_loader = imports
        self._imports_by_path: dict[str, Imports] = {}

    def find_closure(self, roots: Sequence[str]) -> ImportClosure:
        if roots:
            files = list_source_root_files(self.tree, self.failing, roots)
            image = _ImageDescription(missing_imports=self._find_missing_in_folders(files, is_start_unread=False))
            return self._build_closure(files, f"the configured source roots {', '.join(roots)}", image)
        copying, others = self._split_images()
        loaded = [self._load_image(image) for image in copying]
        if not any(self.failing in image.loaded_paths for image in loaded):
            loaded += [self._load_image(image) for image in others]
        unread = {image.path for image in loaded if image.name == image.path and not image.follower}
        holding = [image for image in loaded if self.failing in image.loaded_paths and image.path not in unread]
        holding.sort(
            key=lambda image: (
                not is_deployed_dockerfile(image.path),
                -len(image.loaded_paths.intersection(self.traced)),
            )
        )
        if holding:
            return self._close_image(
                holding[0], [other.name for other in holding[1:] if is_deployed_dockerfile(other.path)]
            )
        if copying:
            first = next((image for image in loaded if self._misses_failing_file(image)), loaded[0])
            return self._close_image(first, []) if first.follower else self._close_copies(first)
        return self._close_without_image()

    def _split_images(self) -> tuple[list[BuiltImage], list[BuiltImage]]:
        """Those that are seen to copy the failing file, and the others: a build may bring it there in other ways."""
        images = list(find_images(self.tree, self.failing))
        copying = [image for image in images if is_copied(image.files, image.path, self.failing)]
        return copying, [image for image in images if image not in copying]

    def get_imports(self, path: str) -> Imports:
        if path not in self._imports_by_path:
            self._imports_by_path[path] = self._load_imports(path)
        return self._imports_by_path[path]

    def _load_imports(self, path: str) -> Imports:
        blob = self.tree.blob(path)
        if blob is None:
            return Imports()
        if self._imports_loader:
            return self._imports_loader(path, blob)
        return parse_imports((self.tree.read(path) or b"")[:MAX_BYTES])

    def _load_image(self, image: BuiltImage) -> _LoadedImage:
        image.files.is_left_out = build_docker_filter(image.files, image.path, (self.failing, *self.traced))
        projects = find_installed_projects(image.files, image.stage.workdir, list_project_installs(image.stages))
        starts = read_starts(image.files, image.stage, projects.scripts)
        follower = self._follow_starts(image.files, starts, (image.stage.workdir, *projects.roots))
        text = describe_starts(follower.found_starts) if follower else ""
        return _LoadedImage(
            image.path, image.files, follower, text, f"{image.path}{_describe_command_line(image)}", image.name
        )

    def _follow_starts(
        self, files: ImageFiles, starts: Sequence[StartCommand], more: Iterable[str]
    ) -> ImportFollower | None:
        """Everything that the starts load; None where none of them is found among the files."""
        roots = [root for start in starts for root in start.roots]
        words = {word for start in starts for word in start.text.split()}
        follower = ImportFollower(files, [*roots, *more], self.get_imports, words)
        for start in starts:
            follower.add_start(start)
        if not follower.found_starts:
            return None
        follower.follow_all()
        return follower

    def _close_image(self, image: _LoadedImage, ambiguous: Sequence[str]) -> ImportClosure:
        assert image.follower is not None
        inside = self.failing in image.loaded_paths
        self._add_traced(image.files, image.follower)
        rule = f"import closure of `{image.start_text}` ({image.start_position})"
        if not inside:
            rule += ", and the failing file, which no start command reaches by its imports"
        if image.follower.unresolved_imports:
            dynamic = _shorten_list(image.follower.unresolved_imports)
            rule += f"; what these import dynamically may be missing in it: {dynamic}"
        follower, missing = image.follower, self._find_missing(image)
        followed = (follower.unresolved_imports, missing, follower.find_scripts(), follower)
        description = _ImageDescription(image.start_text, image.path, ambiguous, *followed)
        return self._build_closure(follower.loaded.values(), rule, description)

    def _find_missing(self, image: _LoadedImage) -> tuple[MissingImport, ...]:
        if self.deployed is None or image.follower is None:
            return ()
        running = (self.failing, *self.traced)
        followed = FollowedImports(self.tree, image.files, image.follower, self.get_imports, image.path, running)
        return find_missing_imports(followed, self.deployed)

    def _misses_failing_file(self, image: _LoadedImage) -> bool:
        """Whether an image still imports the failing file, which vanished: then it is the one that loaded it."""
        if self.tree.blob(self.failing) is not None:
            return False
        return any(entry.former_path == self.failing for entry in self._find_missing(image))

    def _find_missing_in_folders(
        self, paths: Collection[str], *, is_start_unread: bool = True
    ) -> tuple[MissingImport, ...]:
        if self.deployed is None:
            return ()
        return find_missing_in_folders(
            self.tree, paths, self.deployed, self.get_imports, is_start_unread=is_start_unread
        )

    def _close_copies(self, image: _LoadedImage) -> ImportClosure:
        files = list_copied_files(image.files, image.path, self.failing)
        rule = f"every Python file that {image.path} copies: its start command could not be read"
        missing = self._find_missing_in_folders(files)
        description = _ImageDescription(path=image.path, missing_imports=missing)
        return self._build_closure(files, rule, description, exact=False)

    def _close_without_image(self) -> ImportClosure:
        start = find_buildpack_start(self.tree, self.failing)
        follower = self._follow_starts(start.files, start.starts, start.roots) if start else None
        image = _load_buildpack(start, follower) if start and follower else None
        if image and (self.failing in image.loaded_paths or self._misses_failing_file(image)):
            return self._close_image(image, [])
        files = list_repository_files(self.tree, self.failing)
        rule = "every Python file of the repository less tests and ignored ones: no start command could be read"
        description = _ImageDescription(missing_imports=self._find_missing_in_folders(files))
        return self._build_closure(files, rule, description, exact=False)

    def _add_traced(self, files: ImageFiles, follower: ImportFollower) -> None:
        """The failing file and what the traceback names are loaded, whether or not an import leads there."""
        for path in (self.failing, *self.traced):
            if path in follower.loaded.values():
                continue
            for image_path in files.image_paths(path)[:4]:
                if not any(image_path.startswith(root.rstrip("/") + "/") for root in follower.roots):
                    follower.add_root(posixpath.dirname(image_path))
                follower.add_with_packages(image_path)
        follower.follow_all()

    def _build_closure(
        self, files: Iterable[str], rule: str, image: _ImageDescription | None = None, *, exact: bool = True
    ) -> ImportClosure:
        named = [path for path in (self.failing, *self.traced) if self.tree.blob(path) is not None]
        shown = image or _ImageDescription()
        return ImportClosure(
            frozenset([*files, *named]),
            shown.start_command,
            rule,
            exact,
            shown.path,
            tuple(shown.ambiguous),
            frozenset(self.tree.recorded_paths),
            tuple(shown.unresolved_imports),
            tuple(shown.missing_imports),
            shown.scripts,
            frozenset(self.tree.contents_read),
            self._imports_by_path,
            shown.follower,
        )


def _shorten_list(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
    return "; ".join(texts[:3]) + more


def _describe_command_line(image: BuiltImage) -> str:
    command = image.stage.command or image.stage.entrypoint
    return f" line {command.line}" if command else ""


def _load_buildpack(start: BuildpackStart, follower: ImportFollower) -> _LoadedImage:
    return _LoadedImage(
        start.path, start.files, follower, describe_starts(follower.found_starts), start.path or "buildpack default"
    )
