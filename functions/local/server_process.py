"""Starts a server of this stack, and ends it again.

A server is a process in a session of its own, so that Ctrl-C reaches provenfix first, which then ends every server by
its id. What a server prints goes to a file, which is read only when it did not come up.

The commands of the stack's servers (functions, platform and page) are here, too.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from functions.local.private_files import open_private
from shared.errors import InputError

CODE_ROOT = Path(__file__).parents[2]
"""The folder of `functions` and `shared`."""
_SAFE_VARIABLES = frozenset(("PYTHONUTF8", "PYTHONIOENCODING", "PYTHONDONTWRITEBYTECODE", "PYTHONWARNINGS"))
_UNSAFE_PREFIXES = ("PYTHON", "FLASK_", "FUNCTION_", "GUNICORN_", "UVICORN_", "WERKZEUG_")
_UNSAFE_VARIABLES = frozenset(("DEBUG", "HOST", "PORT", "WORKERS", "THREADS", "WEB_CONCURRENCY", "ENTRY_POINT"))
"""What functions-framework and gunicorn read: with DEBUG a function would serve a console that runs code."""


def build_python_command(*arguments: str) -> list[str]:
    """This interpreter; `-P`: neither the working directory nor a script's folder is looked into for modules."""
    return [sys.executable, "-P", *arguments]


def clean_environment(given: Mapping[str, str], inherited: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What this process has, less what would change how a child loads code, and `given`."""
    own = {name: value for name, value in inherited.items() if name in _SAFE_VARIABLES or not _changes_loading(name)}
    return {**own, **given}


def import_environment(given: Mapping[str, str]) -> dict[str, str]:
    """For a child that imports `functions` and `shared`: they are found, and what it prints is not held back."""
    return {**given, "PYTHONPATH": str(CODE_ROOT), "PYTHONUNBUFFERED": "1"}


def _changes_loading(name: str) -> bool:
    return name.startswith(_UNSAFE_PREFIXES) or name in _UNSAFE_VARIABLES


_DEFERRED_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def defer_signals() -> Iterator[None]:
    """Handlers and not a signal mask: a mask would be inherited by what the block starts."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals never interrupt other threads
        return
    came: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        came.append(number)

    heard = [number for number in _DEFERRED_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, remember) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        raise KeyboardInterrupt


LOOPBACK = "127.0.0.1"
NO_OUTPUT = "it printed nothing"
"""Instead of the last words of a server that ended without any."""
_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.02
_PORT_RANGE = range(10_000, 32_768)
"""Below the ports that Linux picks for connections (32768 to 60999), and above those of well-known services."""
_reserved_ports: set[int] = set()


@dataclass(frozen=True, slots=True)
class Server:
    """What is to be started. `environment` is added to what `clean_environment` leaves of that of this process."""

    name: str
    command: Sequence[str]
    port: int
    environment: Mapping[str, str]


@contextmanager
def run_server(server: Server, folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Runs it while the block runs; the block begins before it answers (see `wait_until_ready`).

    Its output goes to the end of `folder/NAME.log`. Raises `shared.errors.InputError` where its port is taken.
    """
    if not is_port_free(server.port):
        raise InputError(
            f"Port {server.port} of {server.name} is in use: stop the program that listens there, or give --port"
        )
    process = None
    try:
        with defer_signals(), open_private(log_path(server, folder), "ab") as log:
            process = subprocess.Popen(
                [*build_parent_death_command(), *server.command],
                env=clean_environment(server.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        yield process
    finally:
        if process is not None:
            with defer_signals():
                _stop_process(process)


def wait_until_ready(server: Server, process: "subprocess.Popen[bytes]", folder: Path) -> None:
    """Returns once its port is open. Raises `shared.errors.InputError` with its last words where it ended instead."""
    deadline = time.monotonic() + _START_SECONDS
    while not _is_port_open(server.port):
        check_running(server, process, folder)
        if time.monotonic() > deadline:
            raise InputError(
                f"{server.name} did not start within {_START_SECONDS:.0f} s: {_read_last_output(server, folder)}"
            )
        time.sleep(_POLL_SECONDS)


def check_running(server: Server, process: "subprocess.Popen[bytes]", folder: Path) -> None:
    """Raises `shared.errors.InputError` with its last words where it has ended."""
    if process.poll() is not None:
        raise InputError(f"{server.name} stopped: {_read_last_output(server, folder)}")


def log_path(server: Server, folder: Path) -> Path:
    """Where its output goes."""
    return folder / f"{server.name}.log"


def find_free_port() -> int:
    """A port of the loopback that nobody has, and that this process names only once.

    Not one that the system would pick: it picks the same ones for connections, and takes them before a server is up.
    """
    while True:
        port = secrets.choice(_PORT_RANGE)
        if port not in _reserved_ports and is_port_free(port):
            _reserved_ports.add(port)
            return port


def is_port_free(port: int) -> bool:
    """Whether a server could listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: a closed port lingers
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def build_parent_death_command() -> list[str]:
    """Where Linux can see to it: the server gets SIGTERM even if this process is killed and cleans nothing up."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []


def _is_port_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0


def _read_last_output(server: Server, folder: Path) -> str:
    log = log_path(server, folder)
    lines = [line.strip() for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    return f"{lines[-1] if lines else NO_OUTPUT} (full output: {log})"


def _stop_process(process: "subprocess.Popen[bytes]") -> None:
    """Asks first, then insists; returns once the process is gone."""
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # its session is its own, and its workers' with it
        process.wait()


FUNCTIONS_FILE = Path(__file__).with_name("guarded_main.py")


def build_function_server(
    name: str, port: int, environment: Mapping[str, str], source: Path = FUNCTIONS_FILE
) -> Server:
    """`source` is the file that exports the function. What is installed besides comes from this interpreter."""
    command = build_python_command("-m", "functions_framework", "--target", name, "--source", str(source))
    command += ["--signature-type", "http", "--host", LOOPBACK, "--port", str(port)]
    # With a file as its source the framework looks for modules in that file's folder alone.
    return Server(name, command, port, import_environment(environment))


def build_platform_server(folder: Path, port: int, environment: Mapping[str, str]) -> Server:
    """`port` is where the first service is reached: it answers as soon as the platform runs."""
    return _build_module_server("platform", [str(folder / "platform")], port, environment)


def build_page_server(folder: Path, port: int, decide_port: int, environment: Mapping[str, str]) -> Server:
    """`decide_port` is that of the function that takes the clicks."""
    arguments = ["--folder", str(folder), "--port", str(port), "--decide", f"http://{LOOPBACK}:{decide_port}/"]
    return _build_module_server("page", arguments, port, environment)


def _build_module_server(name: str, arguments: Sequence[str], port: int, environment: Mapping[str, str]) -> Server:
    command = build_python_command("-m", f"functions.local.{name}", *arguments)
    return Server(name, command, port, import_environment(environment))
