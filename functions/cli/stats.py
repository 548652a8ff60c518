"""`provenfix stats`: how long incidents take from step to step, as text or as JSON."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """What for."""

    TEXT = "text"
    JSON = "json"


def stats(
    form: Annotated[Format, typer.Option("--format", help="For a person, or for a program.")] = Format.TEXT,
    folder: Annotated[Path, typer.Option(metavar="PATH", help="Of `provenfix up`.")] = Path(".provenfix"),
) -> int:
    """Tell how long it takes from detected to proposed, approved, deployed and verified: median and p90, by service."""
    from functions.cli.timing import run  # noqa: PLC0415  # other commands start without it

    return run(folder, as_json=form is Format.JSON)
