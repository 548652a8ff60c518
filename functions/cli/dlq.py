"""`provenfix dlq list|replay|drop`: what could not be delivered is looked at, sent again, or thrown away."""

from pathlib import Path
from typing import Annotated

import typer

from shared.errors import UsageError

dlq = typer.Typer(help="Look at, replay or drop what could not be delivered.", rich_markup_mode=None)

_FolderOption = Annotated[Path, typer.Option(metavar="PATH", help="Of `provenfix up`.")]
_IdsArgument = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="As `provenfix dlq list` names them.")]
_AllOption = Annotated[bool, typer.Option("--all", help="Every one of them.")]
_DEFAULT_FOLDER = Path(".provenfix")


@dlq.command("list")
def list_letters(folder: _FolderOption = _DEFAULT_FOLDER) -> int:
    """List the dead letters: id, attempts, time, topic and the beginning of each."""
    from functions.cli.dead_letters import list_dead_letters  # noqa: PLC0415  # other commands start without it

    return list_dead_letters(folder)


@dlq.command()
def replay_letters(ids: _IdsArgument = None, every: _AllOption = False, folder: _FolderOption = _DEFAULT_FOLDER) -> int:
    """Publish dead letters once more."""
    from functions.cli.dead_letters import replay_dead_letters  # noqa: PLC0415

    return replay_dead_letters(_selected_ids(ids, every=every), folder)


@dlq.command()
def drop_letters(ids: _IdsArgument = None, every: _AllOption = False, folder: _FolderOption = _DEFAULT_FOLDER) -> int:
    """Throw dead letters away."""
    from functions.cli.dead_letters import drop_dead_letters  # noqa: PLC0415

    return drop_dead_letters(_selected_ids(ids, every=every), folder)


def _selected_ids(ids: list[str] | None, *, every: bool) -> list[str] | None:
    """None for all of them."""
    if bool(ids) == every:
        raise UsageError("name the letters, or give --all")
    return ids if ids else None
