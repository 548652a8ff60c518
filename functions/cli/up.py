"""`provenfix up`: runs the functions on this machine until Ctrl-C."""

import os
import shlex
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from functions.local import server_process, topology
from functions.local.emulators import find_emulators
from functions.local.server_process import LOOPBACK
from functions.local.stack import RunningStack, StackOptions, run_stack
from functions.local.stack_folder import DEFAULT_FOLDER, lock_folder
from shared.config.settings import Settings, read_all_settings
from shared.errors import InputError, Retry
from shared.workflow import flow

RUNNING = "Running."
"""What the first line on stderr begins with once every part answers."""
_POLL_SECONDS = 1.0
_EMULATOR_PORTS = 2
"""Ports between those of the functions and the page's."""


def run_up(folder: Path, port: int, config: Path | None, *, embedded: bool) -> int:
    """Runs until it is interrupted. Raises InputError or UsageError with one sentence."""
    environment = {"PROVENFIX_CONFIG": str(config.resolve())} if config else {}
    settings = read_all_settings({**os.environ, **environment})  # reports an error once, and not in every function
    folder, embedded = settings.sqlite_folder or folder, embedded or settings.sqlite_folder is not None
    if not embedded:
        _check_emulators()
    backing = "SQLite" if embedded else "the emulators of Pub/Sub and Firestore"
    options = StackOptions(
        folder,
        embedded,
        port,
        environment=environment,
        extra_servers=lambda ports: [
            server_process.build_page_server(folder, page, ports[topology.SLACK_FUNCTION], environment)
        ],
        webhook=settings.secrets.github_webhook_secret is not None,
    )
    page = port + len(options.functions) + _EMULATOR_PORTS
    _print_status(f"Starting {len(options.functions)} functions with {backing} …")
    with lock_folder(folder), run_stack(options) as stack:
        _print_status(_describe_stack(stack, settings, folder, page))
        _publish_ticks(stack)
    return 0


def _check_emulators() -> None:
    try:
        find_emulators()
    except InputError as missing:
        raise InputError(f"{missing}. Or run without them: provenfix up --embedded") from None


def _publish_ticks(stack: RunningStack) -> None:
    """Publishes the ticks, as Cloud Scheduler does."""
    due = time.monotonic()
    while True:
        stack.check_running()
        if time.monotonic() >= due:
            due += topology.TICK_SECONDS
            try:
                stack.bus.publish_raw(flow.TICK, [b"{}"])
            except Retry as missed:  # the next one does its work, too
                _print_status(str(missed))
        time.sleep(_POLL_SECONDS)


def _describe_stack(stack: RunningStack, settings: Settings, folder: Path, page: int) -> str:
    at = "" if folder == Path(DEFAULT_FOLDER) else f" --folder {shlex.quote(str(folder))}"
    watched = ", ".join(sorted(settings.services)) or "no service (provenfix.yaml names none)"
    lines = [
        f"{RUNNING} Watching {watched}. Press Ctrl-C to stop.",
        f"The page: http://{LOOPBACK}:{page}/",
        f"Clicks go to http://{LOOPBACK}:{stack.ports['decide']}/, output to {folder}/*.log. In another terminal:",
        f"    provenfix inject FILE{at}    log entries, as `gcloud logging read --format=json` writes them",
        f"    provenfix show{at}           the incidents",
        f"    provenfix dlq list{at}       messages that could not be delivered",
    ]
    if topology.WEBHOOK_FUNCTION in stack.ports:
        lines.insert(2, f"Webhooks of the code host go to http://{LOOPBACK}:{stack.ports[topology.WEBHOOK_FUNCTION]}/.")
    return "\n".join(lines)


def _print_status(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def up(
    embedded: Annotated[
        bool, typer.Option("--embedded", help="SQLite instead of the emulators of Firestore and Pub/Sub.")
    ] = False,
    folder: Annotated[Path, typer.Option(metavar="PATH", help="Stack directory: state and output.")] = Path(
        ".provenfix"
    ),
    port: Annotated[int, typer.Option(metavar="N", help="First port on loopback.", min=1024, max=65_500)] = 8300,
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="Configuration; default: provenfix.yaml.")] = None,
) -> int:
    """Run all functions of provenfix on this machine.

    State, messages and one process for each function, until Ctrl-C.
    """
    return run_up(folder, port, config, embedded=embedded)
