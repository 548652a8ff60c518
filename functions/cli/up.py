"""`provenfix up`: a configuration in; the functions run on this machine until Ctrl-C."""

from pathlib import Path
from typing import Annotated

import typer


def up(
    embedded: Annotated[
        bool, typer.Option("--embedded", help="SQLite instead of the emulators of Firestore and Pub/Sub.")
    ] = False,
    folder: Annotated[Path, typer.Option(metavar="PATH", help="Takes state and output.")] = Path(".provenfix"),
    port: Annotated[
        int, typer.Option(metavar="N", help="The first of the ports on loopback.", min=1024, max=65_500)
    ] = 8300,
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="Instead of provenfix.yaml.")] = None,
) -> int:
    """Run the whole of provenfix on this machine: state, messages, and one process per function."""
    from functions.cli.run_stack import run_up  # noqa: PLC0415  # other commands start without it

    return run_up(folder, port, config, embedded=embedded)
