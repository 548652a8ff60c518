"""Starts a function and waits for its first answer: a request goes in; seconds and memory come out."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from functions.local.server_process import find_free_port

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class FunctionRequest:
    """A function, and what makes the first request that it gets (the URL is put in)."""

    target: str
    source: Path
    request: Callable[[], urllib.request.Request]


@dataclass(frozen=True, slots=True)
class StartMeasurement:
    """Seconds from the first instruction until the first answer, and bytes that the answering process then holds."""

    seconds: float
    memory: int


def measure_start(asked: FunctionRequest, environment: Mapping[str, str]) -> StartMeasurement:
    """One start. Raises RuntimeError with what the function printed where it does not answer 2xx."""
    port = find_free_port()
    command = [sys.executable, "-m", "functions_framework", "--target", asked.target, "--source", str(asked.source)]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    begun = time.perf_counter()
    with _running(command, child_environment(environment)) as process:
        _await(process, port)
        request = asked.request()
        request.full_url = f"http://127.0.0.1:{port}/"
        with urllib.request.urlopen(request, timeout=60) as answer:
            answer.read()
        return StartMeasurement(time.perf_counter() - begun, max(_memory(pid) for pid in _family(process.pid)))


@contextmanager
def _running(command: list[str], environment: Mapping[str, str]) -> "Iterator[subprocess.Popen[bytes]]":
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT)
    try:
        yield process
    except (urllib.error.HTTPError, TimeoutError) as error:
        process.terminate()
        raise RuntimeError(f"{' '.join(command)}: {error}; it printed {process.communicate()[0]!r}") from error
    finally:
        process.terminate()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def child_environment(more: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process that is measured: little of this one's."""
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", ""), "PYTHONPATH": str(ROOT)} | dict(more)


def _await(process: "subprocess.Popen[bytes]", port: int) -> None:
    while process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.002)
    assert process.stdout is not None
    raise RuntimeError(f"the function did not start: {process.stdout.read()!r}")


def _family(pid: int) -> list[int]:
    """The process and those that it started as workers."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    return [pid, *map(int, children.read_text().split())] if children.exists() else [pid]


def _memory(pid: int) -> int:
    status = Path(f"/proc/{pid}/status")
    found = re.search(r"VmRSS:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return int(found[1]) * 1024 if found else 0
