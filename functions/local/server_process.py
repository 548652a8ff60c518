"""Starts a server of this stack and ends it again: a command and a port go in, a running process comes out.

A server is a process in a session of its own, so that Ctrl-C reaches provenfix first, which then ends every server by
its id. What a server prints goes to a file, which is read only when it did not come up.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from functions.local.private_files import open_private
from functions.local.put_off_signals import put_off
from functions.local.python_child import child_environment
from shared.errors import InputError

LOOPBACK = "127.0.0.1"
NOTHING_PRINTED = "it printed nothing"
"""Instead of the last words of a server that ended without any."""
_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.02
_NOT_PICKED = range(10_000, 32_768)
"""Below the ports that Linux picks for connections (32768 to 60999), and above those of well-known services."""
_named: set[int] = set()


@dataclass(frozen=True, slots=True)
class Server:
    """What is to be started. `environment` is added to what `child_environment` leaves of that of this process."""

    name: str
    command: Sequence[str]
    port: int
    environment: Mapping[str, str]


@contextmanager
def running(server: Server, folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Runs it while the block runs; the block begins before it answers (see `answers`).

    Its output goes to the end of `folder/NAME.log`. Raises `shared.errors.InputError` where its port is taken.
    """
    if not is_free(server.port):
        raise InputError(
            f"Port {server.port} is taken, and {server.name} needs it: end what listens there, or give --port"
        )
    process = None
    try:
        with put_off(), open_private(log_of(server, folder), "ab") as log:
            process = subprocess.Popen(
                [*ends_with_us(), *server.command],
                env=child_environment(server.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        yield process
    finally:
        if process is not None:
            with put_off():
                _end(process)


def answers(server: Server, process: "subprocess.Popen[bytes]", folder: Path) -> None:
    """Returns once its port is open. Raises `shared.errors.InputError` with its last words where it ended instead."""
    deadline = time.monotonic() + _START_SECONDS
    while not _is_open(server.port):
        check(server, process, folder)
        if time.monotonic() > deadline:
            raise InputError(f"{server.name} did not come up within {_START_SECONDS:.0f} s: {_words(server, folder)}")
        time.sleep(_POLL_SECONDS)


def check(server: Server, process: "subprocess.Popen[bytes]", folder: Path) -> None:
    """Raises `shared.errors.InputError` with its last words where it has ended."""
    if process.poll() is not None:
        raise InputError(f"{server.name} ended: {_words(server, folder)}")


def log_of(server: Server, folder: Path) -> Path:
    """Where its output goes."""
    return folder / f"{server.name}.log"


def free_port() -> int:
    """A port of the loopback that nobody has, and that this process names only once.

    Not one that the system would pick: it picks the same ones for connections, and takes them before a server is up.
    """
    while True:
        port = secrets.choice(_NOT_PICKED)
        if port not in _named and is_free(port):
            _named.add(port)
            return port


def is_free(port: int) -> bool:
    """Whether a server could listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: a closed port lingers
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def ends_with_us() -> list[str]:
    """Where Linux can see to it: the server gets SIGTERM even if this process is killed and cleans nothing up."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0


def _words(server: Server, folder: Path) -> str:
    log = log_of(server, folder)
    lines = [line.strip() for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    return f"{lines[-1] if lines else NOTHING_PRINTED} (all that it printed is in {log})"


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Asks first, then insists; returns once the process is gone."""
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # its session is its own, and its workers' with it
        process.wait()
