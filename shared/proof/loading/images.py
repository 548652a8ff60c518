"""Which images a repository builds, and from which folder each takes its files.

Returns the images, the likeliest one for the failing file first, each with its start commands.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from shared.proof.loading.build_declarations import BuildDeclaration, find_build_declarations
from shared.proof.loading.commit_tree import RecordingTree, is_image_file
from shared.proof.loading.dockerfile_stages import BuildStage, parse_stages
from shared.proof.loading.image_files import ImageFiles, find_address_in_stage
from shared.proof.loading.shell import split_commands
from shared.proof.loading.start_command import (
    CommandEnvironment,
    FileLookup,
    StartCommand,
    parse_command,
    parse_shell,
)

MAX_IMAGES = 40
MAX_FOLDERS = 300
MAX_DEPTH = 4
_SKIPPED_FOLDERS = frozenset(
    {"node_modules", "site-packages", "venv", "vendor", "third_party", "testdata", "fixtures", "docs"}
)
_PROJECT_FILES = ("pyproject.toml", "requirements.txt", "setup.py", "Pipfile", "main.py", "app.py", "manage.py")
_NOT_DEPLOYED = re.compile(
    r"(?:^|[.\-_/])(?:dev|devel|development|test|tests|testing|local|ci|docs|devcontainer|base|legacy|old|bench|benchmarks?|examples?"
    r"|bak|orig|backups|archived?|deprecated|obsolete|disabled|backup[_-]?docker\w*|docker\w*[_-]backup)(?:[.\-_/]|$)"
    r"|dockerfile[.\-_]backup",
    re.I,
)


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
    paths = sorted(_find_dockerfiles(tree, failing_path), key=lambda path: _rank_dockerfile(path, failing_path))
    for path in paths[:MAX_IMAGES]:
        stages = parse_stages(tree.read_text(path))
        if stages:
            yield from _list_stage_images(tree, path, stages)


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


def is_deployed_dockerfile(path: str) -> bool:
    """Whether a Dockerfile's name is that of an image that is deployed: `Dockerfile.dev` is not."""
    return not _NOT_DEPLOYED.search(path)


def list_folders_above(path: str) -> list[str]:
    """The folders that hold a path, the nearest first; the top is ""."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:depth]) for depth in range(len(parts), -1, -1)]


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


def _find_dockerfiles(tree: RecordingTree, failing_path: str) -> set[str]:
    """The Dockerfiles above the failing file, and of the first levels of the tree; a bounded number of folders."""
    dockerfiles: set[str] = set()
    queue = [(folder, MAX_DEPTH) for folder in list_folders_above(failing_path)[:-1]] + [("", 0)]
    seen: set[str] = set()
    while queue and len(seen) < MAX_FOLDERS:
        folder, depth = queue.pop(0)
        if folder in seen:
            continue
        seen.add(folder)
        for name, kind in (tree.list_unrecorded(folder) or {}).items():
            if kind == "file" and _is_dockerfile(name):
                dockerfiles.add(posixpath.join(folder, name))
            elif kind == "folder" and depth < MAX_DEPTH and name not in _SKIPPED_FOLDERS:
                queue.append((posixpath.join(folder, name), depth + 1))
    return dockerfiles


def _is_dockerfile(name: str) -> bool:
    name = name.lower()
    if "file" not in name:  # asked of every file of the first levels
        return False
    return is_image_file(name) and name != "procfile" and not name.endswith((".dockerignore", ".md", ".sh", ".py"))


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


MAX_STARTS = 40
MAX_DESCRIPTION = 300


def read_starts(files: FileLookup, stage: BuildStage, scripts: Mapping[str, str]) -> tuple[StartCommand, ...]:
    """The starts of a stage; () where its command names nothing that is known."""
    at = CommandEnvironment(files, stage.workdir, dict(stage.environment), console_scripts=scripts)
    entry, command = stage.entrypoint, stage.command
    if entry and entry.shell:  # the shell form takes no arguments
        return tuple(parse_shell(entry.shell, at))[:MAX_STARTS]
    if entry and entry.words:
        return tuple(parse_command((*entry.words, *_get_arguments(stage)), at))[:MAX_STARTS]
    if command and command.words:
        return tuple(parse_command(command.words, at))[:MAX_STARTS]
    return tuple(parse_shell(command.shell, at))[:MAX_STARTS] if command else ()


def list_project_installs(stages: Sequence[BuildStage]) -> tuple[tuple[str, str], ...]:
    """(working directory, command) of what installs projects: the last stage's own, then those of earlier stages."""
    last = len(stages) - 1
    project_installs = list(stages[last].project_installs)
    for index, stage in enumerate(stages[:last]):
        project_installs += [
            (find_address_in_stage(index, workdir), command) for workdir, command in stage.project_installs
        ]
    return tuple(dict.fromkeys(project_installs))


def describe_starts(starts: Sequence[StartCommand]) -> str:
    """The start commands as one line, without what would end its quotation."""
    text = "; ".join(dict.fromkeys(start.text for start in starts))
    return " ".join(text.replace("`", "'").split())[:MAX_DESCRIPTION]


def _get_arguments(stage: BuildStage) -> tuple[str, ...]:
    """What CMD gives to an ENTRYPOINT: its words, or the shell that runs its text."""
    if not stage.command:
        return ()
    if stage.command.words:
        return stage.command.words
    commands = list(split_commands(stage.command.shell, dict(stage.environment)))
    return commands[0] if len(commands) == 1 else ("sh", "-c", stage.command.shell)
