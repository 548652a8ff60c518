"""Which images a repository builds, and from which folder each takes its files.

Returns the images, the likeliest one for the failing file first, each with its start commands.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from shared.proof.loading.build_commands import BuildDeclaration
from shared.proof.loading.build_declarations import find_build_declarations, find_source_uploads
from shared.proof.loading.commit_tree import RecordingTree
from shared.proof.loading.dockerfile_search import find_dockerfiles, is_deployed_dockerfile, list_folders_above
from shared.proof.loading.dockerfile_stages import BuildStage, parse_stages
from shared.proof.loading.image_files import ImageFiles, find_address_in_stage

MAX_IMAGES = 40
_PROJECT_FILES = ("pyproject.toml", "requirements.txt", "setup.py", "Pipfile", "main.py", "app.py", "manage.py")


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """A Dockerfile with its stages, and the files of what it builds."""

    path: str
    stages: tuple[BuildStage, ...]
    files: ImageFiles
    is_last: bool = True

    @property
    def name(self) -> str:
        """The Dockerfile, and the stage where a build names one (`--target`)."""
        return self.path if self.is_last else f"{self.path} (stage {self.stage.name})"

    @property
    def stage(self) -> BuildStage:
        return self.stages[-1]


def find_images(tree: RecordingTree, failing_path: str) -> Iterator[BuiltImage]:
    """The images that can hold the failing file, the likeliest first: a deployed one, of the nearest folder."""
    paths = sorted(find_dockerfiles(tree, failing_path), key=lambda path: _rank_dockerfile(path, failing_path))
    parsed = {path: stages for path in paths[:MAX_IMAGES] if (stages := parse_stages(tree.read_text(path)))}
    for path in _drop_variants(tree, parsed):
        yield from _list_stage_images(tree, path, parsed[path])


def _drop_variants(tree: RecordingTree, parsed: Mapping[str, Sequence[BuildStage]]) -> list[str]:
    """Without the Dockerfiles that start what another of their folder starts, where a deployment builds that one."""
    folders = [posixpath.dirname(path) for path in parsed]
    if len(set(folders)) == len(folders):
        return list(parsed)
    built = {
        path for path in parsed if is_deployed_dockerfile(path)
        and any(not build.is_for_development for build in _find_builds(tree, path))
    }  # fmt: skip
    built |= {path for path in parsed if _is_built_from_source(tree, path)}
    starts = {(posixpath.dirname(path), _describe_start(parsed[path])) for path in built}
    return [
        path
        for path in parsed
        if path in built or (posixpath.dirname(path), _describe_start(parsed[path])) not in starts
    ]


def _is_built_from_source(tree: RecordingTree, path: str) -> bool:
    """Whether gcloud builds a folder by the Dockerfile that is in it."""
    folder, _, name = path.rpartition("/")
    uploads = find_source_uploads(tree, folder, has_dockerfile=True) if name == "Dockerfile" else ()
    return any(upload.is_certain and upload.folder == folder for upload in uploads)


def _describe_start(stages: Sequence[BuildStage]) -> tuple[object, ...]:
    given = (stages[-1].entrypoint, stages[-1].command)
    return tuple((start.words, start.shell) if start is not None else None for start in given)


def read_image(tree: RecordingTree, path: str) -> list[BuiltImage]:
    """The image of one Dockerfile, once for each folder from which it may be built; () where it builds none."""
    stages = parse_stages(tree.read_text(path))
    image = next(_list_stage_images(tree, path, stages), None) if stages else None
    if image is None:
        return []
    contexts = _list_likely_contexts(tree, path, image.stages)
    known = len(contexts) == 1
    return [
        replace(image, files=ImageFiles(tree, image.stages, context, is_context_known=known)) for context in contexts
    ]


def _list_stage_images(tree: RecordingTree, path: str, stages: Sequence[BuildStage]) -> Iterator[BuiltImage]:
    """The image of the last stage, then those of earlier ones that start something: a build may end there.

    Where every build that is declared ends at one of these, it comes first.
    """
    started = [
        count
        for count in range(len(stages) - 1, 0, -1)
        if (stage := stages[count - 1]).name and stage.has_start and is_deployed_dockerfile(stage.name)
    ]
    counts = [len(stages), *started]
    targets = {build.target for build in _find_builds(tree, path)} if started else set()
    if len(targets) == 1 and (named := [count for count in started if stages[count - 1].name in targets]):
        counts = [*named, *(count for count in counts if count not in named)]
    for count in counts:
        shown = tuple(stages[:count])
        yield BuiltImage(path, shown, _choose_build_context(tree, path, shown), is_last=count == counts[0])


def _find_builds(tree: RecordingTree, dockerfile: str) -> list[BuildDeclaration]:
    """The declared builds of a Dockerfile: those of deployments where there are any."""
    builds = [
        build
        for build in find_build_declarations(tree, posixpath.dirname(dockerfile))
        if build.dockerfile == dockerfile and is_deployed_dockerfile(build.target or build.path)
    ]
    return [build for build in builds if not build.is_for_development] or builds


def _rank_dockerfile(path: str, failing_path: str) -> tuple[bool, int, int, int, str]:
    above = list_folders_above(failing_path)
    folder = posixpath.dirname(path)
    common = posixpath.commonpath([folder, posixpath.dirname(failing_path)]) if folder and "/" in failing_path else ""
    name = posixpath.basename(path).lower()
    known = folder in above
    return (
        not is_deployed_dockerfile(path),
        -(len(folder.split("/")) if known and folder else 0),
        -(len(common.split("/")) if common else 0),
        0 if name in {"dockerfile", "containerfile"} else 1,
        path,
    )


def _choose_build_context(tree: RecordingTree, path: str, stages: Sequence[BuildStage]) -> ImageFiles:
    """The files of an image, with the build context that holds most of what the Dockerfile copies.

    Of several such, the one where the start command finds its file, else the nearest that looks like a project.
    """
    declared = _find_declared_context(tree, path)
    if declared is not None:
        return ImageFiles(tree, stages, declared, is_context_known=True)
    likely = _list_best_contexts(tree, path, stages)
    known = [context for context in likely if _has_start_file(ImageFiles(tree, stages, context))]
    projects = [
        context for context in likely if any(tree.blob(posixpath.join(context, name)) for name in _PROJECT_FILES)
    ]
    return ImageFiles(tree, stages, (known or projects or likely)[0], is_context_known="/" not in path)


def _list_likely_contexts(tree: RecordingTree, path: str, stages: Sequence[BuildStage]) -> list[str]:
    """Every folder that may be the build context, whatever the start command finds in it."""
    declared = _find_declared_context(tree, path)
    return [declared] if declared is not None else _list_best_contexts(tree, path, stages)


def _find_declared_context(tree: RecordingTree, path: str) -> str | None:
    """The build context that the repository declares for a Dockerfile; None without one, or where two differ."""
    declared = {build.context for build in _find_builds(tree, path)} if "/" in path else set()
    return declared.pop() if len(declared) == 1 else None


def _list_best_contexts(tree: RecordingTree, path: str, stages: Sequence[BuildStage]) -> list[str]:
    """The folders above a Dockerfile that hold most of what it copies, the nearest first."""
    scores = [(_count_existing(tree, context, stages), context) for context in list_folders_above(path)]
    best = max(score for score, _ in scores)
    return [context for score, context in scores if score == best]


def _count_existing(tree: RecordingTree, context: str, stages: Sequence[BuildStage]) -> int:
    """How many of the copied paths exist below a folder."""
    sources = {source for stage in stages for copy in stage.copies if copy.stage is None for source in copy.sources}
    plain = [posixpath.normpath(posixpath.join(context, source)) for source in sources if source != "."]
    return sum(1 for source in plain if tree.blob(source) is not None or tree.has_folder(source))


def _has_start_file(files: ImageFiles) -> bool:
    """Whether a word of the start command names a file or a module of an image."""
    stage = files.stages[-1]
    commands = [command for command in (stage.entrypoint, stage.command) if command]
    words = [word for command in commands for word in (*command.words, *re.findall(r"[\w./:-]+", command.shell))]
    for word in words[:100]:
        module = word.partition(":")[0].replace(".", "/") if ":" in word else word
        path = posixpath.join(stage.workdir, module)
        if files.locate(path) or files.locate(f"{path}.py") or files.locate(f"{path}/__init__.py"):
            return True
    return False


def list_project_installs(stages: Sequence[BuildStage]) -> tuple[tuple[str, str], ...]:
    """(working directory, command) of what installs projects: the last stage's own, then those of earlier stages."""
    last = len(stages) - 1
    project_installs = list(stages[last].project_installs)
    for index, stage in enumerate(stages[:last]):
        project_installs += [
            (find_address_in_stage(index, workdir), command) for workdir, command in stage.project_installs
        ]
    return tuple(dict.fromkeys(project_installs))
