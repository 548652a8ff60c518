"""`provenfix completion SHELL`: prints a script that a shell evaluates, and answers what that script asks."""

import sys
from enum import StrEnum
from typing import Annotated, Any

import typer
from typer import _completion_shared
from typer import completion as typer_completion

COMPLETE_VARIABLE = "_PROVENFIX_COMPLETE"
"""Set by the script where a shell wants to know what may follow."""
_PROGRAM = "provenfix"


class Shell(StrEnum):
    """Shells that have a script."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def answer_shell(command: Any) -> None:  # typer does not export the types of click
    """Prints what may follow the words of the shell, and ends the process."""
    typer_completion.completion_init()
    command._main_shell_completion({}, _PROGRAM, COMPLETE_VARIABLE)  # as typer's own main does


def completion(shell: Annotated[Shell, typer.Argument(help="The shell that is to complete.")]) -> int:
    """Print the completion script of a shell.

    For bash, add to ~/.bashrc: eval "$(provenfix completion bash)"
    """
    script = _completion_shared.get_completion_script(
        prog_name=_PROGRAM, complete_var=COMPLETE_VARIABLE, shell=shell.value
    )
    sys.stdout.write(f"{script}\n")
    return 0
