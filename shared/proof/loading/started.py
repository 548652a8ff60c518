"""The starts of an image: its ENTRYPOINT and its CMD put together as Docker does.

In: the files of an image and its last stage. Out: the starts, the projects' installing commands, a text to show.
"""

from collections.abc import Mapping, Sequence

from shared.proof.loading.image import BuildStage
from shared.proof.loading.image_files import ImageFiles, address_in_stage
from shared.proof.loading.shell import split_commands
from shared.proof.loading.start import CommandEnvironment, StartCommand, parse_shell, parse_command

MAX_STARTS = 40
MAX_DESCRIPTION = 300


def read_starts(files: ImageFiles, stage: BuildStage, scripts: Mapping[str, str]) -> tuple[StartCommand, ...]:
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
    found = list(stages[last].project_installs)
    for index, stage in enumerate(stages[:last]):
        found += [(address_in_stage(index, workdir), command) for workdir, command in stage.project_installs]
    return tuple(dict.fromkeys(found))


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
