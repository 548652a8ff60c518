"""Writes the incident's log in every shape that such a log has."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from functions.demo.build_repository import ExampleRepository
from functions.demo.example_module import Flavour
from functions.demo.history_plan import Role, render_module_after

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
        "labels": {"instanceId": _build_instance_id(line.revision)},
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


def _build_instance_id(revision: str) -> str:
    """An id of the right look, the same for every line of a revision."""
    return "00f46b92" + revision.encode().hex()[-48:].rjust(48, "0")


DENIED = "Database session error: 403: Not authenticated"
CLOSED = "WebSocket /ws closed: code=1011"


class Shape(StrEnum):
    """How the log was exported."""

    GCLOUD = "gcloud"
    """The array of `gcloud logging read --format=json`: newest first, one line for each error, severity ERROR."""
    JSON_LINES = "jsonl"
    """The same entries, oldest first, one on each line."""
    LINE_BY_LINE = "line_by_line"
    """The same array, but whole tracebacks, each of their lines an entry of its own without severity."""
    TRACEBACK = "traceback"
    """The same array, but each traceback whole in one entry."""
    PLAIN = "plain"
    """Lines copied from a console: a time of day and the text."""


def write_incident_log(repository: ExampleRepository, path: Path, shape: Shape = Shape.GCLOUD) -> Path:
    """Writes the log of the incident to `path` and returns it. Times are those of the night of the incident."""
    path.write_text(render_log(repository, shape), "utf-8")
    return path


def render_log(repository: ExampleRepository, shape: Shape) -> str:
    """The log as one text."""
    if shape is Shape.PLAIN:
        return "".join(f"{line.at:%H:%M:%S}  {line.text}\n" for line in _list_log_lines(repository, shape))
    entries = create_log_entries(list(_list_log_lines(repository, shape)), repository.service)
    if shape is Shape.JSON_LINES:
        return "".join(json.dumps(entry) + "\n" for entry in entries)
    return json.dumps(entries[::-1], indent=2) + "\n"


def format_error_message(line: int) -> str:
    """What Python says of the broken module, as `str(error)` gives it."""
    return f"unterminated string literal (detected at line {line}) (agents_execute.py, line {line})"


def list_failures(repository: ExampleRepository) -> tuple[tuple[datetime, str, Role], ...]:
    """When each revision was first seen to fail, and whose commit's tree it ran."""
    midnight = repository.commit_times[Role.INTRODUCED].replace(hour=0, minute=0, second=0)
    first, second = repository.revisions
    return (
        (midnight + timedelta(hours=3, minutes=43, seconds=43, microseconds=118_204), first, Role.CLAIMED_FIX),
        (midnight + timedelta(hours=3, minutes=43, seconds=58, microseconds=640_871), second, Role.REFACTORING),
    )


def _list_log_lines(story: ExampleRepository, shape: Shape) -> Iterator[OutputLine]:
    for at, revision, role in list_failures(story):
        yield OutputLine(
            at - timedelta(milliseconds=31), revision, 'INFO:  "WebSocket /ws" [accepted]', "INFO", "stdout"
        )
        for repeat in range(3):
            yield from _list_failure_lines(
                story, shape, OutputLine(at + timedelta(seconds=4 * repeat), revision, ""), role
            )


def _list_failure_lines(
    story: ExampleRepository, shape: Shape, position: OutputLine, role: Role
) -> Iterator[OutputLine]:
    severity = "" if shape is Shape.LINE_BY_LINE else "ERROR"
    message = f"Uncaught exception: SyntaxError: {format_error_message(story.first_lines[role])}"
    texts = [message]
    if shape in (Shape.LINE_BY_LINE, Shape.TRACEBACK):
        texts += [CLOSED, _format_traceback(story, role), DENIED]
    else:
        texts += [CLOSED, "connection closed: received 1011 (internal error)", DENIED]
    if shape is Shape.LINE_BY_LINE:
        texts = [line for text in texts for line in text.splitlines()]
    for number, text in enumerate(texts):
        yield OutputLine(position.at + timedelta(microseconds=700 * number), position.revision, text, severity)


def _format_traceback(story: ExampleRepository, role: Role) -> str:
    """As uvicorn logs it, paths as in the image."""
    number = story.first_lines[role]
    text = render_module_after(role, story.flavour).splitlines()[number - 1]
    opening = 'f"' if story.flavour is Flavour.FSTRING else '"\\n\\n'
    packages = f"/usr/local/lib/python{story.python}/site-packages"
    return "\n".join(
        (
            "ERROR:    Exception in ASGI application",
            "Traceback (most recent call last):",
            f'  File "{packages}/uvicorn/protocols/websockets/websockets_sansio_impl.py", line 333, in run_asgi',
            "    result = await self.app(self.scope, self.receive, self.send)",
            f'  File "{packages}/uvicorn/middleware/proxy_headers.py", line 62, in __call__',
            "    return await self.app(scope, receive, send)",
            '  File "/app/chat/main.py", line 16, in app',
            "    await converse(scope, receive, send)",
            '  File "/app/chat/main.py", line 35, in converse',
            "    from chat import agents_execute",
            f'  File "/app/{story.module}", line {number}',
            f"    {text.strip()}",
            f"    {' ' * text.strip().rindex(opening)}^",
            f"SyntaxError: unterminated string literal (detected at line {number})",
        )
    )
