"""One run of the worker in an interpreter: every exchange over its pipes has a deadline.

Takes a source, returns the worker's verdict as a dict, or raises `WorkerLost` with the reason. This file and the worker
are also shipped beside the `compile` function, on any Python from 3.8 on, so it keeps to the standard library and to
that syntax.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Protocol

WORKER_PATH = Path(__file__).with_name("worker.py")
INTERPRETER_FLAGS = ("-I", "-S", "-B", "-W", "ignore")
START_SECONDS = 10.0
MAX_ANSWER_BYTES = 1 << 20
CHUNK_BYTES = 1 << 16


class InterpreterError(Exception):
    """The program at this path does not answer as an interpreter; the text says how it failed."""


class WorkerLost(Exception):
    """The process is gone, or was stopped; the text says why, as the end of a sentence."""


class SourceLike(Protocol):
    """A source to compile: `shared.proof.model.compilation.Source`, or an equivalent where that is not shipped."""

    @property
    def path(self) -> str:
        """The file name that the compiler gets."""

    @property
    def content(self) -> bytes:
        """The bytes to judge."""


class WorkerProcess:
    """One run of the worker: non-blocking pipes, so that every exchange has a deadline."""

    def __init__(self, interpreter: str, memory_limit: int) -> None:
        command = [interpreter, *INTERPRETER_FLAGS, str(WORKER_PATH), str(memory_limit)]
        try:
            self._popen = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=tempfile.gettempdir(),
                env={"LC_ALL": "C.UTF-8"},
                bufsize=0,
            )
        except (OSError, ValueError) as error:
            raise InterpreterError(f"{interpreter} could not be started: {error}") from error
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        self._stdin, self._stdout = self._popen.stdin, self._popen.stdout
        self._in, self._out = self._stdin.fileno(), self._stdout.fileno()
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)
        self._answers, self._asks = select.poll(), select.poll()
        self._answers.register(self._out, select.POLLIN)
        self._asks.register(self._in, select.POLLOUT)
        self._request_count = 0

    def identify(self) -> tuple[str, str]:
        """Implementation and version. Raises `WorkerLost`."""
        answer = self._read_answer(time.monotonic() + START_SECONDS, START_SECONDS)
        try:
            return str(answer["implementation"]), str(answer["version"])
        except KeyError as error:
            raise WorkerLost("did not say which Python it is") from error

    def judge(self, source: SourceLike, timeout: float) -> dict[str, Any]:
        """The worker's verdict on one source, checked to be the answer to this question. Raises `WorkerLost`."""
        self._request_count += 1
        deadline = time.monotonic() + timeout
        header = json.dumps({"id": self._request_count, "path": source.path, "size": len(source.content)})
        self._send(header.encode("ascii") + b"\n" + source.content, deadline, timeout)
        answer = self._read_answer(deadline, timeout)
        if answer.get("id") != self._request_count or "ok" not in answer:
            raise WorkerLost("answered something else than a verdict")
        return answer

    def stop(self) -> None:
        """End the process for good and collect it."""
        self._stdin.close()
        self._popen.kill()
        self._popen.wait()
        self._stdout.close()

    def _send(self, request: bytes, deadline: float, seconds: float) -> None:
        rest = memoryview(request)
        while rest:
            try:
                rest = rest[os.write(self._in, rest) :]
            except BlockingIOError:
                self._wait(self._asks, deadline, seconds)
            except BrokenPipeError as error:
                raise self._explain_exit() from error

    def _read_answer(self, deadline: float, seconds: float) -> dict[str, Any]:
        line = b""
        while not line.endswith(b"\n"):
            self._wait(self._answers, deadline, seconds)
            received = os.read(self._out, CHUNK_BYTES)
            if not received:
                raise self._explain_exit()
            line += received
            if len(line) > MAX_ANSWER_BYTES:
                raise WorkerLost("answered more than a verdict")
        try:
            answer = json.loads(line)
        except ValueError as error:
            raise WorkerLost("answered something else than a verdict") from error
        if not isinstance(answer, dict):
            raise WorkerLost("answered something else than a verdict")
        return answer

    @staticmethod
    def _wait(pipe: select.poll, deadline: float, seconds: float) -> None:
        if not pipe.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise WorkerLost(f"did not answer within {seconds:g} s")

    def _explain_exit(self) -> WorkerLost:
        # The pipe is closed, so the process has ended or is about to.
        self._popen.kill()
        code = self._popen.wait()
        if code == -signal.SIGKILL:
            return WorkerLost("ended without a verdict")
        if code < 0:
            return WorkerLost(f"died of {signal.Signals(-code).name}")
        return WorkerLost(f"ended with exit code {code}")
