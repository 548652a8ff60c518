"""Dresses what a service does as Cloud Run's log does: a line of output or a request goes in, a log entry goes out.

Source of the shape: what `gcloud logging read --format=json` writes for a service. Plain lines carry no severity; a
line that is a JSON object becomes the payload, and its `severity` that of the entry.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from shared.service import Service
from shared.text.timestamps import format_rfc3339

Entry = dict[str, object]
_MAX_TEXT_LENGTH = 200_000
"""Cloud Logging takes 256 KB an entry, its envelope included."""
_entry_numbers = count()


@dataclass(frozen=True, slots=True)
class InstanceRef:
    """Which instance of which revision of which service."""

    service: Service
    revision: str
    instance: str


@dataclass(frozen=True, slots=True)
class ServedRequest:
    """One request that was answered."""

    at: datetime
    method: str
    url: str
    status: int
    seconds: float
    user_agent: str
    protocol: str


def create_line_entry(source: InstanceRef, at: datetime, stream: str, text: str) -> Entry:
    """`stream` is `stdout` or `stderr`."""
    entry = _create_entry(source, at, stream)
    payload = _parse_object(text)
    if payload is None:
        return entry | {"textPayload": text[:_MAX_TEXT_LENGTH]}
    severity = payload.pop("severity", "")
    return entry | {"jsonPayload": payload} | ({"severity": severity} if severity else {})


def create_request_entry(source: InstanceRef, request: ServedRequest) -> Entry:
    """In the log `run.googleapis.com/requests`, with the time at which the request came."""
    severity = "INFO" if request.status < 400 else "WARNING" if request.status < 500 else "ERROR"
    told = {
        "latency": f"{request.seconds:.9f}s",
        "protocol": request.protocol,
        "requestMethod": request.method,
        "requestUrl": request.url,
        "status": request.status,
        "userAgent": request.user_agent,
    }
    return _create_entry(source, request.at, "requests") | {"severity": severity, "httpRequest": told}


def _create_entry(source: InstanceRef, at: datetime, log: str) -> Entry:
    service = source.service
    labels = {
        "configuration_name": service.name,
        "location": service.region,
        "project_id": service.project,
        "revision_name": source.revision,
        "service_name": service.name,
    }
    return {
        "insertId": f"{int(at.timestamp() * 1e6):x}{source.instance[-6:]}{next(_entry_numbers):06x}",
        "labels": {"instanceId": source.instance},
        "logName": f"projects/{service.project}/logs/run.googleapis.com%2F{log}",
        "receiveTimestamp": format_rfc3339(at),
        "resource": {"labels": labels, "type": "cloud_run_revision"},
        "timestamp": format_rfc3339(at),
    }


def _parse_object(text: str) -> dict[str, object] | None:
    if not text.startswith("{"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
