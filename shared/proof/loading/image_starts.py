"""What an image starts: its ENTRYPOINT and CMD, or what a deployment starts in their place.

Takes the files of an image with the stage that is built. Returns the starts; () where its command names nothing known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from shared.proof.loading.dockerfile_search import find_dockerfiles, is_deployed_dockerfile
from shared.proof.loading.dockerfile_stages import BuildStage, StartInstruction
from shared.proof.loading.image_files import ImageFiles
from shared.proof.loading.shell import split_commands
from shared.proof.loading.start_command import CommandEnvironment, StartCommand, parse_command, parse_shell
from shared.proof.loading.start_overrides import StartOverride, find_start_overrides

MAX_STARTS = 40
MAX_DESCRIPTION = 300


def read_starts(files: ImageFiles, stage: BuildStage, scripts: Mapping[str, str]) -> tuple[StartCommand, ...]:
    """The starts of a stage as it is deployed.

    Where deployments differ, or several images may be meant by one, whatever any of them starts in this image counts.
    """
    overrides = find_start_overrides(files.tree)
    if all(override.is_none for override in overrides):
        return _read_stage_starts(files, stage, scripts)
    applied = [_read_stage_starts(files, _override(stage, override), scripts) for override in overrides]
    if len(overrides) == 1 and _has_one_image(files):
        return applied[0]
    own = _read_stage_starts(files, stage, scripts)
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


def _read_stage_starts(files: ImageFiles, stage: BuildStage, scripts: Mapping[str, str]) -> tuple[StartCommand, ...]:
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
