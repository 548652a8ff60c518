"""`emulate`, a Slack that nobody here wrote: started on a free port of the loopback, ended when the context is left."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_connection, create_server

from tests.fakes.slack.packages import NODE, packages

TOKEN = "xoxb-emulated"
OTHER_TOKEN = "xoxb-somebody-else"
_SEED = f"""
slack:
  users:
    - name: provenfix
    - name: gossip
  channels:
    - name: tide
  tokens:
    - token: {TOKEN}
      user: provenfix
    - token: {OTHER_TOKEN}
      user: gossip
"""
_LONGEST_START = 30.0


@contextmanager
def emulating(folder: Path) -> Iterator[str]:
    """The address of the Web API of a fresh workspace with one channel."""
    seed = folder / "seed.yaml"
    seed.write_text(_SEED, "utf-8")
    with create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = packages() / "emulate/dist/index.js"
    arguments = ["start", "--service", "slack", "--seed", str(seed), "--port", str(port)]
    log = folder / "emulate.log"
    with log.open("wb") as written:
        process = subprocess.Popen([NODE, program, *arguments], stdout=written, stderr=written, cwd=folder)
    try:
        _await(port, process, log)
        yield f"http://127.0.0.1:{port}/api/"
    finally:
        process.terminate()
        process.wait(timeout=10)


def _await(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + _LONGEST_START
    while time.monotonic() < until and process.poll() is None:
        try:
            create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"emulate did not start: {log.read_text('utf-8', 'replace')[-2000:]}")
