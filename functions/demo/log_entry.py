"""Dresses a line of output as Cloud Run's log does: text, time and place go in, a log entry goes out.

Source of the shape: what `gcloud logging read --format=json` writes for a service's stdout and stderr.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

PROJECT = "harbour-prod"
LOCATION = "europe-west1"
RUN_LOGS = f"projects/{PROJECT}/logs/run.googleapis.com%2F"


@dataclass(frozen=True, slots=True)
class OutputLine:
    """One piece of output. `text` may hold several lines where the platform kept them together."""

    at: datetime
    revision: str
    text: str
    severity: str = ""
    """"" where the platform knows none, as for plain lines on stderr."""
    stream: str = "stderr"


def create_log_entries(lines: Sequence[OutputLine], service: str) -> list[dict[str, Any]]:
    """One entry for each line, in the same order; insert ids grow with it."""
    return [_create_log_entry(number, line, service) for number, line in enumerate(lines)]


def _create_log_entry(number: int, line: OutputLine, service: str) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "insertId": f"6a02{number:08x}",
        "labels": {"instanceId": _instance_id(line.revision)},
        "logName": RUN_LOGS + line.stream,
        "receiveTimestamp": format_log_time(line.at),
        "resource": {
            "labels": {
                "configuration_name": service,
                "location": LOCATION,
                "project_id": PROJECT,
                "revision_name": line.revision,
                "service_name": service,
            },
            "type": "cloud_run_revision",
        },
        "textPayload": line.text,
        "timestamp": format_log_time(line.at),
    }
    return entry | ({"severity": line.severity} if line.severity else {})


def format_log_time(at: datetime) -> str:
    """RFC 3339 in UTC with microseconds, as the log has it."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _instance_id(revision: str) -> str:
    """An id of the right look, the same for every line of a revision."""
    return "00f46b92" + revision.encode().hex()[-48:].rjust(48, "0")
