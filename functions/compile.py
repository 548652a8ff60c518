"""The private function `compile`: returns this interpreter's verdicts on a batch of sources.

Deployed once for each Python version in use, so it keeps to syntax of Python 3.8, to the standard library and to
functions-framework; the zip holds this file as `main.py`, and `pipe.py` and `worker.py` of the compilers beside it.
Only the platform's IAM lets callers in. Nothing of a source is imported or executed.

    in:   {"sources": [{"path": "app/chat.py", "content": "<base64>"}, ...]}
    out:  {"implementation": "cpython", "version": "3.11.9", "verdicts": [...]}, in the order of the sources, each
          {"ok": true}, or {"ok": false, ...} as worker.py says, or {"ok": null, "why": "..."} where a limit ended it
          400, 405, 413 or 500 with {"error": "..."}
"""

from __future__ import annotations

import base64
import json
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import functions_framework

try:
    from shared.adapters.compilers.pipe import InterpreterError, WorkerLost, WorkerProcess
except ImportError:  # in the zip
    from pipe import InterpreterError, WorkerLost, WorkerProcess  # type: ignore[import-not-found,no-redef]

if TYPE_CHECKING:
    from flask import Request

MAX_REQUEST_BYTES = 30 << 20
"""Of a request; Cloud Run itself takes 32 MiB."""
MAX_SOURCES = 2000
MAX_SOURCE_BYTES = 8 << 20
MAX_PATH_LENGTH = 4096
MEMORY_LIMIT_BYTES = 512 << 20
"""Bytes of address space for the process that compiles."""
SOURCE_TIMEOUT_SECONDS = 10.0
REQUEST_TIMEOUT_SECONDS = 45.0
"""For a whole request: what is not reached by then has no verdict."""
MAX_RESTARTS = 10
"""How often the process may be lost to a source; each loss costs a start."""

JSON_HEADERS = {"Content-Type": "application/json"}


class Source(NamedTuple):
    path: str
    content: bytes


class RequestError(Exception):
    """The request cannot be answered: HTTP status and one sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@functions_framework.http
def compile(request: Request) -> tuple[str, int, dict[str, str]]:  # noqa: A001  # the name that is deployed
    """Answers one request."""
    try:
        return json.dumps(compile_sources(read_sources(request))), 200, JSON_HEADERS
    except RequestError as refused:
        return json.dumps({"error": str(refused)}), refused.status, JSON_HEADERS


def read_sources(request: Request) -> list[Source]:
    """What a request asks. Raises `RequestError`."""
    if request.method != "POST":
        raise RequestError(405, "Only POST is answered.")
    if request.content_length is None or request.content_length > MAX_REQUEST_BYTES:
        raise RequestError(413, f"A request has a known length of at most {MAX_REQUEST_BYTES} bytes.")
    try:
        body = json.loads(request.get_data().decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise RequestError(400, "The request is not JSON.") from error
    listed = body.get("sources") if isinstance(body, dict) else None
    if not isinstance(listed, list):
        raise RequestError(400, 'The request has no list "sources".')
    if len(listed) > MAX_SOURCES:
        raise RequestError(413, f"A request has at most {MAX_SOURCES} sources, not {len(listed)}.")
    return [read_source(source, number) for number, source in enumerate(listed)]


def read_source(value: Any, number: int) -> Source:
    """One source of a request. Raises `RequestError`."""
    path, text = (value.get("path"), value.get("content")) if isinstance(value, dict) else (None, None)
    if not isinstance(path, str) or not isinstance(text, str):
        raise RequestError(400, f'sources[{number}] is not {{"path": "...", "content": "<base64>"}}.')
    if len(path) > MAX_PATH_LENGTH:
        raise RequestError(413, f"sources[{number}].path has more than {MAX_PATH_LENGTH} characters.")
    try:
        content = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise RequestError(400, f"sources[{number}].content is not base64.") from error
    if len(content) > MAX_SOURCE_BYTES:
        raise RequestError(413, f"sources[{number}] has more than {MAX_SOURCE_BYTES} bytes.")
    return Source(path, content)


def compile_sources(batch: list[Source]) -> dict[str, Any]:
    """The answer to a batch. Raises `RequestError` where this interpreter cannot be started."""
    with BatchCompiler() as worker:
        implementation, version = worker.introduction
        verdicts = list(worker.compile_all(batch))
    return {"implementation": implementation, "version": version, "verdicts": verdicts}


NOT_REACHED = "was not reached within the limits of one request"
"""Why a source has no verdict for whose turn it was too late, or that came after too many deaths."""


class BatchCompiler:
    """A process of this interpreter for one batch, started again when a source killed it or used up a limit."""

    def __init__(self) -> None:
        self._deadline = time.monotonic() + REQUEST_TIMEOUT_SECONDS
        self._restarts = 0
        self._process = self._start_process()

    def __enter__(self) -> BatchCompiler:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stop()

    def compile_all(self, batch: list[Source]) -> Iterator[dict[str, Any]]:
        for source in batch:
            left = self._deadline - time.monotonic()
            if left <= 0 or self._restarts >= MAX_RESTARTS:
                yield {"ok": None, "why": NOT_REACHED}
            else:
                yield self._compile_one(source, min(SOURCE_TIMEOUT_SECONDS, left))

    def _compile_one(self, item: Source, seconds: float) -> dict[str, Any]:
        try:
            answer = self._process.judge(item, seconds)
        except WorkerLost as lost:
            return self._restart_without_verdict(str(lost))
        if not answer["ok"] and answer["class"] == "MemoryError" and answer["peak"] * 2 > MEMORY_LIMIT_BYTES:
            # Its peak stays high, which would make the next MemoryError look like this one.
            return self._restart_without_verdict(f"needed more than {MEMORY_LIMIT_BYTES >> 20} MiB of memory")
        return answer

    def _restart_without_verdict(self, reason: str) -> dict[str, Any]:
        self._restarts += 1
        self._process.stop()
        self._process = self._start_process()
        return {"ok": None, "why": reason}

    def _start_process(self) -> WorkerProcess:
        try:
            process = WorkerProcess(sys.executable, MEMORY_LIMIT_BYTES)
            self.introduction = process.identify()
        except (WorkerLost, InterpreterError) as error:
            raise RequestError(500, f"{sys.executable}: {error}") from error
        return process
