"""`provenfix inject FILE`: log entries in, messages on the topic that the log sink writes to out."""

from pathlib import Path
from typing import Annotated

import typer


def inject(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="As `gcloud logging read --format=json` writes it; - is stdin.")
    ],
    folder: Annotated[Path, typer.Option(metavar="PATH", help="Of `provenfix up`.")] = Path(".provenfix"),
) -> int:
    """Publish the log entries of FILE, as the log sink does."""
    from functions.cli.inject_entries import run_inject  # noqa: PLC0415  # other commands start without it

    return run_inject(file, folder)
