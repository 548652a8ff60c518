"""What `provenfix doctor` does with its arguments: reads the configuration, has everything looked at, prints it."""

import os
from pathlib import Path

from functions.cli.access import read_access
from functions.cli.doctor_checks.finding import State
from functions.cli.doctor_checks.output import as_json, as_text
from functions.cli.doctor_checks.plan import plan
from functions.cli.doctor_checks.runner import examine
from functions.cli.progress import on_terminal
from shared.config.settings import read_all_settings
from shared.errors import UsageError


def run(config: Path | None, project: str, form: str) -> int:
    """1 where something is missing or could not be looked at, else 0. Raises Misused and Unreadable."""
    environment = dict(os.environ) | ({"PROVENFIX_CONFIG": str(config)} if config is not None else {})
    settings = read_all_settings(environment)
    own = project or settings.project or next((each.partition(".")[0] for each in sorted(settings.own)), "")
    if not own:
        raise UsageError("No project is named in which provenfix runs; give --project, or own.project in provenfix.yaml.")
    planned = plan(settings, read_access(), own)
    with on_terminal() as progress:
        findings = list(examine(planned.checks, progress))
    tell = as_json if form == "json" else as_text
    print(tell(findings, planned.secrets.known()))
    return int(any(found.state in {State.MISSING, State.UNKNOWN} for _, found in findings))
