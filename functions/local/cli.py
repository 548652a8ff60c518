"""The `provenfix` command: arguments in, an exit code out (0 ran, 1 found, 2 wrong usage, 3 unreadable input)."""

import sys
from typing import NoReturn

import click
import typer

from functions.local.check import check
from functions.local.demo import demo
from functions.local.investigate import investigate
from shared.errors import Misused, Unreadable

app = typer.Typer(
    name="provenfix",
    help="Finds the merged commit that provably fixes a failing service. No proof, no proposal.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
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
    except click.ClickException as error:
        return _fail(error.format_message(), 2)
    except Misused as error:
        return _fail(str(error), 2)
    except Unreadable as error:
        return _fail(str(error), 3)
    except (KeyboardInterrupt, click.Abort):
        return _fail("stopped", 130)
    except BrokenPipeError:  # the reader went away, as in `provenfix … | head`
        sys.stderr.close()
        return 141
    return code if isinstance(code, int) else 0


def _fail(sentence: str, code: int) -> int:
    print(f"provenfix: {sentence}", file=sys.stderr)
    return code
