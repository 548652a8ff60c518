"""The files of a commit that the service loads: along the imports, from the start command of its image.

In: a commit's tree, the failing file, what the traceback names, the configured roots. Out: the files, by which rule
they were chosen, and everything that the answer depends on.
"""

import posixpath
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from shared.proof.loading.buildpack import BuildpackStart, find_buildpack_start
from shared.proof.loading.follow import Follower
from shared.proof.loading.image_files import ImageFiles
from shared.proof.loading.images import Image, find_images, is_deployed
from shared.proof.loading.imports import Imports, load_imports
from shared.proof.loading.in_folders import copied_files, docker_leaves_out, files_of_roots, holds, repository_files
from shared.proof.loading.project import read_projects
from shared.proof.loading.start import Start
from shared.proof.loading.started import describe, project_installs, read_starts
from shared.proof.loading.tree import MOST_BYTES, RecordedTree, SourceTree

ImportsOf = Callable[[str, str], Imports]


@dataclass(frozen=True)
class Closure:
    """`files` are repository paths of Python files that the service loads as source.

    `start`: the start files and modules as found, "" where unreadable. `rule`: one sentence for the report.
    `exact`: False where what the image copies was taken. `image`: the Dockerfile or Procfile that was read.
    `ambiguous`: other images whose closure holds the failing file. `asked`: see `tree.touches`.
    `unfollowed`: dynamic imports of these files whose module no text tells.
    """

    files: frozenset[str]
    start: str
    rule: str
    exact: bool
    image: str
    ambiguous: tuple[str, ...]
    asked: frozenset[str]
    unfollowed: tuple[str, ...] = ()


@dataclass(slots=True)
class _Loaded:
    """What one image (or the buildpack) loads."""

    path: str
    files: ImageFiles
    follower: Follower | None
    text: str = ""
    where: str = ""
    name: str = ""

    @property
    def holds(self) -> frozenset[str]:
        return frozenset(self.follower.loaded.values()) if self.follower else frozenset()


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a closure says of its image."""

    start: str = ""
    path: str = ""
    ambiguous: Sequence[str] = ()
    unfollowed: Sequence[str] = ()


def find_closure(
    tree: SourceTree,
    failing: str,
    traced: Sequence[str] = (),
    roots: Sequence[str] = (),
    imports: ImportsOf | None = None,
) -> Closure:
    """The closure at one commit; `imports` may give (path, blob id) -> `load_imports` of it out of a memory."""
    return _Search(RecordedTree(tree), failing, tuple(traced), imports).find(roots)


class _Search:
    def __init__(self, tree: RecordedTree, failing: str, traced: Sequence[str], imports: ImportsOf | None) -> None:
        self.tree = tree
        self.failing = failing
        self.traced = traced
        self._given = imports
        self._read: dict[str, Imports] = {}

    def find(self, roots: Sequence[str]) -> Closure:
        if roots:
            files = files_of_roots(self.tree, self.failing, roots)
            return self._closure(files, rule=f"the configured source roots {', '.join(roots)}")
        copying, others = self._images()
        loaded = [self._load_image(image) for image in copying]
        if not any(self.failing in image.holds for image in loaded):
            loaded += [self._load_image(image) for image in others]
        unread = {image.path for image in loaded if image.name == image.path and not image.follower}
        holding = [image for image in loaded if self.failing in image.holds and image.path not in unread]
        holding.sort(key=lambda image: (not is_deployed(image.path), -len(image.holds.intersection(self.traced))))
        if holding:
            return self._of_image(holding[0], [other.name for other in holding[1:] if is_deployed(other.path)])
        if copying:
            return self._of_image(loaded[0], []) if loaded[0].follower else self._of_copies(loaded[0])
        return self._without_image()

    def _images(self) -> tuple[list[Image], list[Image]]:
        """Those that are seen to copy the failing file, and the others: a build may bring it there in other ways."""
        images = list(find_images(self.tree, self.failing))
        copying = [image for image in images if holds(image.files, image.path, self.failing)]
        return copying, [image for image in images if image not in copying]

    def imports_of(self, path: str) -> Imports:
        if path not in self._read:
            self._read[path] = self._load_imports(path)
        return self._read[path]

    def _load_imports(self, path: str) -> Imports:
        blob = self.tree.blob(path)
        if blob is None:
            return Imports()
        return self._given(path, blob) if self._given else load_imports((self.tree.read(path) or b"")[:MOST_BYTES])

    def _load_image(self, image: Image) -> _Loaded:
        image.files.is_left_out = docker_leaves_out(image.files, image.path, (self.failing, *self.traced))
        projects = read_projects(image.files, image.stage.workdir, project_installs(image.stages))
        starts = read_starts(image.files, image.stage, projects.scripts)
        follower = self._follow(image.files, starts, (image.stage.workdir, *projects.roots))
        text = describe(follower.started) if follower else ""
        return _Loaded(image.path, image.files, follower, text, f"{image.path}{_line(image)}", image.name)

    def _follow(self, files: ImageFiles, starts: Sequence[Start], more: Iterable[str]) -> Follower | None:
        """Everything that the starts load; None where none of them is found among the files."""
        roots = [root for start in starts for root in start.roots]
        words = {word for start in starts for word in start.text.split()}
        follower = Follower(files, [*roots, *more], self.imports_of, words)
        for start in starts:
            follower.add_start(start)
        if not follower.started:
            return None
        follower.run()
        return follower

    def _of_image(self, image: _Loaded, ambiguous: Sequence[str]) -> Closure:
        assert image.follower is not None
        inside = self.failing in image.holds
        self._add_named(image.files, image.follower)
        rule = f"import closure of `{image.text}` ({image.where})"
        if not inside:
            rule += ", and the failing file, which no start command reaches by its imports"
        if image.follower.unfollowed:
            rule += f"; what these import dynamically may be missing in it: {_few(image.follower.unfollowed)}"
        shown = _Shown(image.text, image.path, ambiguous, image.follower.unfollowed)
        return self._closure(image.follower.loaded.values(), rule, shown)

    def _of_copies(self, image: _Loaded) -> Closure:
        files = copied_files(image.files, image.path, self.failing)
        rule = f"every Python file that {image.path} copies: its start command could not be read"
        return self._closure(files, rule, _Shown(path=image.path), exact=False)

    def _without_image(self) -> Closure:
        start = find_buildpack_start(self.tree, self.failing)
        follower = self._follow(start.files, start.starts, start.roots) if start else None
        if start and follower and self.failing in follower.loaded.values():
            return self._of_image(_buildpack(start, follower), [])
        files = repository_files(self.tree, self.failing)
        rule = "every Python file of the repository less tests and ignored ones: no start command could be read"
        return self._closure(files, rule, exact=False)

    def _add_named(self, files: ImageFiles, follower: Follower) -> None:
        """The failing file and what the traceback names are loaded, whether or not an import leads there."""
        for path in (self.failing, *self.traced):
            if path in follower.loaded.values():
                continue
            for place in files.places(path)[:4]:
                if not any(place.startswith(root.rstrip("/") + "/") for root in follower.roots):
                    follower.add_root(posixpath.dirname(place))
                follower.add_with_packages(place)
        follower.run()

    def _closure(self, files: Iterable[str], rule: str, image: _Shown | None = None, *, exact: bool = True) -> Closure:
        named = [path for path in (self.failing, *self.traced) if self.tree.blob(path) is not None]
        shown = image or _Shown()
        return Closure(
            frozenset([*files, *named]),
            shown.start,
            rule,
            exact,
            shown.path,
            tuple(shown.ambiguous),
            frozenset(self.tree.asked),
            tuple(shown.unfollowed),
        )


def _few(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
    return "; ".join(texts[:3]) + more


def _line(image: Image) -> str:
    command = image.stage.command or image.stage.entrypoint
    return f" line {command.line}" if command else ""


def _buildpack(start: BuildpackStart, follower: Follower) -> _Loaded:
    return _Loaded(start.path, start.files, follower, describe(follower.started), start.path or "buildpack default")
