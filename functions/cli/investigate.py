"""`provenfix investigate`: a log export and a git repository in, a proven report out."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class ReportFormat(StrEnum):
    """What is printed: for a person, for a program, or as the body of an issue."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


def investigate(  # noqa: PLR0913, PLR0917  # one parameter for each option
    repo: Annotated[str, typer.Option(metavar="PATH", help="The repository: a work tree or a bare one.")],
    log: Annotated[str, typer.Option(metavar="FILE", help="The log: JSON, JSON lines or text; - is standard input.")],
    branch: Annotated[str | None, typer.Option(metavar="REF", help="The deploy branch.")] = None,
    deployed: Annotated[str | None, typer.Option(metavar="COMMIT", help="The commit said to be deployed.")] = None,
    python: Annotated[str | None, typer.Option(metavar="3.11", help="The deployed version of Python.")] = None,
    service: Annotated[str, typer.Option(metavar="NAME", help="The service, where the log does not name it.")] = "",
    environment: Annotated[str, typer.Option(metavar="NAME", help="The environment, likewise.")] = "",
    source_root: Annotated[
        list[str] | None, typer.Option(metavar="PATH", help="A folder of the service's sources; may be repeated.")
    ] = None,
    output: Annotated[ReportFormat, typer.Option("--format", help="What to print.")] = ReportFormat.TEXT,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write there instead of to standard output.")] = None,
) -> None:
    """Find what broke a service, and the commit that provably fixes it.

    Reads only: nothing in the repository is changed or run, and no network is used.
    """
    from functions.cli.reporting import run_investigate  # noqa: PLC0415  # `--help` starts without any of it
    from shared.proof.proof_context import ProofRequest  # noqa: PLC0415

    request = ProofRequest(branch, deployed, python, tuple(source_root or ()))
    run_investigate(repo, log, request, (service, environment), (output.value, out))
