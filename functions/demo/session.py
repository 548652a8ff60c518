"""Starts everything that the demo needs, runs it, and returns whether the scenario ended as it should.

Everything stops however the demo ends.
"""

import json
import random
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack

from functions.demo.environment import create_service, describe_short_waits, write_configuration
from functions.demo.other_setups import AppSetup, EarlySetup, StartupSetup, describe_startup_break
from functions.demo.run import DemoOptions, DemoRun
from functions.demo.scenario import SCENARIOS, Scenario
from functions.demo.setup import DemoSetup, describe_break, load_progress
from functions.demo.ws_client import run_visitors
from functions.local import server_process
from functions.local.narration import describe_milestones
from functions.local.page.slack_clicks import ClickSender
from functions.local.platform.log_journal import matches_sink
from functions.local.server_process import LOOPBACK, find_free_port, is_port_free
from functions.local.stack import RunningStack, StackOptions, run_stack
from functions.local.stack_folder import lock_folder, override_environ
from functions.local.supervisor import Supervisor
from functions.local.topology import SLACK_FUNCTION
from shared.adapters.standins.process_platform import ProcessPlatform
from shared.adapters.system import SystemClock
from shared.config.settings import read_settings
from shared.errors import InputError
from shared.local_sources import open_service_logs
from shared.secret import Secret
from shared.service import Service
from shared.state_stores import create_store
from shared.workflow import flow
from shared.workflow.flow import IncidentState
from shared.workflow.records.incident_record import IncidentRecord

_SEED = 20_260_512


def generate_storm(entries: Sequence[Mapping[str, object]], count: int) -> Iterator[Mapping[str, object]]:
    """`count` entries in any order, the same ones for the same entries."""
    chance = random.Random(_SEED)  # noqa: S311  # a shuffle that can be repeated
    for number in range(count):
        entry = chance.choice(entries)
        yield {**entry, "insertId": f"storm{number:08x}"} if number % 3 else entry


_STORM_SAMPLE = 200
"""Entries of which a storm is made."""


def run_demo(options: DemoOptions) -> bool:
    """Returns whether the incident reached the final state of the scenario. Raises InputError, UsageError."""
    page = options.page_port or find_free_port()
    if not is_port_free(page):
        raise InputError(
            f"Port {page} of the page is in use: stop the program that listens there, or give another --port"
        )
    with ExitStack() as ending:
        ending.enter_context(lock_folder(options.folder))
        performance = _start_demo(options, page, ending)
        options.show_page(performance.page_url)
        ended = _report_ending(options, performance.setup.scenario, performance.run_until_closed())
        if not options.auto_approve:
            options.print_status(f"The page stays open at {performance.page_url} until you press Ctrl-C.")
            performance.run_until_interrupted()
        return ended


def _start_demo(options: DemoOptions, page: int, ending: ExitStack) -> DemoRun:
    """Lets the service fail, then starts functions, page and visitors."""
    secret, port = Secret(secrets.token_hex(16)), find_free_port()
    service = create_service(options.folder, port, trial=SCENARIOS[options.scenario].fails_at_runtime)
    environment = write_configuration(options.folder, service, port, secret)
    staging = _create_setup(options, service, port)
    ending.enter_context(override_environ(environment))
    tended = Supervisor(options.folder, ending)
    tended.start_servers([server_process.build_platform_server(options.folder, port, environment)])
    opened = create_store(read_settings())
    staging.run_remaining(ProcessPlatform(opened, SystemClock()))
    options.print_status(describe_short_waits())
    stack_options = StackOptions(
        options.folder,
        embedded=True,
        environment=environment,
        extra_servers=lambda ports: [
            server_process.build_page_server(options.folder, page, ports[SLACK_FUNCTION], environment)
        ],
    )
    stack = ending.enter_context(run_stack(stack_options))
    stack.supervisor.running |= tended.running
    visitors = ending.enter_context(run_visitors(port, is_waiting=staging.scenario.is_unvisited))
    _start_storm(options, service, staging.scenario, stack)
    clicker = ClickSender(f"http://{LOOPBACK}:{stack.ports[SLACK_FUNCTION]}/", lambda: secret)
    return DemoRun(options, service, stack, staging, opened, clicker, visitors, f"http://{LOOPBACK}:{page}/")


def _create_setup(options: DemoOptions, service: Service, port: int) -> DemoSetup | AppSetup:
    plot, notes = (
        SCENARIOS[options.scenario],
        load_progress(options.folder, options.scenario, read_settings().interpreters),
    )
    options.print_status(f"Scenario “{options.scenario}”. {plot.description}")
    if plot.app is not None:
        return AppSetup(options.folder, service, port, plot, plot.app, options.print_status, notes)
    story = plot.startup_story
    options.print_status(describe_startup_break(story, notes) if story else describe_break(notes))
    made = StartupSetup if story else EarlySetup if plot.is_unvisited else DemoSetup
    return made(options.folder, service, port, plot, options.print_status, notes)


def _report_ending(options: DemoOptions, scenario: Scenario, record: IncidentRecord) -> bool:
    options.print_status("Milestones: " + ", ".join(describe_milestones(record)) + ".")
    by_person = record.state in {IncidentState.DENIED, IncidentState.EXPIRED, IncidentState.MUTED}
    if record.state is not scenario.final_state and not by_person:
        options.print_status(
            f"The incident ended as {record.state.value} instead of {scenario.final_state.value}: {record.ending_why}"
        )
    return record.state is scenario.final_state or by_person


def _start_storm(options: DemoOptions, service: Service, scenario: Scenario, stack: RunningStack) -> None:
    """Writes all entries into the log at once, and publishes them."""
    if not scenario.storm_entries:
        return
    logs = open_service_logs(read_settings())
    entries = list(
        generate_storm(
            [entry for entry in logs.latest_raw(service, _STORM_SAMPLE) if matches_sink(entry)], scenario.storm_entries
        )
    )
    logs.write(entries)
    stack.bus.publish_raw(flow.LOG_ENTRIES, [json.dumps(entry).encode() for entry in entries])
    logs.close()
    options.print_status(f"{len(entries):,} entries of this failure were logged at once.")
