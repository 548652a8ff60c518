"""The files that a repository's images start: what is loaded is known from there where no log names a file.

Takes a commit's tree. Returns the repository paths of the start files, or nothing where a start is not plain.
"""

from collections.abc import Iterator, Sequence

from shared.proof.loading.commit_tree import RecordingTree, SourceTree
from shared.proof.loading.dockerfile_search import is_deployed_dockerfile
from shared.proof.loading.image_files import ImageFiles, build_docker_filter
from shared.proof.loading.image_starts import read_starts
from shared.proof.loading.images import BuiltImage, find_buildpack_start, find_images, list_project_installs
from shared.proof.loading.installed_projects import find_installed_projects
from shared.proof.loading.start_command import StartCommand


def find_start_files(tree: SourceTree) -> tuple[str, ...]:
    """The start files of every image that may be deployed, each once; () where one of them starts what is not found."""
    recording = RecordingTree(tree)
    images = [image for image in find_images(recording, "") if image.is_last and is_deployed_dockerfile(image.path)]
    started = [_list_image_files(image) for image in images] or [_list_buildpack_files(recording)]
    return tuple(dict.fromkeys(path for paths in started for path in paths)) if all(started) else ()


def _list_image_files(image: BuiltImage) -> tuple[str, ...]:
    image.files.is_left_out = build_docker_filter(image.files, image.path, ())
    projects = find_installed_projects(image.files, image.stage.workdir, list_project_installs(image.stages))
    return _list_files(image.files, read_starts(image.files, image.stage, projects.scripts))


def _list_buildpack_files(tree: RecordingTree) -> tuple[str, ...]:
    start = find_buildpack_start(tree, "")
    return _list_files(start.files, start.starts) if start is not None else ()


def _list_files(files: ImageFiles, starts: Sequence[StartCommand]) -> tuple[str, ...]:
    """() where a file or a module that is started is not among the files."""
    located = [path for start in starts for path in _locate_start(files, start)]
    return () if None in located else tuple(path for path in located if path is not None)


def _locate_start(files: ImageFiles, start: StartCommand) -> Iterator[str | None]:
    """Of several modules the first is what was named; the others may exist beside it."""
    for path in start.files:
        yield files.locate(path)
    for module in start.modules[:1]:
        yield _locate_module(files, start.roots, module)
    if start.code or not (start.files or start.modules):
        yield None


def _locate_module(files: ImageFiles, roots: Sequence[str], module: str) -> str | None:
    ends = (f"{module.replace('.', '/')}{end}" for end in ("/__main__.py", "/__init__.py", ".py"))
    paths = [f"{root.rstrip('/')}/{end}" for end in ends for root in roots]
    return next((located for path in paths if (located := files.locate(path)) is not None), None)
