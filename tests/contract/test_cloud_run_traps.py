"""Whole stories against the simulated Cloud Run: the right end, the right words, one deployment at most."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest

from shared.adapters.google.clients import Clients
from shared.adapters.google.cloud_run_deployer import CloudRunDeployer
from shared.adapters.google.cloud_run_revisions import CloudRunRevisions
from shared.domain.verdict import Probed
from shared.steps.redeploy import redeploy
from shared.steps.world import World
from tests.fakes.google_cloud import IMAGE, LATEST, GoogleCloud, digest, path
from tests.fakes.past import commit_id
from tests.fakes.rpc import google_on_loopback
from tests.fakes.setting import OLD_REVISION, Setting, Tap, service
from tests.unit.stages import approved, redeployed, state, tick

BROKEN, TARGET = commit_id("attempt"), commit_id("later")


@dataclass
class OnCloudRun(Setting):
    """The same outside, but the platform is asked through its real adapters."""

    run: GoogleCloud = field(default_factory=GoogleCloud)
    clients: Clients | None = None

    def process(self, tap: Tap = lambda _, port: port) -> World:
        assert self.clients is not None
        real = {"revisions": CloudRunRevisions(self.clients), "deployer": CloudRunDeployer(self.clients)}
        return super().process(lambda name, port: tap(name, real.get(name, port)))

    @property
    def shares(self) -> dict[str, int]:
        return self.run.shares("tide")

    @property
    def said(self) -> str:
        """All comments on the issue."""
        return "\n".join(self.issues.all[0].comments).replace("\\", "")


@pytest.fixture
def setting() -> Iterator[OnCloudRun]:
    run = GoogleCloud()
    run.built(BROKEN, "old")
    run.built(TARGET, "new")
    run.deploy_by_hand("tide", f"{IMAGE}@{digest('old')}", OLD_REVISION)
    with google_on_loopback(run.answers) as channel:
        given = {"shore.tide": service(traffic_steps=(10, 100))}
        yield OnCloudRun(services=given, run=run, clients=Clients(channel))


def deploy_by_hand(setting: OnCloudRun) -> None:
    setting.run.deploy_by_hand("tide", f"{IMAGE}@{digest('kim')}", "tide-00009-kim")


def fails_when_probed(setting: OnCloudRun) -> None:
    setting.probe.answer = Probed(ok=False, detail="closed with 1011")


def pinned_by_a_rollback(setting: OnCloudRun) -> None:
    setting.run.split_by_hand("tide", tide_00007_old=100)


def never_ready(setting: OnCloudRun) -> None:
    setting.run.never_ready.add(digest("new"))


def tag_moved(setting: OnCloudRun) -> None:
    setting.run.builds = setting.run.builds[:1]
    setting.run.tags[TARGET] = digest("old")


def never_built(setting: OnCloudRun) -> None:
    setting.run.builds = setting.run.builds[:1]


def nothing(_: OnCloudRun) -> None: ...


class Trap(NamedTuple):
    """What lies in wait before the evidence, after the approval and during the rollout, and how the story must end."""

    earlier: Callable[[OnCloudRun], None]
    before: Callable[[OnCloudRun], None]
    during: Callable[[OnCloudRun], None]
    end: str
    words: str
    deployments: int
    serves: str


TRAPS = (
    Trap(nothing, nothing, nothing, "watching", "", 1, "new"),
    Trap(pinned_by_a_rollback, nothing, nothing, "watching", "", 1, "new"),
    Trap(nothing, never_ready, nothing, "failed", "The container failed to start on port 8080.", 1, OLD_REVISION),
    Trap(
        nothing, fails_when_probed, nothing, "failed", "at its own address, before it had any traffic", 1, OLD_REVISION
    ),
    Trap(nothing, tag_moved, nothing, "refused", "image_of_another_commit", 0, OLD_REVISION),
    Trap(nothing, never_built, nothing, "refused", "no_image", 0, OLD_REVISION),
    Trap(nothing, deploy_by_hand, nothing, "refused", "stale", 0, "tide-00009-kim"),
    Trap(nothing, nothing, fails_when_probed, "rolled_back", "the traffic is split as it was before", 1, OLD_REVISION),
    Trap(nothing, nothing, deploy_by_hand, "reported", "tide-00009-kim was deployed since", 1, OLD_REVISION),
)


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: "-".join(each.__name__ for each in trap[:3]))
def test_every_trap_has_its_end_and_its_words(setting: OnCloudRun, trap: Trap) -> None:
    trap.earlier(setting)
    incident = approved(setting)
    trap.before(setting)
    redeployed(setting)
    tick(setting)
    trap.during(setting)
    for _ in range(3):
        tick(setting)
    assert state(setting, incident) == trap.end
    assert trap.words in setting.said
    assert setting.run.deployments == trap.deployments
    most = max(setting.shares, key=lambda name: setting.shares[name])
    assert most.startswith("tide-pf-") if trap.serves == "new" else most == trap.serves


def test_after_a_failure_later_deployments_get_their_traffic_as_before(setting: OnCloudRun) -> None:
    never_ready(setting)
    approved(setting)
    redeployed(setting)
    tick(setting)
    assert [(each.type_, each.percent, each.tag) for each in setting.run.services[path("tide")].traffic] == [
        (LATEST, 100, "")
    ]


def test_an_operation_that_outlives_the_function_goes_on_and_is_begun_once(setting: OnCloudRun) -> None:
    setting.run.running = True
    incident = approved(setting)
    redeployed(setting)
    for _ in range(3):
        assert redeploy(setting.process(), f"{incident}-1").name == "deploying"
        tick(setting)
    assert (state(setting, incident), setting.run.deployments) == ("deploying", 1)
    setting.run.finish()
    for _ in range(3):
        tick(setting)
    assert (state(setting, incident), setting.run.deployments) == ("watching", 1)


def test_a_revision_that_was_deleted_cannot_be_put_back_and_that_is_said(setting: OnCloudRun) -> None:
    incident = approved(setting)
    redeployed(setting)
    tick(setting)
    tick(setting)
    assert state(setting, incident) == "watching"
    del setting.run.revisions[f"{path('tide')}/revisions/{OLD_REVISION}"]
    fails_when_probed(setting)
    for _ in range(3):
        tick(setting)
    assert state(setting, incident) == "reported"
    assert "Nothing was put back" in setting.said
