"""`provenfix doctor`: reads the configuration, runs all checks, prints their results."""

import json
import os
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
CheckResults = Sequence[tuple[Check, CheckResult]]


def format_text(results: CheckResults, secrets: Iterable[str]) -> str:
    """Returns one line for each check, and one that counts them."""
    lines = [_format_line(check, result) for check, result in results]
    wrong = sum(result.state in {CheckState.MISSING, CheckState.UNKNOWN} for _, result in results)
    lines.append(f"{len(results)} checks, {wrong} to fix." if wrong else f"{len(results)} checks, all passed.")
    return _redact_secrets("\n".join(lines), secrets)


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
    text = f"{check.kind} {check.name}"
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
