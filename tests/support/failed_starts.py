"""Logs of starts that failed because nothing was there to start, as Cloud Run writes them, and their proofs."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.adapters.logs.log_file import LogFile
from shared.detection.collect import collect_incidents
from shared.detection.incident import Incident
from shared.proof.model.finding import Finding
from shared.proof.proof_context import ProofRequest
from shared.proof.prove import prove
from tests.support.history_builder import HistoryBuilder, running_python

PROBE = (
    'Default STARTUP TCP probe failed 1 time consecutively for container "quay-1" on port 8080. '
    "The instance was not started."
)
REVISION = "quay-00007-abc"


@dataclass(frozen=True, slots=True)
class ProvenStart:
    """A finding with the names of its commits; "" where there is none."""

    finding: Finding
    deployed: str | None
    introduced: str | None
    fix: str | None
    target: str | None
    rollback: str | None
    attempts: tuple[str, ...]


def write_log(path: Path, seen_at: datetime, *texts: str, as_json: bool = False) -> Path:
    """A log with one entry of the service for each text, and the platform's own entry about the probe."""
    entries = [_build_entry(number, seen_at, text, as_json=as_json) for number, text in enumerate(texts)]
    platform = _build_entry(len(texts), seen_at + timedelta(seconds=1), PROBE, as_json=False)
    platform["logName"] = "projects/p/logs/run.googleapis.com%2Fvarlog%2Fsystem"
    path.write_text(json.dumps([*entries, platform]), encoding="utf-8")
    return path


def _build_entry(number: int, seen_at: datetime, text: str, *, as_json: bool) -> dict[str, object]:
    payload: dict[str, object] = {"jsonPayload": {"message": text}} if as_json else {"textPayload": text}
    return {
        **payload,
        "timestamp": (seen_at + timedelta(milliseconds=number)).isoformat().replace("+00:00", "Z"),
        "severity": "ERROR",
        "insertId": f"i{number}",
        "logName": "projects/p/logs/run.googleapis.com%2Fstderr",
        "resource": {
            "type": "cloud_run_revision",
            "labels": {"service_name": "quay", "revision_name": REVISION, "project_id": "p"},
        },
    }


def read_incidents(log: Path) -> tuple[Incident, ...]:
    """What the log holds."""
    return collect_incidents(LogFile(str(log)), service="", environment="").incidents


def prove_start(
    history: HistoryBuilder, log: Path, deployed: str | None = None, *, wants_alternative: bool = False
) -> ProvenStart:
    """The proof of the only incident of a log; `deployed`: the name of the commit that is stated."""
    [incident] = read_incidents(log)
    request = ProofRequest(
        fallback_python=running_python(),
        deployed=history.ids[deployed] if deployed else None,
        wants_alternative=wants_alternative,
    )
    with GitRepository(str(history.path)) as repository, LocalCompilers() as compilers:
        finding = prove(incident, repository, compilers, request, lambda _: None)

    def name(commit: object) -> str | None:
        return history.name_of(getattr(getattr(commit, "commit", None), "id", None))

    return ProvenStart(
        finding,
        name(finding.deployed),
        name(finding.introduced),
        name(finding.fix),
        name(finding.target),
        name(finding.rollback),
        tuple(history.name_of(attempt.commit.id) or "" for attempt in finding.attempts),
    )
