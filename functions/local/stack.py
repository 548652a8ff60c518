"""Runs all servers of a stack while a block runs, and gives the block their addresses."""

import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from functions.local import pubsub_relay, relay, server_process, topology
from functions.local.emulators import run_emulators
from functions.local.function_client import FunctionClient
from functions.local.private_files import make_private
from functions.local.server_process import FUNCTIONS_FILE, build_function_server
from functions.local.stack_folder import override_environ, publish_environment
from functions.local.supervisor import Supervisor
from shared.adapters.google import pubsub
from shared.adapters.sqlite import sqlite_queue
from shared.state_stores import QUEUE_FILE

Started = Sequence[tuple[server_process.Server, "subprocess.Popen[bytes]"]]


def _list_no_servers(_ports: Mapping[str, int]) -> "Sequence[server_process.Server]":
    return ()


@dataclass(frozen=True, slots=True)
class StackOptions:
    """`folder` takes what the servers print, and all state where the stack is embedded."""

    folder: Path
    embedded: bool
    first_port: int = 0
    """The functions take this port and those after it, then the emulators; 0: free ones."""
    project: str = "provenfix-local"
    prefix: str = "provenfix-"
    environment: Mapping[str, str] | None = None
    """What the functions are to find in their environment besides."""
    functions_file: Path = FUNCTIONS_FILE
    """The file that exports the functions."""
    extra_servers: "Callable[[Mapping[str, int]], Sequence[server_process.Server]]" = _list_no_servers
    """What is to run besides, given the ports of the functions."""
    webhook: bool = False
    """Whether the function that the code host calls runs, too."""
    delivery_policy: topology.DeliveryPolicy = field(default_factory=topology.DeliveryPolicy)

    @property
    def functions(self) -> list[str]:
        """Those that run, in the order of their ports."""
        return [
            topology.SLACK_FUNCTION,
            *(reader.function for reader in topology.SUBSCRIBERS),
            *([topology.WEBHOOK_FUNCTION] if self.webhook else []),
        ]


@dataclass(frozen=True, slots=True)
class RunningStack:
    """`ports` by function; `environment` leads settings and Google's clients to this stack."""

    ports: Mapping[str, int]
    environment: Mapping[str, str]
    bus: "pubsub.PubSubBus | sqlite_queue.SqliteQueue"
    folder: Path
    backing_servers: Started
    supervisor: Supervisor

    def check_running(self) -> None:
        """Raises `shared.errors.InputError` where a function or an emulator has ended."""
        for server, running in (*self.backing_servers, *self.supervisor.running.values()):
            server_process.check_running(server, running, self.folder)


@contextmanager
def run_stack(options: StackOptions) -> Iterator[RunningStack]:
    """Starts all of it, and ends all of it however the block ends.

    Raises `shared.errors.InputError` where a port is taken, the emulators are missing, or a server does not come up.
    """
    make_private(options.folder)
    names = options.functions
    ports = dict(zip(names, _choose_ports(options.first_port, len(names)), strict=True))
    with ExitStack() as stack:
        backing_environment, backing = _start_backing(options, len(names), stack)
        stack.enter_context(override_environ(backing_environment))
        environment = {**backing_environment, **(options.environment or {})}
        servers = [
            build_function_server(name, port, environment, options.functions_file) for name, port in ports.items()
        ]
        tended = Supervisor(options.folder, stack)
        tended.start_servers([*servers, *options.extra_servers(ports)])
        targets = {
            reader.topic: FunctionClient(ports[reader.function], options.project, options.delivery_policy.lease)
            for reader in topology.SUBSCRIBERS
        }
        bus = _start_relay(options, backing_environment, targets, stack)
        stack.enter_context(publish_environment(options.folder, backing_environment, keep=options.embedded))
        yield RunningStack(ports, backing_environment, bus, options.folder, backing, tended)


def _choose_ports(first: int, count: int) -> list[int]:
    return [first + number if first else server_process.find_free_port() for number in range(count)]


def _start_backing(options: StackOptions, functions: int, stack: ExitStack) -> tuple[Mapping[str, str], Started]:
    """Starts what keeps state and messages; the environment that leads there, and the servers."""
    if options.embedded:
        return {"PROVENFIX_EMBEDDED": str(options.folder.resolve()), "PROVENFIX_PROJECT": options.project}, ()
    ports = (options.first_port + functions, options.first_port + functions + 1) if options.first_port else None
    emulators = stack.enter_context(run_emulators(options.folder, ports))
    backing_environment = {
        **emulators.environment,
        "PROVENFIX_LOCAL": str(options.folder.resolve()),
        "PROVENFIX_PROJECT": options.project,
        "PROVENFIX_TOPIC_PREFIX": options.prefix,
    }
    return backing_environment, emulators.servers


def _start_relay(
    options: StackOptions, environment: Mapping[str, str], targets: Mapping[str, FunctionClient], stack: ExitStack
) -> "pubsub.PubSubBus | sqlite_queue.SqliteQueue":
    if options.embedded:
        queue = sqlite_queue.SqliteQueue(options.folder / QUEUE_FILE, options.delivery_policy.attempts)
        stack.callback(queue.close)
        queue.release_all()  # what an earlier stack had leased when it ended
        stack.enter_context(relay.relay_queue(queue, targets, options.delivery_policy))
        return queue
    pubsub_relay.create_topics(options.project, options.prefix, options.delivery_policy)
    bus = pubsub.PubSubBus(options.project, options.prefix, emulator=environment["PUBSUB_EMULATOR_HOST"])
    stack.callback(bus.close)
    stack.enter_context(pubsub_relay.relay_pubsub(options.project, options.prefix, targets))
    return bus
