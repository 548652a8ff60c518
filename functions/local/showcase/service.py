"""Runs a tree of the example as a real service: a folder goes in, a port and all that the service printed come out.

The service is a process of its own: this interpreter with `python -m uvicorn`, on loopback, on a port that the system
picks. It is ended on every way out.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import IO

from functions.local.showcase.interruption import put_off
from shared.errors import Unreadable

START_SECONDS = 30.0
STOP_SECONDS = 5.0
_RUNNING = re.compile(r"Uvicorn running on http://127\.0\.0\.1:(\d+)")


@dataclass(frozen=True, slots=True)
class Printed:
    """One line that the service printed, without its line end."""

    at: datetime
    stream: str
    text: str


@dataclass(slots=True)
class Service:
    """A running service. `printed` is complete once the service has ended."""

    process: subprocess.Popen[bytes]
    port: int = 0
    printed: list[Printed] = field(default_factory=list)


@contextmanager
def serving(folder: Path) -> Iterator[Service]:
    """Serves `chat.main:app` of the folder while the block runs.

    Raises `shared.errors.Unreadable` where uvicorn does not come up.
    """
    process = None
    try:
        with put_off():
            process = _start(folder)
        service = Service(process)
        lines: Queue[Printed | None] = Queue()
        readers = [Thread(target=_read, args=(stream, name, lines)) for stream, name in _streams(process)]
        for reader in readers:
            reader.start()
        service.port = _port(service, lines)
        yield service
    finally:
        if process is not None:
            with put_off():
                _end(process)
    for reader in readers:
        reader.join()
    service.printed.extend(line for line in _drained(lines) if line)
    service.printed.sort(key=lambda line: line.at)


def _start(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "uvicorn", "chat.main:app", "--app-dir", str(folder)),
            *("--host", "127.0.0.1", "--port", "0", "--no-use-colors"),
        ],
        cwd=folder,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("UVICORN_", "WEB_CONCURRENCY"))}
    return kept | {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"}


def _streams(process: subprocess.Popen[bytes]) -> tuple[tuple[IO[bytes], str], ...]:
    assert process.stdout is not None
    assert process.stderr is not None
    return ((process.stdout, "stdout"), (process.stderr, "stderr"))


def _read(stream: IO[bytes], name: str, lines: "Queue[Printed | None]") -> None:
    """Runs in a thread for each pipe, so that neither can fill up; None says that the pipe was closed."""
    with stream:
        for line in stream:
            lines.put(Printed(datetime.now(UTC), name, line.decode(errors="replace").rstrip("\r\n")))
    lines.put(None)


def _port(service: Service, lines: "Queue[Printed | None]") -> int:
    """Waits for the sentence in which uvicorn names its port."""
    deadline = time.monotonic() + START_SECONDS
    open_pipes = 2
    while open_pipes:
        try:
            line = lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except Empty:
            raise Unreadable(f"The example service did not come up within {START_SECONDS:.0f} s; try again.") from None
        if line is None:
            open_pipes -= 1
            continue
        service.printed.append(line)
        if found := _RUNNING.search(line.text):
            return int(found[1])
    raise Unreadable(f"The example service ended at once: {_last_words(service)}")


def _last_words(service: Service) -> str:
    texts = [line.text.strip() for line in service.printed if line.text.strip()]
    return texts[-1] if texts else "it printed nothing; is uvicorn installed for this Python?"


def _drained(lines: "Queue[Printed | None]") -> Iterator[Printed | None]:
    while True:
        try:
            yield lines.get_nowait()
        except Empty:
            return


def _end(process: subprocess.Popen[bytes]) -> None:
    """Asks first, then insists; returns once the process is gone."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
