"""Ports are made when they are first read, once, and from the adapters that the settings ask for."""

import subprocess
import sys
from pathlib import Path
from threading import Barrier, Event, Thread

import pytest

from shared.adapters.probe import NetworkProbe
from shared.adapters.sqlite.sqlite_logs import SqliteLogs
from shared.adapters.standins.process_platform import ProcessPlatform
from shared.adapters.standins.simulated_platform import FolderLogs, NoProbe, SimulatedPlatform
from shared.adapters.standins.watched_platform import WatchedPlatform
from shared.config.secret_references import Secrets
from shared.config.settings import Platform, Settings
from shared.lazy import lazy_property
from shared.secret import SecretReference, SecretSource
from shared.wiring import CloudPorts, LocalPorts

READ_PORT = """
import sys
from shared.config.settings import CodeHost, Secrets, Settings
from shared.lazy_modules import is_waiting
from shared.secret import SecretReference, SecretSource
from shared.wiring import build_context
token = SecretReference(SecretSource.ENVIRONMENT, "TOKEN")
ports = build_context(Settings(project="shore", secrets=Secrets(slack_bot_token=token, github_token=token)))
if sys.argv[1]:
    getattr(ports, sys.argv[1])
adapters = [(name, module) for name, module in sys.modules.items() if name.startswith("shared.adapters.")]
print(*sorted(name for name, module in adapters if not is_waiting(module) and not hasattr(module, "__path__")))
"""
EVERY_CONTEXT = {"shared.adapters.system"}


def adapters_that_ran(port: str) -> set[str]:
    """By making a context of the cloud and reading one port of it; "" reads none."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", READ_PORT, port]
    return set(subprocess.run(command, capture_output=True, text=True, check=True, cwd=root).stdout.split())


def test_a_context_runs_no_adapter() -> None:
    assert adapters_that_ran("") == EVERY_CONTEXT


@pytest.mark.parametrize(
    ("port", "needed", "unneeded"),
    [
        ("store", "google.firestore_store", ("github", "slack", "sqlite", "standins", "compilers")),
        ("chat", "slack.chat", ("github", "google", "sqlite", "standins", "slack.web_api", "slack.message_layout")),
        ("issues", "github.issues", ("google", "slack", "sqlite", "standins")),
        ("logs", "google.cloud_logging", ("github", "slack", "sqlite", "standins")),
        ("probe", "probe", ("github", "google", "slack", "sqlite", "standins")),
    ],
)
def test_reading_a_port_runs_its_own_adapter_alone(port: str, needed: str, unneeded: tuple[str, ...]) -> None:
    ran = adapters_that_ran(port)
    assert f"shared.adapters.{needed}" in ran
    assert [name for name in ran if name.removeprefix("shared.adapters.").startswith(unneeded)] == []


def test_a_port_stays_the_same_for_the_life_of_its_context() -> None:
    token = SecretReference(SecretSource.ENVIRONMENT, "TOKEN")
    cloud = CloudPorts(Settings(project="shore", secrets=Secrets(slack_bot_token=token, github_token=token)))
    names = ("store", "bus", "logs", "revisions", "deployer", "probe", "chat", "issues", "checks", "link_builder")
    assert [name for name in names if getattr(cloud, name) is not getattr(cloud, name)] == []


@pytest.mark.parametrize(
    ("platform", "of_platform", "of_probe", "of_logs"),
    [
        (Platform.SIMULATED, SimulatedPlatform, NoProbe, FolderLogs),
        (Platform.PROCESSES, ProcessPlatform, NetworkProbe, SqliteLogs),
        (Platform.WATCHED, WatchedPlatform, NetworkProbe, SqliteLogs),
    ],
)
def test_one_machine_has_the_stand_ins_of_its_platform(
    platform: Platform, of_platform: type, of_probe: type, of_logs: type, tmp_path: Path
) -> None:
    local = LocalPorts(Settings(local_folder=tmp_path, sqlite_folder=tmp_path, platform=platform), tmp_path)
    assert id(local.revisions) == id(local.deployer)
    assert (type(local.revisions), type(local.probe), type(local.logs)) == (of_platform, of_probe, of_logs)


def test_threads_that_read_at_once_get_the_same_value() -> None:
    barrier = Barrier(8)
    computed: list[object] = []
    read: list[object] = []

    class Example:
        @lazy_property
        def value(self) -> object:
            Event().wait(0.02)
            computed.append(object())
            return computed[-1]

    example = Example()

    def read_value() -> None:
        barrier.wait()
        read.append(example.value)

    threads = [Thread(target=read_value) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(computed) == 1
    assert read == computed * 8
