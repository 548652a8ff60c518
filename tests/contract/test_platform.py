"""One contract for whatever runs revisions: the fake, the stand-in of one machine, and Cloud Run's adapters."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shared.adapters.google.clients import GoogleClients
from shared.adapters.google.cloud_run_deployer import CloudRunDeployer
from shared.adapters.google.cloud_run_revisions import CloudRunRevisions
from shared.adapters.google.pipeline_deployer import CloudBuildPipeline, PipelineDeployer
from shared.adapters.standins.simulated_platform import SimulatedPlatform
from shared.errors import Reject
from shared.ports import Deployer, Revisions
from shared.proposal.rollout import DeploymentProgress
from shared.service import Service
from tests.support.clock import FakeClock
from tests.support.cloud_run import FakeCloudRun
from tests.support.google_cloud import IMAGE, GoogleCloud, digest_of
from tests.support.google_rpc import serve_google
from tests.support.local_platform import TIMEOUT_SECONDS, run_local_platform
from tests.support.memory import ClaimGuard, MemoryStore

TRIGGER = "projects/shore/locations/europe-west6/triggers/deploy-tide"
TIDE = Service("tide", "shore", "europe-west6", "harbour/tide", "C1", deploy_trigger=TRIGGER)
FIX, NEXT = "f" * 40, "e" * 40


@dataclass
class Platform:
    revisions: Revisions
    deployer: Deployer
    fix: str = FIX
    next: str = NEXT


class _Triggering(GoogleCloud):
    """Its trigger builds and deploys at once, as Cloud Run's own command does: the split stays."""

    def _run_trigger(self, request: Any) -> Any:
        begun = super()._run_trigger(request)
        number = len(self.triggered_builds)
        build = self.finish_build(image=f"piped-{number}")
        labels = {"gcb-build-id": build.id}
        self.deploy_manually("tide", f"{IMAGE}@{digest_of(f'piped-{number}')}", f"tide-{number}-pip", labels)
        return begun


@pytest.fixture(params=["fake", "one machine", "served", "cloud run", "a trigger"])
def platform(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Platform]:
    clock = FakeClock()
    if request.param == "fake":
        fake = FakeCloudRun(clock, deployment_time=clock.now() - clock.now(), require_claim=ClaimGuard(strict=False))
        fake.deploy_manually(TIDE, "tide-1", "a" * 40)
        yield Platform(fake, fake)
    elif request.param == "one machine":
        kept = SimulatedPlatform(MemoryStore(), clock)
        yield Platform(kept, kept)
    elif request.param == "served":
        with run_local_platform(tmp_path) as running:
            running.deploy_manually("tide-1", "old")
            yield Platform(running.ports, running.ports, running.commits["fix"], running.commits["next"])
    elif request.param == "a trigger":
        cloud: GoogleCloud = _Triggering(now=clock.now)
        cloud.deploy_manually("tide", f"{IMAGE}@{digest_of('old')}", "tide-1", {"commit-sha": "a" * 40})
        with serve_google(cloud.answers) as channel:
            clients = GoogleClients(channel)
            deployer = PipelineDeployer(clients, CloudBuildPipeline(clients), clock)
            yield Platform(CloudRunRevisions(clients), deployer)
    else:
        cloud = GoogleCloud()
        cloud.add_build(FIX, "fix")
        cloud.add_build(NEXT, "next")
        cloud.deploy_manually("tide", f"{IMAGE}@{digest_of('old')}", "tide-1", {"commit-sha": "a" * 40})
        with serve_google(cloud.answers) as channel:
            clients = GoogleClients(channel)
            yield Platform(CloudRunRevisions(clients), CloudRunDeployer(clients))


def deployed(platform: Platform, marker: str = "p-1", commit: str = "") -> str:
    etag = platform.revisions.get_service_state(TIDE).etag
    operation = platform.deployer.start(TIDE, marker, commit or platform.fix, etag)
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while (done := platform.deployer.state(TIDE, operation)).progress is DeploymentProgress.RUNNING:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert done.progress is DeploymentProgress.DONE
    if done.needs_address:
        platform.deployer.shift_traffic(TIDE, done.revision, 0)
    return done.revision


def test_one_revision_serves_at_first(platform: Platform) -> None:
    serving = platform.revisions.get_service_state(TIDE)
    assert serving.traffic == {serving.revision.name: 100}
    assert serving.etag


def test_a_deployment_takes_no_traffic_and_runs_its_commit(platform: Platform) -> None:
    before = platform.revisions.get_service_state(TIDE)
    name = deployed(platform)
    after = platform.revisions.get_service_state(TIDE)
    assert (after.revision.name, after.traffic) == (before.revision.name, before.traffic)
    made = platform.revisions.get_revision(TIDE, name)
    assert made is not None
    assert made.commit == platform.fix


def test_what_was_deployed_from_here_is_seen_to_serve(platform: Platform) -> None:
    name = deployed(platform)
    platform.deployer.shift_traffic(TIDE, name, 100)
    serving = platform.revisions.get_service_state(TIDE)
    assert (serving.revision.name, serving.is_observed) == (name, True)


def test_every_deployment_changes_the_etag_and_an_older_one_is_stale(platform: Platform) -> None:
    etag = platform.revisions.get_service_state(TIDE).etag
    deployed(platform)
    assert platform.revisions.get_service_state(TIDE).etag != etag
    with pytest.raises(Reject, match="stale"):
        platform.deployer.start(TIDE, "p-2", platform.next, etag)


def test_a_deployment_is_found_by_its_marker(platform: Platform) -> None:
    assert platform.deployer.find(TIDE, "p-1") is None
    name = deployed(platform)
    found = platform.deployer.find(TIDE, "p-1")
    assert found is not None
    assert platform.deployer.state(TIDE, found).revision == name
    assert platform.deployer.find(TIDE, "p-2") is None


def test_traffic_moves_in_steps_and_back(platform: Platform) -> None:
    before = platform.revisions.get_service_state(TIDE).revision.name
    name = deployed(platform)
    for percent in (10, 50):
        platform.deployer.shift_traffic(TIDE, name, percent)
        assert platform.revisions.get_service_state(TIDE).traffic == {name: percent, before: 100 - percent}
    platform.deployer.shift_traffic(TIDE, name, 100)
    assert platform.revisions.get_service_state(TIDE).revision.commit == platform.fix
    platform.deployer.shift_traffic(TIDE, before, 100)
    assert platform.revisions.get_service_state(TIDE).traffic == {before: 100}


def test_shifting_twice_is_the_same_as_once(platform: Platform) -> None:
    name = deployed(platform)
    for _ in range(2):
        platform.deployer.shift_traffic(TIDE, name, 10)
    assert platform.revisions.get_service_state(TIDE).traffic[name] == 10


def test_one_rollout_comes_after_another(platform: Platform) -> None:
    platform.deployer.shift_traffic(TIDE, first := deployed(platform), 100)
    platform.deployer.shift_traffic(TIDE, second := deployed(platform, "p-2", platform.next), 50)
    assert platform.revisions.get_service_state(TIDE).traffic == {first: 50, second: 50}
    assert platform.deployer.find(TIDE, "p-1") is not None
