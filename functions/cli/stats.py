"""`provenfix stats`: how long incidents take from step to step, as text or as JSON."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class StatsFormat(StrEnum):
    """What for."""

    TEXT = "text"
    JSON = "json"


def stats(
    form: Annotated[StatsFormat, typer.Option("--format", help="For a person, or for a program.")] = StatsFormat.TEXT,
    folder: Annotated[Path, typer.Option(metavar="PATH", help="Of `provenfix up`.")] = Path(".provenfix"),
) -> int:
    """Tell how long it takes from detected to proposed, approved, deployed and verified: median and p90, by service."""
    from functions.cli.timing import run_stats  # noqa: PLC0415  # other commands start without it

    return run_stats(folder, as_json=form is StatsFormat.JSON)
