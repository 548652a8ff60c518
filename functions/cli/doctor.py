"""`provenfix doctor`: a configuration in; a line for each thing that the functions need out: ok, or what mends it."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def doctor(
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="Instead of provenfix.yaml.")] = None,
    project: Annotated[str, typer.Option(metavar="ID", help="Where provenfix runs; default: own.project.")] = "",
    form: Annotated[Literal["text", "json"], typer.Option("--format", help="text or json.")] = "text",
) -> int:
    """Look at credentials, roles, APIs, sinks, topics, database, Slack, GitHub, probes; exit 1 where one is amiss."""
    from functions.cli.doctor_checks.command import run_doctor  # noqa: PLC0415  # other commands start without it

    return run_doctor(config, project, form)
