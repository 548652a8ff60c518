"""The `provenfix` command: arguments in, an exit code out (0 ran, 1 found, 2 wrong usage, 3 unreadable input)."""

import sys
from typing import NoReturn

import typer

from functions.local.check import check
from functions.local.demo import demo
from functions.local.investigate import investigate
from shared.errors import Misused, Unreadable

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


def main() -> NoReturn:
    """Runs the command; whatever goes wrong with its input is one sentence on stderr."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # paths may hold any bytes
    sys.exit(_run())


def _run() -> int:
    try:
        code = app(standalone_mode=False)
    except (typer.TyperException, Misused) as error:
        return _fail(_sentence(error), 2)
    except Unreadable as error:
        return _fail(str(error), 3)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("stopped", 130)
    except BrokenPipeError:  # the reader went away, as in `provenfix … | head`
        sys.stderr.close()
        return 141
    return code if isinstance(code, int) else 0


def _sentence(error: Exception) -> str:
    told = error.format_message() if isinstance(error, typer.TyperException) else str(error)
    return " ".join(told.split())


def _fail(sentence: str, code: int) -> int:
    print(f"provenfix: {sentence}", file=sys.stderr)
    return code
