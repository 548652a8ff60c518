"""What an image starts: its ENTRYPOINT and CMD, or what a deployment starts in their place.

Takes the files of an image with the stage that is built. Returns the starts; () where its command names nothing known.

A deployment overrides a start by `--command` and `--args` of Cloud Run, and by its descriptions. `find_start_files`
returns the repository paths of the start files: where no log names a file, what is loaded is known from them. It
returns nothing where a start is not plain.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from shared.proof.loading.build_commands import split_options
from shared.proof.loading.build_declarations import read_build_files
from shared.proof.loading.build_nodes import list_mappings
from shared.proof.loading.buildpack_start import find_buildpack_start
from shared.proof.loading.commit_tree import RecordingTree, SourceTree
from shared.proof.loading.dockerfile_search import find_dockerfiles, is_deployed_dockerfile
from shared.proof.loading.dockerfile_stages import BuildStage, StartInstruction, split_words
from shared.proof.loading.image_files import ImageFiles, build_docker_filter
from shared.proof.loading.images import BuiltImage, find_images, list_project_installs
from shared.proof.loading.installed_projects import find_installed_projects
from shared.proof.loading.shell import split_commands
from shared.proof.loading.start_command import CommandEnvironment, FileLookup, StartCommand, parse_command, parse_shell

_CONTINUED = re.compile(r"\\\r?\n[ \t]*+")
_DEPLOY = re.compile(r"\bgcloud\b[^\n;&|]{0,80}?\brun\s{1,4}+(?:deploy|services\s{1,4}+update)\b([^\n;&|]*)")
_OWN_SEPARATOR = re.compile(r"\^([^^]{1,9})\^(.*)", re.DOTALL)
_ACTION = "google-github-actions/deploy-cloudrun"


@dataclass(frozen=True, slots=True)
class StartOverride:
    """`command` is in place of ENTRYPOINT, and without `arguments` CMD counts no more; None: as in the image."""

    command: tuple[str, ...] | None = None
    arguments: tuple[str, ...] | None = None

    @property
    def is_none(self) -> bool:
        return self.command is None and self.arguments is None


def find_start_overrides(tree: RecordingTree) -> tuple[StartOverride, ...]:
    """That of each deployment; one that overrides nothing counts as well."""
    overrides: dict[StartOverride, None] = {}
    for path, text in read_build_files(tree, ""):
        overrides |= dict.fromkeys(_read_overrides(path, text))
    return tuple(overrides)


@lru_cache(maxsize=256)  # most commits of a history have the same files
def _read_overrides(path: str, text: str) -> tuple[StartOverride, ...]:
    if "run" not in text.lower() and "containers" not in text:
        return ()
    return (*_read_commands(text), *_read_mappings(path, text))


def _read_commands(text: str) -> Iterator[StartOverride]:
    for match in _DEPLOY.finditer(_CONTINUED.sub(" ", text)):
        yield _read_options(split_words(match[1]))


def _read_mappings(path: str, text: str) -> Iterator[StartOverride]:
    for node in list_mappings(path, text):
        containers, args = node.get("containers"), node.get("args")
        if isinstance(containers, list):
            yield from _read_containers(containers)
        elif isinstance(args, list) and {"run", "deploy"} <= {str(word) for word in args[:4]}:
            yield _read_options([str(word) for word in args])
        elif str(node.get("uses", "")).startswith(_ACTION):
            given = node.get("with")
            flags = given.get("flags") if isinstance(given, Mapping) else None
            yield _read_options(split_words(str(flags or "")))


def _read_options(words: list[str]) -> StartOverride:
    options, _ = split_options(words)
    command, arguments = (options.get(name) for name in ("--command", "--args"))
    return StartOverride(_split_list(command), _split_list(arguments))


def _split_list(value: str | None) -> tuple[str, ...] | None:
    """gcloud takes a list with commas, or `^:^a:b`; an empty one goes back to what the image says."""
    own = _OWN_SEPARATOR.fullmatch(value or "")
    if own is not None:
        return tuple(own[2].split(own[1]))
    return tuple(value.split(",")) if value else None


def _read_containers(containers: list[object]) -> Iterator[StartOverride]:
    """Of several containers the one with a port answers requests."""
    known = [container for container in containers if isinstance(container, Mapping) and "image" in container]
    serving = [container for container in known if container.get("ports")] or known
    for container in serving[:1]:
        command, arguments = (container.get(name) for name in ("command", "args"))
        yield StartOverride(
            tuple(map(str, command)) if isinstance(command, list) else None,
            tuple(map(str, arguments)) if isinstance(arguments, list) else None,
        )


MAX_STARTS = 40
MAX_DESCRIPTION = 300


def read_starts(files: ImageFiles, stage: BuildStage, scripts: Mapping[str, str]) -> tuple[StartCommand, ...]:
    """The starts of a stage as it is deployed.

    Where deployments differ, or several images may be meant by one, whatever any of them starts in this image counts.
    """
    overrides = find_start_overrides(files.tree)
    if all(override.is_none for override in overrides):
        return read_stage_starts(files, stage, scripts)
    applied = [read_stage_starts(files, _override(stage, override), scripts) for override in overrides]
    if len(overrides) == 1 and _has_one_image(files):
        return applied[0]
    own = read_stage_starts(files, stage, scripts)
    of_image = (start for starts in applied for start in starts if _is_in_image(files, start))
    return tuple(dict.fromkeys((*own, *of_image)))[:MAX_STARTS]


def _override(stage: BuildStage, override: StartOverride) -> BuildStage:
    arguments = None if override.arguments is None else StartInstruction(override.arguments)
    if override.command is not None:
        return replace(stage, entrypoint=StartInstruction(override.command), command=arguments)
    return replace(stage, command=arguments) if arguments is not None else stage


def _has_one_image(files: ImageFiles) -> bool:
    return sum(map(is_deployed_dockerfile, find_dockerfiles(files.tree, ""))) == 1


def _is_in_image(files: ImageFiles, start: StartCommand) -> bool:
    below = [f"{root.rstrip('/')}/{module.replace('.', '/')}" for root in start.roots for module in start.modules]
    paths = [*start.files, *(f"{path}{end}" for path in below for end in (".py", "/__init__.py"))]
    return any(files.locate(path) is not None for path in paths)


def read_stage_starts(files: FileLookup, stage: BuildStage, scripts: Mapping[str, str]) -> tuple[StartCommand, ...]:
    """The starts of a stage by its own ENTRYPOINT and CMD; () where its command names nothing that is known."""
    at = CommandEnvironment(files, stage.workdir, dict(stage.environment), console_scripts=scripts)
    entry, command = stage.entrypoint, stage.command
    if entry and entry.shell:  # the shell form takes no arguments
        return tuple(parse_shell(entry.shell, at))[:MAX_STARTS]
    if entry and entry.words:
        return tuple(parse_command((*entry.words, *_get_arguments(stage)), at))[:MAX_STARTS]
    if command and command.words:
        return tuple(parse_command(command.words, at))[:MAX_STARTS]
    return tuple(parse_shell(command.shell, at))[:MAX_STARTS] if command else ()


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
