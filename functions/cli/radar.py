"""`provenfix radar`: what is merged and not deployed, and provably ends a failure of the deployed commit."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated

import typer

from functions.cli import progress
from functions.cli.arguments import check_local_repository
from functions.cli.check_baseline import format_alarm
from shared.config.settings import read_settings
from shared.local_sources import open_local_compilers, open_local_history
from shared.proof.compare_services import ComparisonRequest, require_services
from shared.proof.model.history import Commit
from shared.proof.undeployed_fixes import UndeployedFix, UndeployedFixes, find_undeployed_fixes
from shared.text.escaping import to_one_line
from shared.text.phrases import pluralize, short_sha
from shared.text.timestamps import format_duration, format_rfc3339


class RadarFormat(StrEnum):
    """Who reads it."""

    TEXT = "text"
    JSON = "json"


def radar(  # noqa: PLR0913, PLR0917  # one parameter for each option
    deployed: Annotated[str, typer.Option(metavar="REF", help="The deployed commit.")],
    repo: Annotated[str, typer.Option(metavar="PATH", help="The repository.")] = ".",
    branch: Annotated[str | None, typer.Option(metavar="BRANCH", help="The deploy branch.")] = None,
    python: Annotated[str | None, typer.Option(metavar="3.11", help="The deployed version of Python.")] = None,
    start: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="A file that the service starts with.")
    ] = None,
    output: Annotated[RadarFormat, typer.Option("--format", help="Output format.")] = RadarFormat.TEXT,
) -> int:
    """List merged fixes that nobody has deployed.

    Exits 1 if the deploy branch provably ends a failure of the deployed commit, else 0.
    """
    with progress.show_progress() as show:
        result = find_radar(repo, deployed, (branch, python, tuple(start or ())), show)
    for path in dict.fromkeys(path for service in result.services for path in service.unjudged):
        print(f"{to_one_line(path)}: could not be checked", file=sys.stderr)
    print(
        json.dumps(describe_radar(result), indent=2)
        if output is RadarFormat.JSON
        else "\n".join(_format_text(result, datetime.now(UTC)))
    )
    return int(bool(result.fixes))


def find_radar(
    repo: str,
    deployed: str,
    options: tuple[str | None, str | None, tuple[str, ...]],
    show: Callable[[str], None],
) -> UndeployedFixes:
    """The undeployed fixes of a repository. `options`: branch, Python, start files. Raises UsageError, InputError."""
    check_local_repository(repo)
    branch, python, start = options
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    with open_local_history(repo) as history, open_local_compilers(read_settings()) as compilers:
        request = ComparisonRequest(
            "", history.resolve(deployed).id, python, fallback_python=running, start_paths=start
        )
        result = find_undeployed_fixes(history, compilers, request, branch, show)
    require_services(result.services, repo)
    return result


def _format_text(result: UndeployedFixes, now: datetime) -> Iterator[str]:
    for fix in result.fixes:
        yield from format_alarm(fix.alarm)
        if fix.fix is None:
            yield "    the deploy branch never had it"
            continue
        age = format_duration(max(now - fix.fix.committed_at, timedelta()))
        shipped = pluralize(fix.commits_shipped, "commit")
        yield f"    fixed by {_name_commit(fix.fix)}, committed {age} ago; {shipped} to deploy"
    if result.further_failures:
        yield f"And {pluralize(result.further_failures, 'more failure')}, of which the commit was not searched."
    ahead = pluralize(result.commits_ahead, "commit")
    count = len(result.fixes) + result.further_failures
    ends = f"end {pluralize(count, 'failure')}" if count else "end no failure that can be proven"
    yield f"{ahead} after {short_sha(result.deployed.id)} not deployed: they {ends} of it."
    if result.newly_broken:
        yield f"{short_sha(result.head.id)} breaks what works as deployed:"
        for alarm in result.newly_broken:
            yield from format_alarm(alarm)


def _name_commit(commit: Commit) -> str:
    return f'{short_sha(commit.id)} "{to_one_line(commit.subject)}"'


def describe_radar(result: UndeployedFixes) -> dict[str, object]:
    """The result as values that `json` writes."""
    return {
        "deployed": result.deployed.id,
        "head": result.head.id,
        "commits_ahead": result.commits_ahead,
        "fixes": [_describe_fix(fix) for fix in result.fixes],
        "further_failures": result.further_failures,
        "newly_broken": [asdict(alarm) for alarm in result.newly_broken],
    }


def _describe_fix(fix: UndeployedFix) -> dict[str, object]:
    return {
        "failure": asdict(fix.alarm),
        "fix": {
            "commit": fix.fix.id,
            "subject": fix.fix.subject,
            "committed_at": format_rfc3339(fix.fix.committed_at),
        }
        if fix.fix
        else None,
        "commits_shipped": fix.commits_shipped,
    }
