"""The `provenfix` command: runs one subcommand and exits with its code.

0: done; 1: the command found a problem; 2: wrong usage; 3: unreadable input; 130: Ctrl-C; 141: stdout was closed.
"""

import gc
import os
import sys
from collections.abc import Mapping
from importlib import metadata
from types import ModuleType
from typing import Annotated, Any, NoReturn

import typer

from functions.cli import (
    check,
    completion,
    demo,
    dlq,
    explain,
    inject,
    investigate,
    mcp,
    radar,
    setup,
    show,
    stats,
    stop,
    up,
    watch,
)
from functions.cli.doctor import command as doctor
from functions.cli.error_words import describe_missing_extra, describe_system_error, describe_usage_error
from functions.cli.standard_streams import discard_output, ensure_standard_streams, handle_stop_signals
from shared.errors import ConfigurationError, InputError, Reject, Retry, UsageError
from shared.text import escaping

EXIT_BROKEN_PIPE = 141
"""What a shell makes of SIGPIPE: `provenfix … | head` is no failure, and no success."""

OBJECTS_BETWEEN_COLLECTIONS = 50_000
"""Python's own 700 looks through modules and syntax trees, which stay, again and again: a tenth of a command's time."""

_COMPLETE_VARIABLE = "_PROVENFIX_COMPLETE"
"""As `functions.cli.completion` has it, which runs only where a shell asks."""

COMMANDS: Mapping[str, tuple[ModuleType, str]] = {
    "investigate": (investigate, "Prove which commit broke a service and which one fixes it."),
    "check": (check, "Check that Python files compile on the deployed Python."),
    "radar": (radar, "List merged fixes that nobody has deployed."),
    "mcp": (mcp, "Answer the questions of agents by the proof (MCP)."),
    "demo": (demo, "Run an example incident from the first log entry to the fix."),
    "watch": (watch, "Watch your own services by their log."),
    "up": (up, "Run all functions of provenfix on this machine."),
    "inject": (inject, "Publish the log entries of a file, as the log sink does."),
    "show": (show, "List the incidents, or show one with its timeline."),
    "stats": (stats, "Show how long incidents take from step to step."),
    "stop": (stop, "Stop deployments, and roll back a rollout in progress."),
    "resume": (stop, "Allow deployments again."),
    "setup": (setup, "Install provenfix on Google Cloud, step by step."),
    "teardown": (setup, "Take back what setup has made, the last step first."),
    "doctor": (doctor, "Check everything that a deployed provenfix needs."),
    "dlq": (dlq, "List, replay or delete messages that could not be delivered."),
    "explain": (explain, "Explain the reason of a decision, and what to do."),
    "completion": (completion, "Print the completion script of a shell."),
}
"""Each subcommand: the module whose function has its name, and its line in `provenfix --help`.

The modules wait (`shared.lazy_modules`): only the one whose command is called runs, so `--help` loads none of them.
"""


class _Subcommands(typer.core.TyperGroup):
    """Lists and suggests the commands by their names and lines, and builds the one that is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: typer.core.TyperCommand(name, help=line) for name, (_, line) in COMMANDS.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # typer does not export the types of click
        name, command, rest = super().resolve_command(ctx, args)
        return name, typer.main.get_command(load_command(name)) if name else command, rest


def load_command(name: str) -> typer.Typer:
    """Returns a subcommand with its options; this runs its module."""
    function = getattr(COMMANDS[name][0], name)
    if isinstance(function, typer.Typer):
        return function
    command = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    command.command(name)(function)
    return command


app = typer.Typer(
    name="provenfix",
    cls=_Subcommands,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001  # as typer calls it
    if wanted:
        typer.echo(f"provenfix {read_version()}")
        raise typer.Exit


def read_version() -> str:
    """Of the installed distribution; of a checkout that is not installed nothing is known."""
    try:
        return metadata.version("provenfix")
    except metadata.PackageNotFoundError:
        return "(not installed)"


@app.callback(invoke_without_command=True)
def provenfix(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001  # its callback prints it
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Finds the merged commit that provably fixes a failing service. No proof, no proposal."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> NoReturn:
    """Runs the command; an error is one sentence on stderr."""
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    ensure_standard_streams()
    with handle_stop_signals():
        sys.exit(_run_command())


def _run_command() -> int:  # noqa: PLR0911  # one for each kind of end
    try:
        return _invoke_typer()
    except (typer.TyperException, UsageError) as error:
        return _print_error(describe_usage_error(error), 2)
    except (InputError, Retry, Reject) as error:
        return _print_error(str(error), 3, one_per_line=isinstance(error, ConfigurationError))
    except ModuleNotFoundError as error:
        if not (missing := describe_missing_extra(error)):
            raise
        return _print_error(missing, 2)
    except KeyboardInterrupt:
        return _print_error("stopped", 130)
    except BrokenPipeError:
        discard_output(sys.stdout)
        return EXIT_BROKEN_PIPE
    except OSError as error:  # a full disk, a closed stream, no more processes: this machine's state is input too
        discard_output(sys.stdout)
        return _print_error(describe_system_error(error), 3)


def _invoke_typer() -> int:
    """Typer's own `main` would end the process with 1 where the reader of stdout went away."""
    command = typer.main.get_command(app)
    if _COMPLETE_VARIABLE in os.environ:
        completion.answer_shell(command)
    try:
        with command.make_context("provenfix", sys.argv[1:]) as context:
            code = command.invoke(context)
    except typer.Exit as ended:  # --help
        code = ended.exit_code
    sys.stdout.flush()
    return code if isinstance(code, int) else 0


def _print_error(message: str, code: int, *, one_per_line: bool = False) -> int:
    """One sentence, or with `one_per_line` one on each line; they quote names that others chose."""
    sentences = message.split("\n") if one_per_line else [message]
    print("provenfix: " + "\n".join(map(escaping.to_one_line, sentences)), file=sys.stderr)
    return code
