"""What `provenfix doctor` does with its arguments: reads the configuration, has everything looked at, prints it."""

import os
from pathlib import Path

from functions.cli.access import read_access
from functions.cli.doctor_checks.finding import CheckState
from functions.cli.doctor_checks.output import format_json, format_text
from functions.cli.doctor_checks.plan import plan_checks
from functions.cli.doctor_checks.runner import run_checks
from functions.cli.progress import show_progress
from shared.config.settings import read_all_settings
from shared.errors import UsageError


def run_doctor(config: Path | None, project: str, output_format: str) -> int:
    """1 where something is missing or could not be looked at, else 0. Raises Misused and Unreadable."""
    environment = dict(os.environ) | ({"PROVENFIX_CONFIG": str(config)} if config is not None else {})
    settings = read_all_settings(environment)
    own = project or settings.project or next((each.partition(".")[0] for each in sorted(settings.own_functions)), "")
    if not own:
        raise UsageError("No project is named in which provenfix runs; give --project, or own.project in provenfix.yaml.")
    planned = plan_checks(settings, read_access(), own)
    with show_progress() as progress:
        findings = list(run_checks(planned.checks, progress))
    tell = format_json if output_format == "json" else format_text
    print(tell(findings, planned.secrets.list_known_values()))
    return int(any(found.state in {CheckState.MISSING, CheckState.UNKNOWN} for _, found in findings))
