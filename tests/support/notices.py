"""Two failures that no commit is proven to fix, as issue and message: kept as files, to be read by eye."""

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from shared.config.settings import read_settings
from shared.local_sources import open_local_compilers, open_local_history
from shared.proof.proof_context import ProofRequest
from shared.proposal.notice import build_notice
from shared.proposal.question import build_title_and_lines
from shared.report.impact import ImpactMeasurement
from shared.report.issue.body import format_issue_title, render_issue_body
from shared.report.report import Report, add_impact, report_incidents
from shared.service import Service
from tests.support.cause_table import SAMPLES, make_sample_entries
from tests.support.github.server import REPOSITORY
from tests.support.history_builder import HistoryBuilder, running_python
from tests.support.links import build_links
from tests.support.log_samples import START
from tests.support.slack.rendering import render_message
from tests.support.tied_logs import incidents_of

NAMES = {"own_code": "key", "backing_service": "too many connections", "configuration": "environ"}
"""The ends of the files' names, and the sample of the table of causes that each shows."""
_FILES = {"Dockerfile": "FROM python:3.11-slim\n", "main.py": ""}
_CALLS = (
    ("Moor a ship by its name", "harbour.moor(ship.name)"),
    ("Hand the whole ship to the harbour", "harbour.moor(ship)"),
    ("Moor at the berth that is free", 'harbour.moor(ship, ship.get("berth"))'),
)
"""The commits of the branch, with what the logged line calls at each; the second one is deployed."""
_AGE = timedelta(minutes=9)
"""Of the failing revision when it fails first."""
_SERVICE = Service("ferry", "harbour", "europe-west6", "harbour/ferry", "C0HARBOUR", "production")


def render_notices(folder: Path) -> Mapping[str, str]:
    """The files by their names."""
    history = HistoryBuilder(folder / "ferry.git")
    for subject, call in _CALLS:
        history.commit(subject, {**_FILES, "ferry/berths.py": _write_berths(call)})
    history.write_repository()
    rendered: dict[str, str] = {}
    for name, sample in NAMES.items():
        report = _build_notice_report(history.path, sample)
        rendered[f"notice_{name}.md"] = _render_issue(report)
        rendered[f"notice_{name}.json"] = _render_message(report)
    return rendered


def _write_berths(call: str) -> str:
    """A file whose line 41 is the call, in `moor`."""
    piers = "".join(f"PIER_{number} = {number}\n" for number in range(37))
    return f"{piers}\nasync def moor(ship):\n    harbour = ship.harbour\n    await {call}\n"


def _build_notice_report(repository: Path, name: str) -> Report:
    sample = next(sample for sample in SAMPLES if sample.name == name)
    incidents = incidents_of(make_sample_entries(sample))
    with open_local_history(str(repository)) as history, open_local_compilers(read_settings()) as compilers:
        request = ProofRequest(fallback_python=running_python())
        [report] = report_incidents(incidents, history, compilers, request, lambda _: None)
    revision = "ferry-00007"
    if name == NAMES["configuration"]:
        refused = "The user-provided container failed to start and listen on the port."
        return add_impact(report, ImpactMeasurement(revision, {"ferry-00006": 100}, 0, 0, refused))
    measured = ImpactMeasurement(revision, {revision: 100}, 480, 0, made_at=START - _AGE, earlier="ferry-00006")
    return add_impact(report, measured)


def _render_issue(report: Report) -> str:
    links = build_links({}, report.incident.service, report.incident.environment, {})
    return f"# {format_issue_title(report)}\n\n{render_issue_body(report, links)}"


def _render_message(report: Report) -> str:
    title, lines = build_title_and_lines(report)
    notice = build_notice(
        report.incident.fingerprint, title, lines, f"https://github.com/{REPOSITORY}/issues/12", START
    )
    return f"{json.dumps(render_message(_SERVICE, notice), indent=2, ensure_ascii=False)}\n"
