"""`provenfix investigate`: a log export and a git repository in, a proven report out."""

import io
import json
import platform
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from functions.local.progress import on_terminal
from shared.domain.report import Report, to_json
from shared.errors import Misused
from shared.settings import read_settings
from shared.steps.collect import collect
from shared.steps.inquiry import Progress, Request
from shared.steps.investigate import investigate as prove_all
from shared.wiring import local_compilers, local_history, local_log


class Format(StrEnum):
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
    output: Annotated[Format, typer.Option("--format", help="What to print.")] = Format.TEXT,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write there instead of to standard output.")] = None,
) -> None:
    """Find what broke a service, and the commit that provably fixes it.

    Reads only: nothing in the repository is changed or run, and no network is used.
    """
    running = ".".join(platform.python_version_tuple()[:2])
    request = Request(branch, deployed, python, tuple(source_root or ()), running)
    with on_terminal() as progress:
        reports = report_on(repo, log, request, (service, environment), progress)
    _write(_rendered(reports, output, to_file=out is not None), out)


def report_on(repo: str, log: str, request: Request, names: tuple[str, str], progress: Progress) -> list[Report]:
    """The reports on every incident of a log. `names` are service and environment, "" for those that the log names.

    Raises Misused and Unreadable with one sentence for whoever gave the arguments.
    """
    with local_history(repo) as history, local_compilers(read_settings()) as compilers:
        history.branch(request.branch)  # a wrong name is told before a large log is read
        progress("reading the log")
        collected = collect(local_log(log), service=names[0], environment=names[1])
        return prove_all(collected.incidents, history, compilers, request, progress)


def _rendered(reports: list[Report], output: Format, *, to_file: bool) -> str | None:
    """The whole output as text; None where it was printed to the terminal already."""
    if output is Format.JSON:
        return json.dumps([to_json(report) for report in reports], ensure_ascii=False, indent=2) + "\n"
    if output is Format.MARKDOWN:
        from shared.domain.issue import issue_body  # noqa: PLC0415  # the template engine is only needed here

        return "\n\n---\n\n".join(issue_body(report) for report in reports)
    from rich.console import Console  # noqa: PLC0415

    from functions.local.terminal import render  # noqa: PLC0415

    if not to_file:
        render(reports, Console(soft_wrap=False))
        return None
    console = Console(record=True, file=io.StringIO(), width=100)
    render(reports, console)
    return console.export_text()


def _write(text: str | None, out: Path | None) -> None:
    if text is None:
        return
    if out is None:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    try:
        out.write_text(text, "utf-8", "backslashreplace")
    except OSError as error:
        raise Misused(f"{out}: cannot be written ({error.strerror}); name another file with --out") from error
