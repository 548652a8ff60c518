"""A function in a functions-framework process of its own on loopback: a folder and a target in, a URL out."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import functions_framework

from functions.local.server_process import find_free_port

PACKAGES = Path(functions_framework.__file__).parents[1]
START_TIMEOUT = 30.0


def can_serve_functions(interpreter: str) -> bool:
    """Whether this interpreter can run the functions-framework that these tests run with (it is pure Python)."""
    environment = {"PYTHONPATH": str(PACKAGES), "PATH": os.environ["PATH"]}
    ran = subprocess.run(
        [interpreter, "-W", "ignore", "-c", "import functions_framework._cli, gunicorn.app.base"],
        env=environment,
        capture_output=True,
        check=False,
    )
    return ran.returncode == 0


@contextmanager
def serve_function(
    target: str, source: Path, *, interpreter: str = sys.executable, environment: Mapping[str, str] | None = None
) -> Iterator[str]:
    """The URL of `target` in the file `source`, once it answers. The process is ended with the context."""
    port = find_free_port()
    command = [interpreter, "-W", "ignore", "-m", "functions_framework", "--target", target]
    command += ["--source", str(source), "--host", "127.0.0.1", "--port", str(port)]
    held = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PACKAGES), "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(
        command,
        env=held | dict(environment or {}),
        cwd=source.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        _await(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        _, said = process.communicate(timeout=START_TIMEOUT)
        if os.environ.get("SHOW_SERVED"):
            sys.stderr.write(said.decode(errors="replace"))


def _await(process: "subprocess.Popen[bytes]", port: int) -> None:
    until = time.monotonic() + START_TIMEOUT
    while time.monotonic() < until and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.02)  # not listening yet
    process.kill()
    raise RuntimeError(f"the function did not start: {(process.communicate()[1] or b'').decode(errors='replace')}")
