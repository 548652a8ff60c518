"""The log of all that is served here: stores entries as they come, and publishes those that the sink takes.

An entry is kept before it is handed on: the reader of a traceback's end looks for the lines before it.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from shared.adapters.delivery import RawPublisher
from shared.adapters.logs.log_json import parse_json_entry
from shared.adapters.sqlite.sqlite_logs import SqliteLogs
from shared.detection.signal import Signal, read_signal
from shared.detection.syntax_errors import mentions_syntax_error
from shared.errors import Retry
from shared.service import Service
from shared.text.timestamps import format_rfc3339
from shared.workflow import flow

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


def create_exit_entry(source: InstanceRef, at: datetime, code: int) -> Entry:
    """What Cloud Run itself logs of a container that ends, in `run.googleapis.com/varlog/system`."""
    entry = _create_entry(source, at, "varlog%2Fsystem")
    return entry | {"severity": "WARNING", "textPayload": f"Container called exit({code})."}


def create_request_entry(source: InstanceRef, request: ServedRequest) -> Entry:
    """In the log `run.googleapis.com/requests`, with the time at which the request came."""
    severity = "INFO" if request.status < 400 else "WARNING" if request.status < 500 else "ERROR"
    http_request = {
        "latency": f"{request.seconds:.9f}s",
        "protocol": request.protocol,
        "requestMethod": request.method,
        "requestUrl": request.url,
        "status": request.status,
        "userAgent": request.user_agent,
    }
    return _create_entry(source, request.at, "requests") | {"severity": severity, "httpRequest": http_request}


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
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


_FLUSH_SECONDS = 0.03
"""Entries of one pause are written in one go: a commit to the disk costs more than they do."""


class Journal:
    """Entries are added from the event loop alone."""

    def __init__(self, logs: SqliteLogs, inlet: RawPublisher) -> None:
        self._logs = logs
        self._inlet = inlet
        self._waiting: list[Entry] = []

    def add_entry(self, entry: Entry) -> None:
        """Takes one entry; it is written soon."""
        self._waiting.append(entry)

    async def flush_repeatedly(self) -> None:
        """Runs until it is cancelled."""
        while True:
            self.flush()
            await asyncio.sleep(_FLUSH_SECONDS)

    def flush(self) -> None:
        """Writes what waits; where a file is busy it waits on."""
        if not self._waiting:
            return
        written = list(self._waiting)
        try:
            self._logs.write(written)
            matched = [json.dumps(entry).encode() for entry in written if matches_sink(entry)]
            if matched:
                self._inlet.publish_raw(flow.LOG_ENTRIES, matched)
        except Retry:
            return  # both take an entry twice without harm
        del self._waiting[: len(written)]


def matches_sink(entry: Mapping[str, object]) -> bool:
    """No less than the deployed sinks (`shared/filters`) let through: `record` reads each, and refuses the rest."""
    read = parse_json_entry(entry, 0)
    if read.log_name.endswith("%2Frequests"):
        return False
    return mentions_syntax_error(read.text) or "1011" in read.text or isinstance(read_signal(read), Signal)
