"""A platform that is only seen by its log: what serves, what a command deployed, and that nothing else is changed."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from shared.adapters.sqlite.sqlite_logs import SqliteLogs
from shared.adapters.standins.watched_platform import COMMAND_TIMEOUT, WatchedPlatform
from shared.errors import Reject
from shared.ports import CHANGED_BY_HAND
from shared.proposal.rollout import DeploymentProgress
from shared.service import Service
from tests.support.clock import FakeClock
from tests.support.memory import MemoryStore

TIDE = Service("tide", "shore", "europe-west6", "harbour/tide", "C1")
FIX = "f" * 40
WRITES = "import pathlib, sys; pathlib.Path(sys.argv[1]).open('a').write(sys.argv[2] + chr(10))"


class Watched:
    def __init__(self, folder: Path) -> None:
        self.clock, self.store, self.logs = FakeClock(), MemoryStore(), SqliteLogs(folder / "logs.sqlite")
        self.platform = WatchedPlatform(self.store, self.logs, self.clock)
        self.ran = folder / "ran"
        self.service = replace(TIDE, deploy_command=(sys.executable, "-c", WRITES, str(self.ran), "{service} {commit}"))

    def logged(self, revision: str, at: datetime | None = None) -> None:
        labels = {"project_id": "shore", "service_name": "tide", "revision_name": revision}
        moment = (at or self.clock.now()).isoformat()
        name = "projects/shore/logs/run.googleapis.com%2Fstdout"
        entry = {"insertId": f"{revision} {moment}", "logName": name, "timestamp": moment, "textPayload": "ebb"}
        self.logs.write([{**entry, "resource": {"type": "cloud_run_revision", "labels": labels}}])

    def started(self, marker: str = "p-1") -> str:
        return self.platform.start(self.service, marker, FIX, self.platform.get_service_state(self.service).etag)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Watched]:
    watched = Watched(tmp_path)
    watched.logged("tide-00001-old")
    watched.clock.advance(timedelta(minutes=1))
    yield watched
    watched.logs.close()


def test_the_revision_that_logged_last_serves(here: Watched) -> None:
    here.logged("tide-00002-new")
    serving = here.platform.get_service_state(TIDE)
    assert (serving.revision.name, serving.revision.commit, serving.traffic) == (
        "tide-00002-new",
        None,
        {"tide-00002-new": 100},
    )
    assert serving.revision.created_at == here.clock.now()
    assert here.platform.get_revision(TIDE, "tide-00003-none") is None


def test_without_a_command_nothing_is_deployed(here: Watched) -> None:
    with pytest.raises(Reject, match="read_only"):
        here.platform.start(TIDE, "p-1", FIX, here.platform.get_service_state(TIDE).etag)
    assert here.platform.find(TIDE, "p-1") is None


def test_command_runs_once_per_marker_until_a_new_revision_logs(here: Watched) -> None:
    operation = here.started()
    assert here.started() == operation == here.platform.find(here.service, "p-1")
    assert here.ran.read_text("utf-8") == f"tide {FIX}\n"
    assert here.platform.state(here.service, operation).progress is DeploymentProgress.RUNNING
    here.clock.advance(timedelta(seconds=30))
    here.logged("tide-00002-new")
    done = here.platform.state(here.service, operation)
    assert (done.progress, done.revision) == (DeploymentProgress.DONE, "tide-00002-new")
    assert here.platform.get_service_state(here.service).revision.commit == FIX
    old = here.platform.get_revision(here.service, "tide-00001-old")
    assert old is not None
    assert old.commit is None


def test_a_revision_that_never_logs_is_a_failure_in_the_end(here: Watched) -> None:
    operation = here.started()
    here.clock.advance(timedelta(minutes=11))
    failed = here.platform.state(here.service, operation)
    assert failed.progress is DeploymentProgress.FAILED
    assert " 10 minutes" in failed.detail


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ((sys.executable, "-c", "print('no such tide'); raise SystemExit(7)"), "ended with 7: no such tide."),
        (("./nowhere",), "./nowhere could not be started: No such file or directory."),
    ],
)
def test_a_command_that_fails_is_told_with_its_last_words(here: Watched, command: tuple[str, ...], told: str) -> None:
    here.service = replace(TIDE, deploy_command=command)
    failed = here.platform.state(here.service, here.started())
    assert failed.progress is DeploymentProgress.FAILED
    assert failed.detail.endswith(told)
    here.logged("tide-00002-new")
    assert here.platform.get_service_state(here.service).revision.commit is None


def test_a_command_that_was_interrupted_is_not_run_again(here: Watched) -> None:
    value = {
        "service": TIDE.id,
        "commit": FIX,
        "at": here.clock.now().isoformat(),
        "ended": "",
        "failed": "",
        "before": [],
    }
    here.store.create("local-deployments", f"{TIDE.id}.p-1", value)
    assert here.platform.find(here.service, "p-1") == here.started()
    assert not here.ran.exists()
    assert here.platform.state(here.service, "p-1").progress is DeploymentProgress.RUNNING
    here.clock.advance(COMMAND_TIMEOUT + timedelta(minutes=2))
    failed = here.platform.state(here.service, "p-1")
    assert failed.progress is DeploymentProgress.FAILED
    assert "interrupted" in failed.detail


def test_against_an_older_state_it_is_refused_and_traffic_is_never_moved(here: Watched) -> None:
    etag = here.platform.get_service_state(TIDE).etag
    here.clock.advance(timedelta(seconds=1))
    here.logged("tide-00002-new")
    with pytest.raises(Reject, match="stale"):
        here.platform.start(here.service, "p-1", FIX, etag)
    here.platform.shift_traffic(here.service, "tide-00002-new", 100)
    with pytest.raises(Reject) as refused:
        here.platform.shift_traffic(here.service, "tide-00001-old", 100)
    assert refused.value.reason == CHANGED_BY_HAND
