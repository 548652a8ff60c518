"""Keeps servers running: restarts each that has ended on its port, as a platform does with instances."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from functions.local import server_process
from functions.local.server_process import Server
from shared.errors import InputError

MAX_RESTARTS = 100
_CLEAR_SECONDS = 10.0
_POLL_SECONDS = 0.02


# Own supervisor: honcho ends all servers when one ends, and supervisord is a daemon with files of configuration. A
# stack needs a server started again on its port, and all of them ended with the command.
@dataclass(slots=True)
class Supervisor:
    """What it starts ends with `stack`; what the servers print goes to `folder`."""

    folder: Path
    stack: ExitStack
    running: "dict[str, tuple[Server, subprocess.Popen[bytes]]]" = field(default_factory=dict)
    restarts: int = 0

    def start_servers(self, servers: Sequence[Server]) -> None:
        """Starts them side by side, and returns once all of them answer. Raises InputError."""
        for server in servers:
            self.running[server.name] = server, self.stack.enter_context(server_process.run_server(server, self.folder))
        for server in servers:
            server_process.wait_until_ready(*self.running[server.name], self.folder)

    def restart_ended(self) -> Sequence[str]:
        """Restarts what has ended, and returns the names. Raises InputError for a server that ends too often."""
        ended = [(server, was) for server, was in self.running.values() if was.poll() is not None]
        for server, was in ended:
            self.restarts += 1
            if self.restarts > MAX_RESTARTS:
                server_process.check_running(server, was, self.folder)
            _kill_leftovers(server, was)
        self.start_servers([server for server, _ in ended])
        return [server.name for server, _ in ended]


def _kill_leftovers(server: Server, was: "subprocess.Popen[bytes]") -> None:
    """Ends what a killed server has left of itself, such as workers that still hold its port."""
    with suppress(ProcessLookupError):
        os.killpg(was.pid, signal.SIGKILL)
    deadline = time.monotonic() + _CLEAR_SECONDS
    while not server_process.is_port_free(server.port):
        if time.monotonic() > deadline:
            raise InputError(
                f"Port {server.port} of {server.name} is still in use: stop the program that listens there"
            )
        time.sleep(_POLL_SECONDS)
