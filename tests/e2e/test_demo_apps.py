"""The services of the demo that no deployment fixes: each is really served, visited and closed, and its log read."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from functions.demo.environment import create_service, write_configuration
from functions.demo.other_setups import AppSetup
from functions.demo.scenario import SCENARIOS, ScenarioName
from functions.demo.setup import load_progress
from functions.local import server_process
from functions.local.server_process import find_free_port
from functions.local.stack_folder import override_environ
from functions.local.supervisor import Supervisor
from shared.adapters.standins.process_platform import ProcessPlatform
from shared.adapters.system import SystemClock
from shared.config.settings import read_settings
from shared.detection.close_code import CloseKind
from shared.detection.collect import collect_incidents
from shared.detection.incident import Incident
from shared.detection.signal import SignalKind
from shared.local_sources import open_log_file, open_service_logs
from shared.secret import Secret
from shared.service import Service
from shared.state_stores import create_store

SECONDS = 60.0


@contextmanager
def served(folder: Path, name: ScenarioName) -> Iterator[tuple[list[Incident], list[str]]]:
    """What the log of a scenario's service shows once a visitor was there, and what the demo has said."""
    said: list[str] = []
    port = find_free_port()
    service = create_service(folder, port)
    scenario = SCENARIOS[name]
    assert scenario.app is not None
    with ExitStack() as ending:
        environment = write_configuration(folder, service, port, Secret("x"))
        ending.enter_context(override_environ(environment))
        supervisor = Supervisor(folder, ending)
        supervisor.start_servers([server_process.build_platform_server(folder, port, environment)])
        progress = load_progress(folder, name, read_settings().interpreters)
        setup = AppSetup(folder, service, port, scenario, scenario.app, said.append, progress)
        setup.run_remaining(ProcessPlatform(create_store(read_settings()), SystemClock()))
        yield wait_for_incidents(service, folder / "log.json"), said


def wait_for_incidents(service: Service, log: Path) -> list[Incident]:
    """As soon as the service has logged the close."""
    deadline = time.monotonic() + SECONDS
    with closing(open_service_logs(read_settings())) as logs:
        while True:
            log.write_text(json.dumps(logs.latest_raw(service, 200)), "utf-8")
            incidents = list(collect_incidents(open_log_file(str(log)), service="", environment="").incidents)
            if incidents:
                return incidents
            assert time.monotonic() < deadline, log.read_text("utf-8")
            time.sleep(0.1)


def test_a_client_that_answers_no_ping_is_closed_and_the_log_says_why(tmp_path: Path) -> None:
    with served(tmp_path, ScenarioName.KEEPALIVE) as (incidents, said):
        assert "keepalive ping timeout" in " ".join(said)
        assert {incident.kind for incident in incidents} == {SignalKind.KEEPALIVE_TIMEOUT}


def test_the_other_end_of_its_own_socket_closes_and_the_log_names_it(tmp_path: Path) -> None:
    with served(tmp_path, ScenarioName.UPSTREAM) as (incidents, _):
        [upstream] = [incident for incident in incidents if incident.close_kind is CloseKind.REMOTE_END]
        assert "agents.harbour.example" in " ".join(sighting.first.text for sighting in upstream.sightings)


def test_one_that_was_interrupted_goes_on_where_it_was(tmp_path: Path) -> None:
    with served(tmp_path, ScenarioName.KEEPALIVE):
        pass
    with served(tmp_path, ScenarioName.KEEPALIVE) as (incidents, said):
        assert (said, len(incidents)) == ([], 1)
