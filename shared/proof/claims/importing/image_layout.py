"""Where the image of a service keeps its modules: its files, and the folders on its import path.

Takes a commit's tree and what a traceback shows of the image. Returns every layout that may be the service's: an import
is decided where they agree.

`NameSearch` looks one name up in folders of an image, as Python's import system does; links and built files stop it.
"""

import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from shared.proof.loading.buildpack_start import find_buildpack_start
from shared.proof.loading.commit_tree import RecordingTree, is_build_file, is_image_file
from shared.proof.loading.dockerfile_search import is_deployed_dockerfile, list_folders_above
from shared.proof.loading.dockerfile_stages import BuildStage, CopyInstruction
from shared.proof.loading.image_files import ImageFiles, build_docker_filter, is_copied
from shared.proof.loading.image_starts import read_starts
from shared.proof.loading.images import BuiltImage, find_images, list_project_installs
from shared.proof.loading.installed_projects import find_installed_projects
from shared.proof.loading.start_command import StartCommand
from shared.proof.model.paths import split_logged_path

_MAX_LAYOUTS = 6
_WORKSPACE = "/workspace"
MANIFESTS = ("requirements.txt", "uv.lock", "poetry.lock", "Pipfile.lock", "pyproject.toml")
"""Of a project that no Dockerfile builds, the first that exists is installed from."""


@dataclass(frozen=True, slots=True)
class TracedFiles:
    """`failing_path` and `traced_paths` are files of the repository that a traceback names: they are in the image.

    `logged_paths` maps a path of the repository to the path that the traceback gives it.
    """

    failing_path: str
    traced_paths: Sequence[str] = ()
    logged_paths: Mapping[str, str] = field(default_factory=dict)
    is_link: Callable[[str], bool] = field(default=lambda _: False)
    """Whether a link is at a path of the tree."""
    logged_root: str = ""
    """The folder of the import path in which the failing import found its module; "" where the log does not say."""
    package_root: str = ""
    """The folder of the import path below whose packages the failing file was loaded; "" where the log does not say."""

    @property
    def running_paths(self) -> tuple[str, ...]:
        return tuple(path for path in (self.failing_path, *self.traced_paths) if path)


@dataclass(frozen=True, slots=True)
class ImageLayout:
    """One image with one start command. Folders are image paths.

    `roots`: the import path, in its order, as the start command sets it. `installed_roots`: folders of projects that
    the build installs. `possible_roots`: others that may be on the path.
    """

    files: ImageFiles
    roots: tuple[str, ...]
    installed_roots: tuple[str, ...] = ()
    possible_roots: tuple[str, ...] = ()
    dockerfile: str = ""
    """"" where there is none."""
    start_files: tuple[str, ...] = ()
    """The image paths of the scripts that are started, and of what they start."""
    started: StartCommand | None = None
    """What is started, where that is one command alone."""
    is_start_known: bool = True
    """False where the import path was taken from the paths of a traceback."""
    project_folder: str | None = None
    """The repository's folder whose manifest is installed, where no Dockerfile says so and it is not the context."""


def find_layouts(tree: RecordingTree, traced: TracedFiles, source_roots: Sequence[str] = ()) -> tuple[ImageLayout, ...]:
    """The layouts at one commit, at least one."""
    if source_roots:
        roots = [posixpath.normpath(posixpath.join("/", root)) for root in source_roots]
        return (ImageLayout(_take_whole_tree(tree, "/", ""), tuple(roots), possible_roots=("/",)),)
    layouts = [layout for image in _choose_images(tree, traced) for layout in _read_image(image, traced)]
    shown = {traced.logged_root, traced.package_root} - {""}
    layouts = [layout for layout in layouts if shown.issubset(layout.roots)] or layouts
    return tuple(layouts)[:_MAX_LAYOUTS] or (_read_buildpack(tree, traced) or _infer_layout(tree, traced),)


def _choose_images(tree: RecordingTree, traced: TracedFiles) -> list[BuiltImage]:
    """Those that copy the failing file and, of these, those that a traceback's paths fit best."""
    images = [image for image in find_images(tree, traced.failing_path) if image.is_last]
    images = [image for image in images if is_deployed_dockerfile(image.path)] or images
    copying = [image for image in images if is_copied(image.files, image.path, traced.failing_path)]
    copying = copying or [image for image in images if image.files.image_paths(traced.failing_path)]
    if not copying:
        return []
    best = max(_count_traced(image, traced) for image in copying)
    return [image for image in copying if _count_traced(image, traced) == best]


def _count_traced(image: BuiltImage, traced: TracedFiles) -> tuple[int, int]:
    """How many logged paths are those of an image, and how many traced files it copies."""
    logged = traced.logged_paths.items()
    same = sum(posixpath.normpath(path) in image.files.image_paths(origin) for origin, path in logged)
    return same, sum(bool(image.files.image_paths(path)) for path in traced.running_paths)


def _read_image(image: BuiltImage, traced: TracedFiles) -> list[ImageLayout]:
    """A layout for each import path that its start commands set."""
    files, stage = image.files, image.stage
    files.is_left_out = build_docker_filter(files, image.path, traced.running_paths)
    installs = list_project_installs(image.stages)
    projects = find_installed_projects(files, stage.workdir, installs)
    starts = read_starts(files, stage, projects.scripts)
    starts = tuple(start for start in starts if start.roots and _is_in_image(files, start)) or starts
    installed = tuple(find_installed_projects(files, "/@/none", installs).roots) if installs else ()
    installed = tuple(root for root in installed if not root.startswith("/@/none"))
    possible = tuple(dict.fromkeys((stage.workdir, *projects.roots)))
    layouts: dict[tuple[str, ...], ImageLayout] = {}
    for start in starts:
        started = start if len(starts) == 1 else None
        layout = ImageLayout(files, start.roots, installed, possible, image.path, _list_start_files(start), started)
        layouts.setdefault(start.roots, layout)
    guessed = (_find_package_root(files, traced), stage.workdir)
    return list(layouts.values()) or [
        ImageLayout(files, tuple(dict.fromkeys(guessed)), installed, possible, image.path, is_start_known=False)
    ]


def _is_in_image(files: ImageFiles, start: StartCommand) -> bool:
    paths = [*start.files, *_list_start_files(start)]
    return bool(start.code) or any(files.locate(path) is not None for path in paths)


def _list_start_files(start: StartCommand) -> tuple[str, ...]:
    """Where the files and modules of a start command may be."""
    paths = list(start.files)
    for module in start.modules:
        for root in start.roots:
            below = posixpath.join(root, *module.split("."))
            paths += [f"{below}/__init__.py", f"{below}.py"]
    return tuple(dict.fromkeys(paths))


def _read_buildpack(tree: RecordingTree, traced: TracedFiles) -> ImageLayout | None:
    start = find_buildpack_start(tree, traced.failing_path)
    if start is None or not start.files.image_paths(traced.failing_path):
        return None
    first = next((command for command in start.starts if command.roots), None)
    roots = first.roots if first else (_WORKSPACE,)
    started = first if len(start.starts) == 1 else None
    files = _list_start_files(first) if first else ()
    return ImageLayout(start.files, roots, possible_roots=start.roots, start_files=files, started=started)


def _infer_layout(tree: RecordingTree, traced: TracedFiles) -> ImageLayout:
    """The whole tree, as a traceback's paths show where it is, else as the packages of the failing file do."""
    folder, top = _find_logged_folders(traced) or ("", _WORKSPACE)
    files = _take_whole_tree(tree, top, folder)
    roots = tuple(dict.fromkeys((top, _find_package_root(files, traced))))
    project = _find_project_folder(tree, traced.failing_path)
    return ImageLayout(files, roots, is_start_known=False, project_folder=project)


def _find_project_folder(tree: RecordingTree, path: str) -> str | None:
    """The nearest folder above a file that has a manifest; None where none has."""
    for folder in list_folders_above(path):
        if any(tree.blob(posixpath.join(folder, name)) is not None for name in MANIFESTS):
            return folder
    return None


def _find_logged_folders(traced: TracedFiles) -> tuple[str, str] | None:
    """The folder of the repository, and the image path at which a traceback shows it."""
    for path in sorted(traced.logged_paths, key=len):
        logged, parts = split_logged_path(traced.logged_paths[path]), path.split("/")
        if not traced.logged_paths[path].startswith("/") or logged[-1:] != tuple(parts[-1:]):
            continue
        common = 0
        while common < min(len(logged), len(parts)) and logged[-1 - common] == parts[-1 - common]:
            common += 1
        return "/".join(parts[: len(parts) - common]), "/" + "/".join(logged[: len(logged) - common])
    return None


def _find_package_root(files: ImageFiles, traced: TracedFiles) -> str:
    """The image folder above the outermost package of the failing file."""
    paths = files.image_paths(traced.failing_path)
    folder = posixpath.dirname(paths[0]) if paths else _WORKSPACE
    while folder != "/" and files.locate(posixpath.join(folder, "__init__.py")) is not None:
        folder = posixpath.dirname(folder)
    return folder


def _take_whole_tree(tree: RecordingTree, target: str, folder: str) -> ImageFiles:
    stage = BuildStage(workdir=target, copies=(CopyInstruction((".",), target, is_into_folder=True),))
    return ImageFiles(tree, (stage,), folder)


_MAY_PROVIDE = re.compile(
    r"(?:^|/)(?:\.gitignore|\.gcloudignore|[\w.-]*\.?dockerignore|Pipfile(?:\.lock)?|(?:poetry|pdm|uv)\.lock|environment\.ya?ml"
    r"|pyproject\.toml|setup\.(?:cfg|py)|requirements[\w.-]*|[\w.-]*Dockerfile|Procfile)$"
)
_REQUIREMENTS = re.compile(r"(?:^|/)requirements/[\w./-]+\.(?:txt|in)$")

_MODULES_THAT_MAY_DECIDE = ("setup", "requirements", "dockerfile", "containerfile")
"""What a `.py` is called that one of the rules below may know; thousands of others change from commit to commit."""


def may_provide(path: str) -> bool:
    """Whether a file may say what a build brings or leaves out."""
    return _MAY_PROVIDE.search(path) is not None


def decides_image(path: str) -> bool:
    """Whether a change of a file may change what an image has beside the files of the repository."""
    name = path.rpartition("/")[2]
    if name.endswith(".py") and not name.lower().startswith(_MODULES_THAT_MAY_DECIDE):
        return False
    return may_provide(path) or is_image_file(path) or is_build_file(path) or bool(_REQUIREMENTS.search(path))


_BUILT_FILES = (".so", ".pyd", ".pyc", ".pyx")


@dataclass(frozen=True, slots=True)
class Location:
    """What one name means: a file (image path), folders that hold its submodules, or both."""

    path: str = ""
    folders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why the meaning of a name is unknown."""

    reason: str


class NameSearch:
    """Searches the files of one image."""

    def __init__(self, files: ImageFiles, is_link: Callable[[str], bool]) -> None:
        self._files = files
        self._tree = files.tree
        self._is_link = is_link

    def search(self, folders: Sequence[str], name: str) -> Location | Obstacle | None:
        """One name in some folders: a package, else a module, else the parts of a namespace package."""
        portions: list[str] = []
        for folder in folders:
            path = posixpath.join(folder, name)
            if built := self._find_built_file(folder, name):
                return Obstacle(f"{built} is built, not read")
            if self._files.locate(f"{path}/__init__.py") is not None:
                return Location(f"{path}/__init__.py", (path,))
            if self._files.locate(f"{path}.py") is not None:
                return Location(f"{path}.py")
            if link := self._find_link(path):
                return Obstacle(f"{link} is a link")
            if self._is_folder(path):
                portions.append(path)
        return Location("", tuple(portions)) if portions else None

    def _find_built_file(self, folder: str, name: str) -> str:
        """An extension module or a compiled file of a name; Python takes it for the module."""
        for origin in self._files.list_origin_paths(folder):
            for entry in self._tree.list_unrecorded(origin) or ():
                if entry.startswith(f"{name}.") and entry.endswith(_BUILT_FILES):
                    path = posixpath.join(origin, entry)
                    self._tree.blob(path)  # an input: without it the answer is another one
                    return path
        return ""

    def _find_link(self, path: str) -> str:
        origins = [*self._files.list_origin_paths(path), *self._files.list_origin_paths(f"{path}.py")]
        return next((origin for origin in origins if self._is_link(origin)), "")

    def _is_folder(self, path: str) -> bool:
        """Whether the image has a folder; one that is left out counts where something in it is not."""
        if not self._files.is_folder(path):
            return False
        origins = [origin for origin in self._files.list_origin_paths(path) if self._tree.has_folder(origin)]
        if not origins or any(not self._files.is_left_out(origin) for origin in origins):
            return True
        entries = [posixpath.join(origin, name) for origin in origins for name in self._tree.folder(origin) or ()]
        return any(not self._files.is_left_out(entry) for entry in entries)
