"""The stack as a whole: what it should be like goes in; while the block runs, it stands, and its addresses come out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from functions.local import server_process, topology
from functions.local.emulators import emulating
from functions.local.function_client import Door
from functions.local.function_server import SOURCE, function
from functions.local.private_files import make_private
from functions.local.stack_folder import led_to, told
from functions.local.supervisor import Tended
from shared.wiring import QUEUE_FILE

if TYPE_CHECKING:
    import subprocess

    from shared.adapters.google.pubsub_bus import PubSubBus
    from shared.adapters.sqlite.sqlite_queue import SqliteQueue

    Started = Sequence[tuple[server_process.Server, subprocess.Popen[bytes]]]


def _nothing(_ports: Mapping[str, int]) -> "Sequence[server_process.Server]":
    return ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """`folder` takes what the servers print, and all state where the stack is embedded."""

    folder: Path
    embedded: bool
    first_port: int = 0
    """The functions take this port and those after it, then the emulators; 0: free ones."""
    project: str = "provenfix-local"
    prefix: str = "provenfix-"
    environment: Mapping[str, str] | None = None
    """What the functions are to find in their environment besides."""
    source: Path = SOURCE
    """The file that exports the functions."""
    beside: "Callable[[Mapping[str, int]], Sequence[server_process.Server]]" = _nothing
    """What is to run besides, given the ports of the functions."""
    webhook: bool = False
    """Whether the function that the code host calls runs, too."""
    delivering: topology.Delivering = field(default_factory=topology.Delivering)

    @property
    def functions(self) -> list[str]:
        """Those that run, in the order of their ports."""
        return [
            topology.CALLED,
            *(reader.function for reader in topology.READERS),
            *([topology.WEBHOOK] if self.webhook else []),
        ]


@dataclass(frozen=True, slots=True)
class Standing:
    """`ports` by function; `environment` leads settings and Google's clients to this stack."""

    ports: Mapping[str, int]
    environment: Mapping[str, str]
    bus: "PubSubBus | SqliteQueue"
    folder: Path
    backing: "Started"
    tended: Tended

    def check(self) -> None:
        """Raises `shared.errors.InputError` where a function or an emulator has ended."""
        for server, running in (*self.backing, *self.tended.running.values()):
            server_process.check(server, running, self.folder)


@contextmanager
def standing(wanted: Wanted) -> Iterator[Standing]:
    """Starts all of it, and ends all of it on every way out.

    Raises `shared.errors.InputError` where a port is taken, the emulators are missing, or a server does not come up.
    """
    make_private(wanted.folder)
    names = wanted.functions
    ports = dict(zip(names, _ports(wanted.first_port, len(names)), strict=True))
    with ExitStack() as stack:
        there, backing = _backed(wanted, len(names), stack)
        stack.enter_context(led_to(there))
        environment = {**there, **(wanted.environment or {})}
        servers = [function(name, port, environment, wanted.source) for name, port in ports.items()]
        tended = Tended(wanted.folder, stack)
        tended.start([*servers, *wanted.beside(ports)])
        doors = {
            reader.topic: Door(ports[reader.function], wanted.project, wanted.delivering.lease)
            for reader in topology.READERS
        }
        bus = _relayed(wanted, there, doors, stack)
        stack.enter_context(told(wanted.folder, there, stays=wanted.embedded))
        yield Standing(ports, there, bus, wanted.folder, backing, tended)


def _ports(first: int, count: int) -> list[int]:
    return [first + number if first else server_process.free_port() for number in range(count)]


def _backed(wanted: Wanted, functions: int, stack: ExitStack) -> "tuple[Mapping[str, str], Started]":
    """Starts what keeps state and messages; the environment that leads there, and the servers."""
    if wanted.embedded:
        return {"PROVENFIX_EMBEDDED": str(wanted.folder.resolve()), "PROVENFIX_PROJECT": wanted.project}, ()
    ports = (wanted.first_port + functions, wanted.first_port + functions + 1) if wanted.first_port else None
    emulators = stack.enter_context(emulating(wanted.folder, ports))
    there = {
        **emulators.environment,
        "PROVENFIX_LOCAL": str(wanted.folder.resolve()),
        "PROVENFIX_PROJECT": wanted.project,
        "PROVENFIX_TOPIC_PREFIX": wanted.prefix,
    }
    return there, emulators.servers


def _relayed(
    wanted: Wanted, there: Mapping[str, str], doors: Mapping[str, Door], stack: ExitStack
) -> "PubSubBus | SqliteQueue":
    if wanted.embedded:
        from functions.local import queue_relay  # noqa: PLC0415
        from shared.adapters.sqlite.sqlite_queue import SqliteQueue  # noqa: PLC0415

        queue = SqliteQueue(wanted.folder / QUEUE_FILE, wanted.delivering.attempts)
        stack.callback(queue.close)
        queue.free()  # whatever an earlier stack was busy with when it was ended
        stack.enter_context(queue_relay.relaying(queue, doors, wanted.delivering))
        return queue
    from functions.local import pubsub_relay, pubsub_topology  # noqa: PLC0415
    from shared.adapters.google.pubsub_bus import PubSubBus  # noqa: PLC0415

    pubsub_topology.make_topics(wanted.project, wanted.prefix, wanted.delivering)
    bus = PubSubBus(wanted.project, wanted.prefix, emulator=there["PUBSUB_EMULATOR_HOST"])
    stack.callback(bus.close)
    stack.enter_context(pubsub_relay.relaying(wanted.project, wanted.prefix, doors))
    return bus
