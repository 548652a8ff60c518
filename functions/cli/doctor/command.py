"""`provenfix doctor`: reads the configuration, runs all checks, prints their results."""

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from functions.cli import access
from functions.cli.doctor import plan
from functions.cli.doctor.check import Check, CheckResult, CheckState
from functions.cli.doctor.runner import run_checks
from functions.cli.progress import show_progress
from shared.config.settings import read_all_settings
from shared.errors import UsageError
from shared.text.escaping import to_one_line

_MIN_SECRET_LENGTH = 4
_MIN_FOLDED = 3
"""So many checks that got no answer for one reason are one line."""
CheckResults = Sequence[tuple[Check, CheckResult]]


def format_text(results: CheckResults, secrets: Iterable[str]) -> str:
    """Returns one line for each check, and one that counts them."""
    shared_causes = Counter(result for _, result in results if result.state is CheckState.UNKNOWN)
    often = {result for result, count in shared_causes.items() if count >= _MIN_FOLDED}
    lines = [_format_line(check, result) for check, result in results if result not in often]
    lines += [_format_result(f"{shared_causes[result]} checks", result) for result in often]
    return _redact_secrets("\n".join((*lines, _format_count(results))), secrets)


def _format_count(results: CheckResults) -> str:
    """`99 checks: 2 failed, 97 unknown.`"""
    failed, unknown = (
        sum(result.state is state for _, result in results) for state in (CheckState.MISSING, CheckState.UNKNOWN)
    )
    parts = [f"{count} {word}" for count, word in ((failed, "failed"), (unknown, "unknown")) if count]
    return f"{len(results)} checks: {', '.join(parts)}." if parts else f"{len(results)} checks, all passed."


def format_json(results: CheckResults, secrets: Iterable[str]) -> str:
    """Returns an array in the same order."""
    entries = [
        {
            "kind": check.kind,
            "name": check.name,
            "state": result.state.value,
            "detail": result.detail,
            "mend": result.remedy,
        }
        for check, result in results
    ]
    return _redact_secrets(json.dumps(entries, indent=2, ensure_ascii=False), secrets)


def _format_line(check: Check, result: CheckResult) -> str:
    return _format_result(f"{check.kind} {check.name}", result)


def _format_result(text: str, result: CheckResult) -> str:
    detail = f": {result.detail}" if result.detail else ""
    mend = f" -> {result.remedy}" if result.remedy else ""
    return f"{result.state.value:<8} {to_one_line(text + detail + mend)}"


def _redact_secrets(text: str, secrets: Iterable[str]) -> str:
    """Returns the text without secrets. No line quotes a response, so none is expected; this makes sure of it."""
    for secret in secrets:
        if len(secret) >= _MIN_SECRET_LENGTH:
            for form in (secret, json.dumps(secret)[1:-1]):
                text = text.replace(form, "[secret]")
    return text


_PROJECT_ID = re.compile(r"([a-z0-9.-]+:)?[a-z][a-z0-9-]{1,40}")


def run_doctor(config: Path | None, project: str, output_format: str) -> int:
    """Returns 1 if something is missing or could not be checked, else 0. Raises UsageError and InputError."""
    environment = dict(os.environ) | ({"PROVENFIX_CONFIG": str(config)} if config is not None else {})
    settings = read_all_settings(environment)
    own = (
        project
        or settings.project
        or next((function.partition(".")[0] for function in sorted(settings.own_functions)), "")
    )
    if not own:
        raise UsageError(
            "Name the project that provenfix runs in: give --project, or set own.project in provenfix.yaml."
        )
    if not _PROJECT_ID.fullmatch(own):
        raise UsageError("--project must be a Google Cloud project's id, such as 'shop-ops'.")
    planned = plan.plan_checks(settings, access.read_access(), own)
    with show_progress() as progress:
        findings = list(run_checks(planned.checks, progress))
    tell = format_json if output_format == "json" else format_text
    print(tell(findings, planned.secrets.list_known_values()))
    return int(any(result.state in {CheckState.MISSING, CheckState.UNKNOWN} for _, result in findings))


def doctor(
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="Configuration; default: provenfix.yaml.")] = None,
    project: Annotated[
        str, typer.Option(metavar="ID", help="Project that provenfix runs in; default: own.project.")
    ] = "",
    form: Annotated[Literal["text", "json"], typer.Option("--format", help="Output format.")] = "text",
) -> int:
    """Check everything that a deployed provenfix needs.

    Credentials, roles, APIs, sinks, topics, database, Slack, GitHub and probes. Exits 1 if a check fails.
    """
    return run_doctor(config, project, form)
