"""`provenfix show [INCIDENT]`: what the store knows, as text."""

from pathlib import Path
from typing import Annotated

import typer


def show(
    incident: Annotated[str | None, typer.Argument(metavar="[INCIDENT]", help="An id, or how it begins.")] = None,
    folder: Annotated[Path, typer.Option(metavar="PATH", help="Of `provenfix up`.")] = Path(".provenfix"),
) -> int:
    """List the incidents, or tell the state and the timeline of one."""
    from functions.cli.show_incidents import run_show  # noqa: PLC0415  # other commands start without it

    return run_show(incident, folder)
