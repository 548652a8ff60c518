"""Log entries and tracebacks for tests: a ferry company's service that does not exist."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shared.detection.entry import LogEntry
from shared.detection.signal import Signal, SkipReason, read_signal

START = datetime(2026, 3, 1, 3, 43, 43, tzinfo=UTC)
LINE_624 = (
    "Uncaught exception: SyntaxError: unterminated string literal (detected at line 624) (agents_execute.py, line 624)"
)
LINE_676 = LINE_624.replace("624", "676")
NOT_AUTHENTICATED = "Database session error: 403: Not authenticated"
TRACEBACK = """\
Traceback (most recent call last):
  File "/usr/local/lib/python3.11/importlib/__init__.py", line 126, in import_module
    return _bootstrap._gcd_import(name[level:], package, level)
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "<frozen importlib._bootstrap>", line 1206, in _gcd_import
  File "/app/ferry/main.py", line 3, in <module>
    from ferry import timetable
  File "/app/ferry/timetable.py", line 88
    yield f"data: {json.dumps({
          ^
SyntaxError: unterminated string literal (detected at line 88)
"""


def classify_text(text: str) -> Signal | SkipReason:
    """What a text says on its own."""
    return read_signal(LogEntry(position=0, text=text))


def signal_in(text: str) -> Signal:
    """What a text says, where it must say something."""
    signal = classify_text(text)
    assert isinstance(signal, Signal), f"{signal}: {text[:200]}"
    return signal


def export_entry(text: str | None, *, at: float = 0, **changes: object) -> dict[str, object]:
    """One entry as a log export has it; `at` in seconds after START. Keys of `changes` replace those of the entry."""
    revision = changes.pop("revision", "ferry-00042-abc")
    instance = changes.pop("instance", "00a22404")
    entry: dict[str, object] = {
        "insertId": f"{int(at * 1_000_000) & 0xFFFFFFFFFFFF:012x}",
        "labels": {"instanceId": instance},
        "logName": "projects/harbour-dev/logs/run.googleapis.com%2Fstderr",
        "receiveTimestamp": format_nanoseconds(at + 0.2),
        "resource": {
            "type": "cloud_run_revision",
            "labels": {
                "configuration_name": "ferry",
                "location": "europe-west1",
                "project_id": "harbour-dev",
                "revision_name": revision,
                "service_name": "ferry",
            },
        },
        "severity": "ERROR",
        "timestamp": format_nanoseconds(at),
    }
    if text is not None:
        entry["textPayload"] = text
    return {key: value for key, value in (entry | changes).items() if value is not ...}


def format_nanoseconds(at: float) -> str:
    """Nanoseconds, as the platform writes them."""
    moment = START + timedelta(seconds=at)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}789Z"


def time_at(at: float) -> datetime:
    return START + timedelta(seconds=at)


def write_log_file(folder: Path, content: str | bytes | list[dict[str, object]], name: str = "log.json") -> str:
    """A log file; a list becomes an array as `gcloud --format=json` prints it, in the order given."""
    path = folder / name
    if isinstance(content, list):
        content = json.dumps(content, indent=2)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


@dataclass(frozen=True)
class MemoryLog:
    """A `LogSource` in memory that counts how often it was read."""

    log_entries: tuple[LogEntry, ...]

    def entries(self) -> Iterator[LogEntry]:
        yield from self.log_entries


def make_log(texts: Iterable[LogEntry]) -> MemoryLog:
    return MemoryLog(tuple(texts))


NESTED_CLOSE_CODES: Sequence[dict[str, object]] = (
    {"message": "gone", "websocket": {"close_code": 1011}},
    {"message": "gone", "ws": {"close": {"code": 1011, "reason": "internal error"}}},
    {"event": {"type": "websocket.disconnect", "code": 1011}},
    {"message": "socket closed", "details": {"event": "websocket closed", "code": "1011"}},
    {"event": "websocket.disconnect", "details": {"code": 1011}},
    {"type": "ws_closed", "data": {"code": 1011, "reason": ""}},
    {"msg": "websocket:close", "context": {"code": "1011"}},
)
"""Payloads whose close code is below their top."""
