"""`provenfix stop [SERVICE]` and `provenfix resume [SERVICE]`: the kill switch of one service, or of all."""

from pathlib import Path
from typing import Annotated

import typer

_Service = Annotated[str, typer.Argument(metavar="[SERVICE]", help="Name or project.name. Default: all.")]
_Folder = Annotated[Path, typer.Option(metavar="PATH", help="Of `provenfix up`.")]
_HERE = Path(".provenfix")


def stop(service: _Service = "", folder: _Folder = _HERE) -> int:
    """Stop deployments, and put back a rollout on its way."""
    from functions.cli.switching import run  # noqa: PLC0415  # other commands start without it

    return run(service, folder, stopped=True)


def resume(service: _Service = "", folder: _Folder = _HERE) -> int:
    """Allow deployments again."""
    from functions.cli.switching import run  # noqa: PLC0415

    return run(service, folder, stopped=False)
