"""`provenfix watch`: follows a log, and shows incidents, proofs and questions on a page of this machine."""

import json
import os
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Annotated

import typer

from functions.cli.progress import create_status_printer, show_page
from functions.local import server_process, topology
from functions.local.log_follower import STDIN, EntryParser, follow_log
from functions.local.narration import describe_proof, describe_step, find_approved_proposal
from functions.local.platform.log_journal import matches_sink
from functions.local.private_files import make_private
from functions.local.server_process import LOOPBACK, find_free_port, is_port_free
from functions.local.stack import RunningStack, StackOptions, run_stack
from functions.local.stack_folder import lock_folder, override_environ
from shared.adapters.logs.log_json import parse_json_entry, read_location
from shared.adapters.slack.deploy_commands import deploy_command
from shared.adapters.sqlite.sqlite_logs import SqliteLogs
from shared.config.settings import Settings, read_all_settings, read_settings
from shared.errors import InputError, UsageError
from shared.local_sources import open_local_history, open_service_logs
from shared.ports import Store
from shared.service import RolloutMode, Service, build_service_id, find_service
from shared.state_stores import create_store
from shared.workflow import flow
from shared.workflow.records import incident_record, proposals
from shared.workflow.records.incident_record import IncidentRecord
from shared.workflow.records.reports import KIND as EVIDENCE

_POLL_SECONDS = 0.5
_SIGNING_SECRET_VARIABLE = "PROVENFIX_SIGNING_SECRET"  # noqa: S105  # the name of a variable
_StatusPrinter = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """What to watch. `log` is a file, or `-` for standard input."""

    config: Path
    log: str
    folder: Path
    port: int
    print_status: _StatusPrinter
    show_page: Callable[[str], None]
    """Takes the page's address once it can be looked at."""


@dataclass(slots=True)
class LogIntake:
    """Stores log entries, and publishes those that the deployed sink would take."""

    logs: SqliteLogs
    stack: RunningStack
    settings: Settings
    print_status: _StatusPrinter
    stream: EntryParser = field(default_factory=EntryParser)
    accepted: int = 0
    unknown_services: set[str] = field(default_factory=set)
    error: OSError | None = None
    ended: bool = False

    def follow(self, source: str, stop: Event) -> None:
        """Runs in a thread; `error` holds what went wrong."""
        try:
            follow_log(source, self.accept_text, stop)
        except OSError as error:
            self.error = error

    def accept_text(self, text: str, last: bool) -> None:  # noqa: FBT001  # as `follow_log` calls it
        """Takes one piece of the stream; `last` if no more will come."""
        entries = [entry for entry in self.stream.feed(text, last=last) if self._is_watched(entry)]
        self.accepted += len(entries)
        self.logs.write(entries)
        matched = [json.dumps(entry).encode() for entry in entries if matches_sink(entry)]
        if matched:
            self.stack.bus.publish_raw(flow.LOG_ENTRIES, matched)
        if last:
            self.ended = True

    def _is_watched(self, entry: Mapping[str, object]) -> bool:
        read = parse_json_entry(entry, 0)
        named = build_service_id(read.project, read.service)
        if find_service(self.settings.services, read.project, read.service, read_location(entry)) is not None:
            return True
        if named not in self.unknown_services:
            self.unknown_services.add(named)
            self.print_status(f"Skipping entries of {named!r}: it is not in the configuration.")
        return False


def run_watch(options: WatchOptions) -> int:
    """Runs until it is interrupted. Raises InputError or UsageError with one sentence."""
    page = options.port or find_free_port()
    if not is_port_free(page):
        raise InputError(
            f"Port {page} of the page is in use: stop the program that listens there, or give another --port"
        )
    environment = _build_environment(options)
    settings = read_all_settings({**os.environ, **environment})
    _check_options(settings, options)
    with ExitStack() as ending:
        ending.enter_context(lock_folder(options.folder))
        ending.enter_context(override_environ(environment))
        opened, logs = create_store(read_settings()), open_service_logs(read_settings())
        ending.callback(logs.close)
        stack_options = StackOptions(
            options.folder,
            embedded=True,
            environment=environment,
            extra_servers=lambda ports: [
                server_process.build_page_server(options.folder, page, ports[topology.SLACK_FUNCTION], environment)
            ],
        )
        stack = ending.enter_context(run_stack(stack_options))
        options.print_status(_describe_watch(settings))
        options.show_page(f"http://{LOOPBACK}:{page}/")
        intake, over = LogIntake(logs, stack, settings, options.print_status), Event()
        reading = Thread(target=intake.follow, args=(options.log, over))
        reading.start()
        ending.callback(reading.join)
        ending.callback(over.set)
        _watch_stack(options, stack, opened, intake)
    return 0


def _build_environment(options: WatchOptions) -> Mapping[str, str]:
    """Returns the variables that lead every process to this stack."""
    make_private(options.folder)
    environment = {
        "PROVENFIX_CONFIG": str(options.config.resolve()),
        "PROVENFIX_EMBEDDED": str(options.folder.resolve()),
        "PROVENFIX_PROJECT": "provenfix-local",
        "PROVENFIX_PLATFORM": "watched",
    }
    # The page signs and `decide` verifies with it, so a random one will do unless one is set.
    return environment | {
        _SIGNING_SECRET_VARIABLE: {_SIGNING_SECRET_VARIABLE: secrets.token_hex(16), **os.environ}[
            _SIGNING_SECRET_VARIABLE
        ]
    }


def _watch_stack(options: WatchOptions, stack: RunningStack, store: Store, intake: LogIntake) -> None:
    reported: set[tuple[str, int]] = set()
    due, said_ended = 0.0, False
    while True:
        for name in stack.supervisor.restart_ended():
            options.print_status(f"{name} stopped and was restarted.")
        if time.monotonic() >= due:
            due = time.monotonic() + topology.TICK_SECONDS
            stack.bus.publish_raw(flow.TICK, [b"{}"])
        for service in intake.settings.services:
            for record in (
                incident_record.INCIDENTS.decode(document.value)
                for document in store.find(incident_record.KIND, "service", service)
            ):
                _print_history(options.print_status, store, record, intake.settings.services[service], reported)
        if intake.error is not None:
            name = "standard input" if options.log == STDIN else options.log
            raise InputError(f"{name} can no longer be read: {intake.error.strerror}")
        if intake.ended and not said_ended:
            said_ended = True
            options.print_status(
                f"The log has ended: {intake.accepted} entries read, {intake.stream.skipped} other lines skipped."
            )
            options.print_status("The page stays open until you press Ctrl-C.")
        time.sleep(_POLL_SECONDS)


def _print_history(
    print_status: _StatusPrinter, store: Store, record: IncidentRecord, service: Service, reported: set[tuple[str, int]]
) -> None:
    stored = store.read(EVIDENCE, record.evidence_key)
    evidence = stored.value if stored else {}
    for number, step in enumerate(record.history):
        if (record.id, number) in reported:
            continue
        reported.add((record.id, number))
        sentence = describe_step(record, number, evidence, find_approved_proposal(store, record, number))
        print_status(f"{record.service}: {sentence}")
        if step.state is flow.IncidentState.PROPOSED:
            for line in describe_proof(evidence):
                print_status(f"  {line}")
            if service.rollout_mode is RolloutMode.MANUAL:
                command = deploy_command(service, _find_proposed_commit(store, record))
                print_status(f"  provenfix does not deploy this service. Run it yourself: {command}")


def _find_proposed_commit(store: Store, record: IncidentRecord) -> str:
    stored = store.read(proposals.KIND, record.proposal)
    return str(stored.value["commit"]) if stored else "COMMIT"


def _check_options(settings: Settings, options: WatchOptions) -> None:
    """Raises UsageError and InputError for errors that would otherwise show only later."""
    if not settings.services:
        raise UsageError(f"{options.config} names no service, so there is nothing to watch")
    for service in settings.services.values():
        if not Path(service.repository).exists():
            raise UsageError(
                f"{service.id}: repository {service.repository!r} is not a folder on this machine; `provenfix watch` "
                "reads a clone: give its path, such as ./path/to/clone"
            )
        _check_deploy_command(service)
        with open_local_history(service.repository) as history:
            history.branch(service.branch or None)
    if options.log == STDIN and sys.stdin.isatty():
        raise UsageError(
            "standard input is a terminal; pipe a log into it, such as: gcloud logging tail … --format=json | "
            f"provenfix watch --config {options.config}"
        )
    if options.log != STDIN and not Path(options.log).is_file():
        what = "is a folder" if Path(options.log).is_dir() else "there is no such file"
        raise InputError(
            f"--log {options.log}: {what}; give the path of an existing log file, or - for standard input."
        )


def _check_deploy_command(service: Service) -> None:
    """Raises UsageError for an unknown program now, not after an approval."""
    program = service.deploy_command[0] if service.deploy_command else ""
    if program and shutil.which(program) is None:
        raise UsageError(
            f"{service.id}: deploy_command begins with {program!r}, which is not a program on this machine: give the "
            "path of one, or a name that is on PATH"
        )


def _describe_watch(settings: Settings) -> str:
    acting = sorted(service.id for service in settings.services.values() if service.deploy_command)
    what = f"An approval runs the deploy_command of {', '.join(acting)}" if acting else "Read-only: nothing is deployed"
    return f"Watching {', '.join(sorted(settings.services))}. {what}; issues and questions appear on the page only."


def watch(
    config: Annotated[
        Path, typer.Option(metavar="FILE", help="Configuration that names the services and their clones.")
    ],
    log: Annotated[str, typer.Option(metavar="FILE", help="Log to follow while it grows; - is stdin.")] = "-",
    folder: Annotated[Path, typer.Option(metavar="PATH", help="Stack directory: state and output.")] = Path(
        ".provenfix"
    ),
    port: Annotated[int, typer.Option(metavar="N", help="Port of the page; 0 takes a free one.", min=0, max=65535)] = 0,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")] = True,
) -> int:
    """Watch your own services by their log.

    Example: gcloud logging tail … --format=json | provenfix watch --config FILE
    """
    say = create_status_printer()
    return run_watch(
        WatchOptions(config, log, folder, port, say, lambda address: show_page(address, say, browser=browser))
    )
