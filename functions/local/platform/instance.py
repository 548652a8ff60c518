"""One instance of a revision: a process whose lines go to the journal, one entry each.

It is ready when its port answers. Its end is logged, with its last output.
"""

import asyncio
import os
import secrets
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from functions.local.platform.launch import LOOPBACK, Launch
from functions.local.platform.log_journal import Entry, InstanceRef, create_exit_entry, create_line_entry
from functions.local.server_process import build_parent_death_command
from shared.text.escaping import to_one_line, truncate

_POLL_SECONDS = 0.03
_STOP_SECONDS = 5.0
_MAX_LINE_LENGTH = 1 << 20


class NotReady(Exception):
    """The process has ended, or its port did not answer in time. The text is one sentence."""

    def __init__(self, message: str, *, killed: bool = False) -> None:
        super().__init__(message)
        self.killed = killed
        """Whether another process killed it: that says nothing about the revision."""


@dataclass(slots=True)
class Instance:
    """A running process. `place` distinguishes its entries from those of the one before it."""

    source: InstanceRef
    port: int
    process: asyncio.subprocess.Process
    map_paths: Callable[[str], str]
    """Puts the image's name of the folder in the place of this machine's."""
    add_entry: Callable[[Entry], None]
    last_line: str = ""
    readers: list[asyncio.Task[None]] = field(default_factory=list)

    async def wait_until_ready(self, timeout_seconds: float) -> None:
        """Returns once the port answers. Raises NotReady."""
        try:
            async with asyncio.timeout(timeout_seconds):
                while not await _is_port_open(self.port):
                    if self.process.returncode is not None:
                        ending = await self.wait_until_ended()
                        raise NotReady(ending, killed=self.process.returncode == -signal.SIGKILL)
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            raise NotReady(f"Its port did not answer within {timeout_seconds:g} seconds.") from None

    async def wait_until_ended(self) -> str:
        """Returns once the process has ended and all that it printed was read: with what, and its last words."""
        code = await self.process.wait()
        await asyncio.gather(*self.readers)
        if code > 0:
            self.add_entry(create_exit_entry(self.source, datetime.now(UTC), code))
        how = f"with exit code {code}" if code >= 0 else f"by signal {-code}"
        return f"The process ended {how}: {self.last_line or 'it printed nothing'}."

    async def stop(self) -> None:
        """Asks first, then insists; returns once it is gone."""
        with suppress(ProcessLookupError):
            self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), _STOP_SECONDS)
        except TimeoutError:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            await self.process.wait()
        await asyncio.gather(*self.readers)

    async def read_lines(self, stream: asyncio.StreamReader, name: str) -> None:
        """Takes every line until the stream ends."""
        while True:
            try:
                line = await stream.readline()
            except ValueError:  # longer than any entry may be; what was read of it is gone
                continue
            if not line:
                return
            text = self.map_paths(line.decode("utf-8", "replace").rstrip("\r\n"))
            if text.strip():
                self.last_line = truncate(to_one_line(text.strip()), 200)
                self.add_entry(create_line_entry(self.source, datetime.now(UTC), name, text))


async def start_instance(
    source: InstanceRef, files: Path, launch: Launch, port: int, add_entry: Callable[[Entry], None]
) -> Instance:
    """In a session of its own, and ending with this process where the system can see to it."""
    process = await asyncio.create_subprocess_exec(
        *build_parent_death_command(),
        *launch.command,
        cwd=files,
        env=dict(launch.environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=_MAX_LINE_LENGTH,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    instance = Instance(source, port, process, lambda text: text.replace(str(files), launch.workdir), add_entry)
    streams = ((process.stdout, "stdout"), (process.stderr, "stderr"))
    instance.readers += [asyncio.create_task(instance.read_lines(stream, name)) for stream, name in streams]
    return instance


def create_instance_id() -> str:
    """Of the look that Cloud Run's have."""
    return "00" + secrets.token_hex(48)


async def _is_port_open(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    writer.close()
    return True
