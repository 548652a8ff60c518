"""Writes what a function did as one JSON line on stdout, the form that Cloud Logging reads.

https://cloud.google.com/logging/docs/structured-logging. The lines go through the standard library's `logging`, not
through a client of Cloud Logging: importing that takes longer than most requests. No line may ever count as a failure
of a watched service, so `message` is always a sentence of ours; names, details and all outside text are in fields
that no sink and no signal reads. `MARKER` in each line identifies this product.
"""

import json
import logging
import re
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Protocol

from shared.errors import Retry
from shared.text.redaction import redact

MARKER = "provenfix"
"""The key that every line of this product has, and the name of its logger."""

_MAX_DETAIL_LENGTH = 2_000
_MAX_FRAMES = 30
_ROOT = Path(__file__).parents[2]
_CLOUD_TRACE = re.compile(r"([0-9a-fA-F]{32})(?:/(\d{1,20}))?(?:;.*)?")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?")


class Severity(IntEnum):
    """Cloud Logging's names, as levels of `logging`."""

    DEBUG = logging.DEBUG
    INFO = logging.INFO
    NOTICE = logging.INFO + 5
    WARNING = logging.WARNING
    ERROR = logging.ERROR


@dataclass(frozen=True, slots=True)
class Trace:
    """The request that a line belongs to; 32 and 16 hexadecimal digits, "" if the request names none."""

    trace: str = ""
    span: str = ""


class Headers(Protocol):
    """A request's headers."""

    def get(self, key: str, default: str, /) -> str:
        """The value, or `default`."""


def read_trace(headers: Headers) -> Trace:
    """From `traceparent`, else `X-Cloud-Trace-Context`; anything else in them counts as none."""
    parent = _TRACEPARENT.fullmatch(headers.get("traceparent", ""))
    if parent:
        return Trace(parent[1], parent[2])
    cloud = _CLOUD_TRACE.fullmatch(headers.get("X-Cloud-Trace-Context", ""))
    if cloud is None:
        return Trace()
    span = int(cloud[2] or 0)
    return Trace(cloud[1].lower(), f"{span:016x}" if 0 < span < 1 << 64 else "")


class JsonLineFormatter(logging.Formatter):
    """Formats a record as one JSON object; its `fields` are what `write_line` was given."""

    def format(self, record: logging.LogRecord) -> str:
        """The keys are those that Cloud Logging knows, and `MARKER` for the rest."""
        line = {"severity": Severity(record.levelno).name, "message": record.getMessage()}
        return json.dumps(line | vars(record)["fields"])


class _StdoutHandler(logging.Handler):
    """Writes to the stdout of the moment. An error reaches the caller, unlike in `StreamHandler`."""

    def emit(self, record: logging.LogRecord) -> None:
        """One write: lines of other threads must not mix with it."""
        sys.stdout.write(self.format(record) + "\n")
        sys.stdout.flush()


def _create_logger() -> logging.Logger:
    """Its lines go nowhere else, whatever handlers the framework adds to the root."""
    handler = _StdoutHandler()
    handler.setFormatter(JsonLineFormatter())
    logger = logging.getLogger(MARKER)
    logger.handlers[:] = [handler]
    logger.setLevel(Severity.DEBUG)
    logger.propagate = False
    return logger


_LOGGER = _create_logger()


def write_line(severity: Severity, message: str, own: Mapping[str, object], trace: Mapping[str, str]) -> None:
    """One line. `message` consists of names of ours, `own` is under `MARKER`, `trace` is of `format_trace`."""
    _LOGGER.log(severity, message, extra={"fields": {MARKER: own, **trace}})


def format_trace(project: str, trace: Trace) -> dict[str, str]:
    """The keys by which Cloud Logging joins a line to its request; none if the request names no trace."""
    line = {}
    if trace.trace:
        prefix = f"projects/{project}/traces/" if project else ""
        line["logging.googleapis.com/trace"] = prefix + trace.trace
    if trace.span:
        line["logging.googleapis.com/spanId"] = trace.span
    return line


@dataclass(frozen=True, slots=True)
class RequestLog:
    """Writes the lines of one request."""

    function: str
    project: str
    trace: Trace = Trace()

    def write(
        self, severity: Severity, outcome: str, *, incident: str = "", detail: str = "", **fields: object
    ) -> None:
        """One line. `outcome` is a name of ours; `detail` may come from anywhere: it is redacted, then cut."""
        own: dict[str, object] = {"function": self.function, "outcome": outcome}
        own |= {"incident": incident} if incident else {}
        own |= {"detail": redact(detail)[:_MAX_DETAIL_LENGTH]} if detail else {}
        message = f"{self.function}: {outcome.partition(':')[0]}"
        write_line(severity, message, own | fields, format_trace(self.project, self.trace))

    def write_retry(self, error: Retry) -> None:
        """The line for what is delivered again, with its reason if it has one."""
        fields = {"reason": error.reason} if error.reason else {}
        self.write(Severity.WARNING, "retry", detail=str(error), **fields)

    def write_crash(self, error: BaseException) -> None:
        """The line for an unforeseen error: its class, its message, and where it was raised, without source text."""
        frames = [
            f"{_format_relative_path(frame.filename)}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)
        ]
        raised = f"{type(error).__module__}.{type(error).__qualname__}"
        self.write(Severity.ERROR, "crashed", detail=str(error), raised=raised, frames=frames[-_MAX_FRAMES:])


def _format_relative_path(filename: str) -> str:
    path = Path(filename)
    return str(path.relative_to(_ROOT)) if path.is_relative_to(_ROOT) else path.name
