"""The starts of an image: its ENTRYPOINT and its CMD put together as Docker does.

In: the files of an image and its last stage. Out: the starts, the projects' installing commands, a text to show.
"""

from collections.abc import Mapping, Sequence

from shared.proof.loading.image import Stage
from shared.proof.loading.image_files import ImageFiles, in_stage
from shared.proof.loading.shell import split_commands
from shared.proof.loading.start import Situation, Start, read_shell, read_words

MOST_STARTS = 40
MOST_SHOWN = 300


def read_starts(files: ImageFiles, stage: Stage, scripts: Mapping[str, str]) -> tuple[Start, ...]:
    """The starts of a stage; () where its command names nothing that is known."""
    at = Situation(files, stage.workdir, dict(stage.environment), scripts=scripts)
    entry, command = stage.entrypoint, stage.command
    if entry and entry.shell:  # the shell form takes no arguments
        return tuple(read_shell(entry.shell, at))[:MOST_STARTS]
    if entry and entry.words:
        return tuple(read_words((*entry.words, *_arguments(stage)), at))[:MOST_STARTS]
    if command and command.words:
        return tuple(read_words(command.words, at))[:MOST_STARTS]
    return tuple(read_shell(command.shell, at))[:MOST_STARTS] if command else ()


def project_installs(stages: Sequence[Stage]) -> tuple[tuple[str, str], ...]:
    """(working directory, command) of what installs projects: the last stage's own, then those of earlier stages."""
    last = len(stages) - 1
    found = list(stages[last].installs)
    for index, stage in enumerate(stages[:last]):
        found += [(in_stage(index, workdir), command) for workdir, command in stage.installs]
    return tuple(dict.fromkeys(found))


def describe(starts: Sequence[Start]) -> str:
    """The start commands as one line, without what would end its quotation."""
    text = "; ".join(dict.fromkeys(start.text for start in starts))
    return " ".join(text.replace("`", "'").split())[:MOST_SHOWN]


def _arguments(stage: Stage) -> tuple[str, ...]:
    """What CMD gives to an ENTRYPOINT: its words, or the shell that runs its text."""
    if not stage.command:
        return ()
    if stage.command.words:
        return stage.command.words
    commands = list(split_commands(stage.command.shell, dict(stage.environment)))
    return commands[0] if len(commands) == 1 else ("sh", "-c", stage.command.shell)
