"""What a function did becomes one line of JSON on stdout, as Cloud Logging reads it.

https://cloud.google.com/logging/docs/structured-logging. Written without a client: importing one takes longer than
most requests. No line may ever be taken for a failure of a watched service, so `message` is always a sentence of ours;
names, details and whatever came from outside stand in fields that no sink and no signal reads, and `MARKER` in each
line says whose it is.
"""

import json
import re
import sys
import traceback
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from shared.errors import Retry
from shared.text.redaction import redact

MARKER = "provenfix"
"""The key that every line of this product has."""

_MAX_DETAIL_LENGTH = 2_000
_MAX_FRAMES = 30
_ROOT = Path(__file__).parents[2]
_CLOUD_TRACE = re.compile(r"([0-9a-fA-F]{32})(?:/(\d{1,20}))?(?:;.*)?")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?")


class Severity(StrEnum):
    """As Cloud Logging names them."""

    INFO = "INFO"
    NOTICE = "NOTICE"
    WARNING = "WARNING"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True)
class Trace:
    """The request that a line belongs to; 32 and 16 hexadecimal digits, "" where the request named none."""

    trace: str = ""
    span: str = ""


class Headers(Protocol):
    """Those of a request."""

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
        told: dict[str, object] = {"function": self.function, "outcome": outcome}
        told |= {"incident": incident} if incident else {}
        told |= {"detail": redact(detail)[:_MAX_DETAIL_LENGTH]} if detail else {}
        line: dict[str, object] = {
            "severity": severity.value,
            "message": f"{self.function}: {outcome.partition(':')[0]}",
            MARKER: told | fields,
        }
        if self.trace.trace:
            place = f"projects/{self.project}/traces/" if self.project else ""
            line["logging.googleapis.com/trace"] = place + self.trace.trace
        if self.trace.span:
            line["logging.googleapis.com/spanId"] = self.trace.span
        sys.stdout.write(json.dumps(line) + "\n")  # one write: lines of other threads must not mix with it
        sys.stdout.flush()

    def write_retry(self, error: Retry) -> None:
        """The line for what is delivered again, with its reason where it has one."""
        named = {"reason": error.reason} if error.reason else {}
        self.write(Severity.WARNING, "retry", detail=str(error), **named)

    def write_crash(self, error: BaseException) -> None:
        """The line for what nobody foresaw: its class, its words, and where it was raised, without source text."""
        frames = [
            f"{_relative_path(frame.filename)}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)
        ]
        raised = f"{type(error).__module__}.{type(error).__qualname__}"
        self.write(Severity.ERROR, "crashed", detail=str(error), raised=raised, frames=frames[-_MAX_FRAMES:])


def _relative_path(filename: str) -> str:
    path = Path(filename)
    return str(path.relative_to(_ROOT)) if path.is_relative_to(_ROOT) else path.name
