"""What `provenfix doctor` does with its arguments: reads the configuration, has everything looked at, prints it."""

import os
from pathlib import Path

from functions.local.access import read_access
from functions.local.examination.examining import examine
from functions.local.examination.finding import State
from functions.local.examination.plan import plan
from functions.local.examination.telling import as_json, as_text
from functions.local.progress import on_terminal
from shared.errors import Misused
from shared.settings import read_all_settings


def run(config: Path | None, project: str, form: str) -> int:
    """1 where something is missing or could not be looked at, else 0. Raises Misused and Unreadable."""
    environment = dict(os.environ) | ({"PROVENFIX_CONFIG": str(config)} if config is not None else {})
    settings = read_all_settings(environment)
    own = project or settings.project or next((each.partition(".")[0] for each in sorted(settings.own)), "")
    if not own:
        raise Misused("No project is named in which provenfix runs; give --project, or own.project in provenfix.yaml.")
    planned = plan(settings, read_access(), own)
    with on_terminal() as progress:
        findings = list(examine(planned.checks, progress))
    tell = as_json if form == "json" else as_text
    print(tell(findings, planned.secrets.known()))
    return int(any(found.state in {State.MISSING, State.UNKNOWN} for _, found in findings))
