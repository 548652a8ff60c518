"""`provenfix check`: files of a repository in, where they do not compile on the deployed Python out."""

from typing import Annotated

import typer

from shared.errors import UsageError


def check(
    paths: Annotated[list[str] | None, typer.Argument(metavar="[PATHS]...", help="Files or folders.")] = None,
    repo: Annotated[str, typer.Option(metavar="PATH", help="The repository.")] = ".",
    ref: Annotated[str | None, typer.Option(metavar="REF", help="Check the files of this commit.")] = None,
    staged: Annotated[bool, typer.Option("--staged", help="Check what would be committed.")] = False,
    python: Annotated[str | None, typer.Option(metavar="3.11", help="The deployed version of Python.")] = None,
) -> int:
    """Fail where a Python file does not compile on the Python that it is deployed on.

    Without PATHS, --ref or --staged: every tracked Python file, as it lies on disk.
    """
    if sum([bool(paths), ref is not None, staged]) > 1:
        raise UsageError("PATHS, --ref and --staged each say what to check; give one of them")
    from functions.cli.checking import CheckOptions, run_check  # noqa: PLC0415  # other commands start without compilers

    return run_check(CheckOptions(repo, paths or [], ref, staged, python))
