"""Whole stories against the simulated Cloud Run: the right end, the right words, one deployment at most."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest
from google.cloud.devtools import cloudbuild_v1 as build_v1

from shared.adapters.google.clients import GoogleClients
from shared.adapters.google.cloud_build_pipeline import CloudBuildPipeline
from shared.adapters.google.cloud_run_deployer import CloudRunDeployer
from shared.adapters.google.cloud_run_revisions import CloudRunRevisions
from shared.adapters.google.pipeline_deployer import PipelineDeployer
from shared.ports import Deployer
from shared.proposal.verdict import ProbeResult
from shared.workflow.context import Context
from shared.workflow.records.cause import EndCause
from shared.workflow.redeploy import redeploy
from shared.workflow.rollout.watching import MAX_DEPLOYMENT_TIME
from tests.support.drivers import approved, incident_document, redeployed, state, tick
from tests.support.google_cloud import IMAGE, LATEST, GoogleCloud, digest, path
from tests.support.harness import OLD_REVISION, Setting, Tap, service
from tests.support.past import commit_id
from tests.support.rpc import google_on_loopback

BROKEN, TARGET = commit_id("attempt"), commit_id("later")


@dataclass
class OnCloudRun(Setting):
    """The same outside, but the platform is asked through its real adapters."""

    run: GoogleCloud = field(default_factory=GoogleCloud)
    clients: GoogleClients | None = None
    triggers: bool = False

    def process(self, tap: Tap = lambda _, port: port) -> Context:
        assert self.clients is not None
        deployer: Deployer = CloudRunDeployer(self.clients)
        if self.triggers:
            deployer = PipelineDeployer(self.clients, CloudBuildPipeline(self.clients), self.clock)
        real = {"revisions": CloudRunRevisions(self.clients), "deployer": deployer}
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
        yield OnCloudRun(services=given, run=run, clients=GoogleClients(channel))


def deploy_by_hand(setting: OnCloudRun) -> None:
    setting.run.deploy_by_hand("tide", f"{IMAGE}@{digest('kim')}", "tide-00009-kim")


def fails_when_probed(setting: OnCloudRun) -> None:
    setting.probe.answer = ProbeResult(ok=False, detail="closed with 1011")


def pinned_by_a_rollback(setting: OnCloudRun) -> None:
    setting.run.split_by_hand("tide", tide_00007_old=100)


def never_ready(setting: OnCloudRun) -> None:
    setting.run.never_ready.add(digest("new"))


def tag_moved(setting: OnCloudRun) -> None:
    setting.run.builds = setting.run.builds[:1]
    setting.run.tags[TARGET] = digest("old")


def never_built(setting: OnCloudRun) -> None:
    setting.run.builds = setting.run.builds[:1]


def label_of_a_commit_that_was_never_built(setting: OnCloudRun) -> None:
    setting.run.deploy_by_hand("tide", f"{IMAGE}@{digest('old')}", OLD_REVISION, {"commit-sha": "e" * 40})


def another_service_of_the_same_image(setting: OnCloudRun) -> None:
    setting.run.deploy_by_hand("ebb", f"{IMAGE}@{digest('old')}", "ebb-1")


def ready_and_then_not(setting: OnCloudRun) -> None:
    name = next(name for name in setting.shares if name.startswith("tide-pf-"))
    setting.run.fail_revision(name, "The instance was killed: out of memory.")


def tagged_and_split(setting: OnCloudRun) -> None:
    setting.run.deploy_by_hand("tide", f"{IMAGE}@{digest('third')}", "tide-00008-kim")
    setting.run.split_by_hand("tide", tide_00007_old=65, tide_00008_kim=35)
    setting.run.services[path("tide")].traffic[1].tag = "canary"


def tagged_latest(setting: OnCloudRun) -> None:
    setting.run.services[path("tide")].traffic[0].tag = "live"


def nothing(_: OnCloudRun) -> None: ...


class Trap(NamedTuple):
    """What lies in wait before the evidence, after the approval and during the rollout, and how the story must end."""

    earlier: Callable[[OnCloudRun], None]
    before: Callable[[OnCloudRun], None]
    during: Callable[[OnCloudRun], None]
    end: str
    why: EndCause | str
    """The name of the end's reason; what is quoted of a refusal, "" where it has not ended."""
    deployments: int
    serves: str


TRAPS = (
    Trap(nothing, nothing, nothing, "watching", "", 1, "new"),
    Trap(pinned_by_a_rollback, nothing, nothing, "watching", "", 1, "new"),
    Trap(nothing, never_ready, nothing, "failed", EndCause.DEPLOYMENT_FAILED, 1, OLD_REVISION),
    Trap(nothing, fails_when_probed, nothing, "failed", EndCause.FAILED_PROBE_BEFORE_TRAFFIC, 1, OLD_REVISION),
    Trap(nothing, tag_moved, nothing, "refused", "image_of_another_commit", 0, OLD_REVISION),
    Trap(nothing, never_built, nothing, "refused", "no_image", 0, OLD_REVISION),
    Trap(nothing, deploy_by_hand, nothing, "refused", "stale", 0, "tide-00009-kim"),
    Trap(nothing, nothing, fails_when_probed, "rolled_back", EndCause.FAILED_PROBE, 1, OLD_REVISION),
    Trap(label_of_a_commit_that_was_never_built, nothing, nothing, "watching", "", 1, "new"),
    Trap(another_service_of_the_same_image, nothing, nothing, "watching", "", 1, "new"),
    Trap(nothing, nothing, ready_and_then_not, "rolled_back", EndCause.FAILED_REVISION, 1, OLD_REVISION),
    Trap(tagged_and_split, nothing, fails_when_probed, "rolled_back", EndCause.FAILED_PROBE, 1, OLD_REVISION),
    Trap(nothing, nothing, deploy_by_hand, "reported", EndCause.SHIFT_REFUSED, 1, OLD_REVISION),
)


SAID: dict[str, str] = {
    EndCause.DEPLOYMENT_FAILED: "The container failed to start on port 8080.",
    EndCause.FAILED_PROBE_BEFORE_TRAFFIC: " 2 probes ",
    EndCause.FAILED_PROBE: "2 probes ",
    EndCause.FAILED_REVISION: "The instance was killed: out of memory.",
    EndCause.SHIFT_REFUSED: "tide-00009-kim",
}
"""What is quoted on the issue for a reason: the platform's own words, a number, a name."""


def cause(setting: OnCloudRun, incident: str) -> str:
    """Why it ended, by name."""
    return str(incident_document(setting, incident)["ending_cause"])


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
    if isinstance(trap.why, EndCause):
        assert cause(setting, incident) == trap.why
    assert (SAID.get(trap.why, trap.why) if isinstance(trap.why, EndCause) else trap.why) in setting.said
    assert setting.run.deployments == trap.deployments
    if trap.earlier is another_service_of_the_same_image:
        assert setting.run.shares("ebb") == {"ebb-1": 100}
    if trap.earlier is tagged_and_split:
        split = [(each.revision, each.percent, each.tag) for each in setting.run.services[path("tide")].traffic]
        assert split == [(OLD_REVISION, 65, ""), ("tide-00008-kim", 35, "canary")]
    most = max(setting.shares, key=lambda name: setting.shares[name])
    assert most.startswith("tide-pf-") if trap.serves == "new" else most == trap.serves


@pytest.mark.parametrize(("earlier", "tag"), [(nothing, ""), (tagged_latest, "live")])
def test_after_a_failure_later_deployments_get_their_traffic_as_before(
    setting: OnCloudRun, earlier: Callable[[OnCloudRun], None], tag: str
) -> None:
    earlier(setting)
    never_ready(setting)
    approved(setting)
    redeployed(setting)
    tick(setting)
    assert [(each.type_, each.percent, each.tag) for each in setting.run.services[path("tide")].traffic] == [
        (LATEST, 100, tag)
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
    assert (state(setting, incident), cause(setting, incident)) == ("reported", EndCause.NOT_PUT_BACK)
    assert OLD_REVISION in setting.said


def test_an_operation_that_takes_too_long_is_given_up_and_gets_no_traffic_when_it_ends_after_all(
    setting: OnCloudRun,
) -> None:
    setting.run.running = True
    incident = approved(setting)
    redeployed(setting)
    tick(setting, MAX_DEPLOYMENT_TIME)
    assert (state(setting, incident), setting.shares) == ("failed", {OLD_REVISION: 100})
    assert cause(setting, incident) == EndCause.DEPLOYMENT_LATE
    assert " 60 minutes" in setting.said
    setting.run.finish()
    tick(setting)
    assert (setting.shares, setting.run.deployments) == ({OLD_REVISION: 100}, 1)


class TestByATrigger:
    """The same, where the owners' own trigger builds and deploys."""

    @pytest.fixture
    def setting(self, setting: OnCloudRun) -> OnCloudRun:
        trigger = "projects/shore/locations/europe-west6/triggers/deploy-tide"
        given = service(traffic_steps=(10, 100), deploy_method="cloud_build", deploy_trigger=trigger)
        setting.services = {"shore.tide": given}
        setting.run.now = setting.clock.now
        setting.run.builds = setting.run.builds[:1]
        setting.triggers = True
        return setting

    def begun(self, setting: OnCloudRun) -> str:
        incident = approved(setting)
        assert redeployed(setting).name == "deploying"
        tick(setting)
        assert (state(setting, incident), len(setting.run.triggered)) == ("deploying", 1)
        return incident

    def built(self, setting: OnCloudRun, commit: str = TARGET) -> None:
        build = setting.run.end_build()
        build.source_provenance = build_v1.SourceProvenance(resolved_repo_source=build_v1.RepoSource(commit_sha=commit))
        labels = {"gcb-build-id": build.id}
        setting.run.deploy_by_hand("tide", f"{IMAGE}@{digest('piped')}", "tide-00008-pip", labels)

    def test_it_is_begun_once_adopted_and_given_its_traffic_in_steps(self, setting: OnCloudRun) -> None:
        incident = self.begun(setting)
        self.built(setting)
        shares = []
        for _ in range(3):
            tick(setting)
            shares.append(setting.shares.get("tide-00008-pip", 0))
        assert shares == [0, 10, 100]
        assert setting.probe.asked[0].startswith("wss://pf-"), "its own address first"
        assert (state(setting, incident), len(setting.run.triggered)) == ("watching", 1)
        assert [each.type_ for each in setting.run.services[path("tide")].traffic] == [LATEST]

    def test_a_trigger_that_moves_the_traffic_is_not_fought(self, setting: OnCloudRun) -> None:
        incident = self.begun(setting)
        self.built(setting)
        setting.run.split_by_hand("tide", tide_00008_pip=100)
        for _ in range(2):
            tick(setting)
        assert setting.probe.asked[0].startswith("wss://pf-"), "it is tried all the same"
        assert (state(setting, incident), setting.shares) == ("watching", {"tide-00008-pip": 100})

    def test_what_it_moved_the_traffic_to_is_taken_back_if_it_fails(self, setting: OnCloudRun) -> None:
        incident = self.begun(setting)
        self.built(setting)
        setting.run.split_by_hand("tide", tide_00008_pip=100)
        fails_when_probed(setting)
        for _ in range(3):
            tick(setting)
        assert (state(setting, incident), setting.shares) == ("failed", {OLD_REVISION: 100})
        assert cause(setting, incident) == EndCause.FAILED_PROBE_BEFORE_TRAFFIC

    def test_a_later_rollout_does_not_look_like_a_failure_of_this_one(self, setting: OnCloudRun) -> None:
        incident = self.begun(setting)
        self.built(setting)
        for _ in range(3):
            tick(setting)
        note = setting.run.services[path("tide")].annotations
        setting.run.services[path("tide")].annotations = {
            "provenfix-rollout": note["provenfix-rollout"].replace(incident, "another")
        }
        tick(setting)
        assert state(setting, incident) == "watching"

    def test_a_build_that_fails_is_told_and_leaves_everything_as_it_was(self, setting: OnCloudRun) -> None:
        incident = self.begun(setting)
        setting.run.end_build("FAILURE")
        tick(setting)
        assert state(setting, incident) == "failed"
        assert "ended with FAILURE" in setting.said
        assert [each.type_ for each in setting.run.services[path("tide")].traffic] == [LATEST]
        assert setting.shares == {OLD_REVISION: 100}

    def test_what_was_built_from_another_commit_gets_no_traffic(self, setting: OnCloudRun) -> None:
        incident = self.begun(setting)
        self.built(setting, commit_id("fixed"))
        tick(setting)
        assert setting.said.index(commit_id("fixed")) < setting.said.rindex(TARGET), "the built one, and the approved"
        assert (state(setting, incident), setting.shares) == ("reported", {OLD_REVISION: 100})
        assert cause(setting, incident) == EndCause.NOT_PUT_BACK

    def test_a_trigger_that_does_not_exist_refuses_and_leaves_no_pin(self, setting: OnCloudRun) -> None:
        given = service(deploy_method="cloud_build", deploy_trigger="projects/shore/locations/global/triggers/gone")
        setting.services = {"shore.tide": given}
        incident = approved(setting)
        assert redeployed(setting).name == "refused:stale"
        tick(setting)
        assert state(setting, incident) == "refused"
        assert "not_found" in setting.said
        assert [each.type_ for each in setting.run.services[path("tide")].traffic] == [LATEST]
