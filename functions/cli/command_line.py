"""The `provenfix` command: arguments in, an exit code out (0 ran, 1 found, 2 wrong usage, 3 unreadable input)."""

import sys
from typing import NoReturn

import typer

from functions.cli.check import check
from functions.cli.demo import demo
from functions.cli.dlq import dlq
from functions.cli.doctor.command import doctor
from functions.cli.inject import inject
from functions.cli.investigate import investigate
from functions.cli.show import show
from functions.cli.standard_streams import discard_output, ensure_standard_streams, handle_stop_signals
from functions.cli.stats import stats
from functions.cli.stop import resume, stop
from functions.cli.up import up
from functions.cli.watch import watch
from shared.errors import ConfigurationError, InputError, Reject, Retry, UsageError

EXIT_BROKEN_PIPE = 141
"""What a shell makes of SIGPIPE: `provenfix … | head` is no failure, and no success."""

app = typer.Typer(
    name="provenfix",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def provenfix(context: typer.Context) -> None:
    """Finds the merged commit that provably fixes a failing service. No proof, no proposal."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


app.command()(investigate)
app.command()(check)
app.command()(demo)
app.command()(watch)
app.command()(up)
app.command()(inject)
app.command()(show)
app.command()(stats)
app.command()(stop)
app.command()(resume)
app.command()(doctor)
app.add_typer(dlq, name="dlq")


def main() -> NoReturn:
    """Runs the command; whatever goes wrong with its input is one sentence on stderr."""
    ensure_standard_streams()
    with handle_stop_signals():
        sys.exit(_run_command())


def _run_command() -> int:
    try:
        return _invoke_typer()
    except (typer.TyperException, UsageError) as error:
        return _print_error(_error_message(error), 2)
    except (InputError, Retry, Reject) as error:
        return _print_error(str(error), 3, one_per_line=isinstance(error, ConfigurationError))
    except KeyboardInterrupt:
        return _print_error("stopped", 130)
    except BrokenPipeError:
        discard_output(sys.stdout)
        return EXIT_BROKEN_PIPE
    except OSError as error:  # a full disk, a closed stream, no more processes: this machine's state is input too
        discard_output(sys.stdout)
        where = f"{error.filename}: " if error.filename else ""
        return _print_error(f"{where}the system refused ({error.strerror}); mend that and run it again", 3)


def _invoke_typer() -> int:
    """Typer's own `main` would end the process with 1 where the reader of stdout went away."""
    command = typer.main.get_command(app)
    try:
        with command.make_context("provenfix", sys.argv[1:]) as context:
            code = command.invoke(context)
    except typer.Exit as ended:  # --help
        code = ended.exit_code
    sys.stdout.flush()
    return code if isinstance(code, int) else 0


def _error_message(error: Exception) -> str:
    return error.format_message() if isinstance(error, typer.TyperException) else str(error)


def _print_error(message: str, code: int, *, one_per_line: bool = False) -> int:
    """One sentence, or with `lines` one on each line."""
    from shared.text.escaping import to_one_line  # noqa: PLC0415  # sentences quote names that others chose

    sentences = message.split("\n") if one_per_line else [message]
    print("provenfix: " + "\n".join(map(to_one_line, sentences)), file=sys.stderr)
    return code
