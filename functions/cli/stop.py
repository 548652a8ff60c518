"""`provenfix stop [SERVICE]` and `provenfix resume [SERVICE]`: the kill switch of one service, or of all."""

from pathlib import Path
from typing import Annotated

import typer

_ServiceArgument = Annotated[str, typer.Argument(metavar="[SERVICE]", help="Name or project.name. Default: all.")]
_FolderOption = Annotated[Path, typer.Option(metavar="PATH", help="Of `provenfix up`.")]
_DEFAULT_FOLDER = Path(".provenfix")


def stop(service: _ServiceArgument = "", folder: _FolderOption = _DEFAULT_FOLDER) -> int:
    """Stop deployments, and put back a rollout on its way."""
    from functions.cli.switching import run_kill_switch  # noqa: PLC0415  # other commands start without it

    return run_kill_switch(service, folder, stopped=True)


def resume(service: _ServiceArgument = "", folder: _FolderOption = _DEFAULT_FOLDER) -> int:
    """Allow deployments again."""
    from functions.cli.switching import run_kill_switch  # noqa: PLC0415

    return run_kill_switch(service, folder, stopped=False)
