"""Which services a commit builds: for each image the Python file that its start command runs first.

Takes a commit's tree, and for a comparison that of the baseline, too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.proof.loading.buildpack_start import find_buildpack_start
from shared.proof.loading.commit_tree import CommitTree, RecordingTree
from shared.proof.loading.dockerfile_search import is_deployed_dockerfile
from shared.proof.loading.image_files import ImageFiles, build_docker_filter
from shared.proof.loading.image_starts import read_starts
from shared.proof.loading.images import find_images, list_project_installs
from shared.proof.loading.installed_projects import find_installed_projects
from shared.proof.loading.start_command import StartCommand
from shared.proof.model.ports import History

_MAX_SERVICES = 8
_LIKELY_FILES = ("main.py", "app.py", "wsgi.py", "asgi.py", "manage.py", "src/main.py", "app/main.py")


@dataclass(frozen=True, slots=True)
class StartedService:
    """`start_path`: the Python file that runs first. `built_by`: the Dockerfile or the Procfile, "" for a guess."""

    start_path: str
    built_by: str


def find_compared_services(history: History, commit: str, baseline: str) -> tuple[StartedService, ...]:
    """Those of a commit, and those of the baseline whose Dockerfile is still there and starts nothing that is found."""
    tree, former = (RecordingTree(CommitTree(history, oid)) for oid in (commit, baseline))
    started = find_started_services(tree)
    built = {service.built_by for service in started}
    lost = [service for service in find_started_services(former) if service.built_by and service.built_by not in built]
    return (*started, *(service for service in lost if tree.blob(service.built_by) is not None))


def find_started_services(tree: RecordingTree) -> tuple[StartedService, ...]:
    """The services of one commit, each start file once; () where nothing looks like one."""
    services: dict[str, StartedService] = {}
    for service in _list_services(tree):
        services.setdefault(service.start_path, service)
        if len(services) == _MAX_SERVICES:
            break
    return tuple(services.values())


def _list_services(tree: RecordingTree) -> Iterator[StartedService]:
    is_any = False
    for image in find_images(tree, ""):
        if not image.is_last or not is_deployed_dockerfile(image.path):
            continue
        image.files.is_left_out = build_docker_filter(image.files, image.path, ())
        projects = find_installed_projects(image.files, image.stage.workdir, list_project_installs(image.stages))
        starts = read_starts(image.files, image.stage, projects.scripts)
        path = next((path for start in starts for path in _list_paths(image.files, start, projects.roots)), "")
        if path:
            is_any = True
            yield StartedService(path, image.path)
    buildpack = find_buildpack_start(tree, "main.py") if not is_any else None
    for start in buildpack.starts if buildpack is not None else ():
        for path in _list_paths(buildpack.files, start, buildpack.roots) if buildpack is not None else ():
            is_any = True
            yield StartedService(path, buildpack.path if buildpack is not None else "")
    likely = next((path for path in _LIKELY_FILES if not is_any and tree.blob(path) is not None), "")
    if likely:
        yield StartedService(likely, "")


def _list_paths(files: ImageFiles, start: StartCommand, more_roots: Sequence[str]) -> Iterator[str]:
    """The repository's files that a command starts; the modules that it names come last, since servers come first."""
    for path in start.files:
        located = files.locate(path)
        if located is not None and located.endswith(".py"):
            yield located
    for module in reversed(start.modules):
        for root in (*start.roots, *more_roots):
            below = f"{root.rstrip('/')}/{module.replace('.', '/')}"
            located = files.locate(f"{below}.py") or files.locate(f"{below}/__init__.py")
            if located is not None:
                yield located
                break
