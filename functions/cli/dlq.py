"""`provenfix dlq list|replay|drop`: what could not be delivered is looked at, sent again, or thrown away."""

from pathlib import Path
from typing import Annotated

import typer

from shared.errors import UsageError

dlq = typer.Typer(help="Look at, replay or drop what could not be delivered.", rich_markup_mode=None)

_Folder = Annotated[Path, typer.Option(metavar="PATH", help="Of `provenfix up`.")]
_Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="As `provenfix dlq list` names them.")]
_All = Annotated[bool, typer.Option("--all", help="Every one of them.")]
_HERE = Path(".provenfix")


@dlq.command("list")
def list_letters(folder: _Folder = _HERE) -> int:
    """List the dead letters: id, attempts, time, topic and the beginning of each."""
    from functions.cli.dead_letters import listed  # noqa: PLC0415  # other commands start without it

    return listed(folder)


@dlq.command()
def replay(ids: _Ids = None, every: _All = False, folder: _Folder = _HERE) -> int:
    """Publish dead letters once more."""
    from functions.cli.dead_letters import replayed  # noqa: PLC0415

    return replayed(_chosen(ids, every=every), folder)


@dlq.command()
def drop(ids: _Ids = None, every: _All = False, folder: _Folder = _HERE) -> int:
    """Throw dead letters away."""
    from functions.cli.dead_letters import dropped  # noqa: PLC0415

    return dropped(_chosen(ids, every=every), folder)


def _chosen(ids: list[str] | None, *, every: bool) -> list[str] | None:
    """None for all of them."""
    if bool(ids) == every:
        raise UsageError("name the letters, or give --all")
    return ids if ids else None
