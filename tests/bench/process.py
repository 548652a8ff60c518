"""Runs a command several times and measures it: a command goes in; wall time, its spread and peak memory come out.

Bytecode is kept, as an installed command keeps it, in a folder beside the table: a user who sets Python to write none
would measure how modules are compiled. The run that writes it is never the best one.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of the best and the worst run, and the highest peak of resident memory in bytes, children included.

    `cpu`: seconds of processor time of the run that took the least, those of all its processes together.
    """

    best: float
    worst: float
    peak: int
    cpu: float


BYTECODE = Path("build/bench-bytecode")


def _environment() -> dict[str, str]:
    told = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**told, "PYTHONPYCACHEPREFIX": str(BYTECODE.resolve())}


@contextmanager
def send_stdout_to_stderr() -> Iterator[None]:
    """Meanwhile what this process and its children print is on stderr: stdout is for the table alone."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def measure_command(command: Sequence[str], runs: int, folder: Path | None = None) -> Timing:
    """Whole processes, from start to exit. Raises `RuntimeError` where one fails."""
    taken = [_once(command, folder) for _ in range(runs)]
    walls = [wall for wall, *_ in taken]
    return Timing(min(walls), max(walls), max(peak for _, peak, _ in taken), min(cpu for *_, cpu in taken))


def best_of(timings: Sequence[Timing]) -> Timing:
    """Several measurements of the same command as one."""
    return Timing(
        min(one.best for one in timings),
        max(one.worst for one in timings),
        max(one.peak for one in timings),
        min(one.cpu for one in timings),
    )


def _once(command: Sequence[str], folder: Path | None) -> tuple[float, int, float]:
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    with process.stderr as stderr:
        said = stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {said.decode(errors='replace')}")
    return wall, usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime
