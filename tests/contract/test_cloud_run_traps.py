"""Whole stories against the simulated Cloud Run: the right end, the right words, one deployment at most."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest
from google.cloud.devtools import cloudbuild_v1 as build_v1

from shared.adapters.google.clients import GoogleClients
from shared.adapters.google.cloud_run_deployer import CloudRunDeployer
from shared.adapters.google.cloud_run_revisions import CloudRunRevisions
from shared.adapters.google.pipeline_deployer import CloudBuildPipeline, PipelineDeployer
from shared.ports import Deployer
from shared.proposal.rollout import ProbeResult
from shared.workflow.records.incident_record import EndCause
from shared.workflow.redeploy import redeploy
from shared.workflow.rollout.new_revision import MAX_DEPLOYMENT_TIME
from tests.support.commit_graph import commit_id
from tests.support.drivers import approve_proposal, read_incident, read_state, redeploy_approved, run_tick
from tests.support.google_cloud import IMAGE, LATEST, GoogleCloud, digest_of, service_path
from tests.support.google_rpc import serve_google
from tests.support.harness import OLD_REVISION, FixedContext, Harness, Tap, watched_service

BROKEN, TARGET = commit_id("attempt"), commit_id("later")


@dataclass
class OnCloudRun(Harness):
    """The same outside, but the platform is asked through its real adapters."""

    run: GoogleCloud = field(default_factory=GoogleCloud)
    clients: GoogleClients | None = None
    triggers: bool = False

    def start_process(self, tap: Tap = lambda _, port: port) -> FixedContext:
        assert self.clients is not None
        deployer: Deployer = CloudRunDeployer(self.clients)
        if self.triggers:
            deployer = PipelineDeployer(self.clients, CloudBuildPipeline(self.clients), self.clock)
        real = {"revisions": CloudRunRevisions(self.clients), "deployer": deployer}
        return super().start_process(lambda name, port: tap(name, real.get(name, port)))

    @property
    def shares(self) -> dict[str, int]:
        return self.run.shares("tide")

    @property
    def said(self) -> str:
        """All comments on the issue."""
        return "\n".join(self.issues.issues[0].comments).replace("\\", "")


@pytest.fixture
def harness() -> Iterator[OnCloudRun]:
    run = GoogleCloud()
    run.add_build(BROKEN, "old")
    run.add_build(TARGET, "new")
    run.deploy_manually("tide", f"{IMAGE}@{digest_of('old')}", OLD_REVISION)
    with serve_google(run.answers) as channel:
        given = {"shore.tide": watched_service(traffic_steps=(10, 100))}
        yield OnCloudRun(services=given, run=run, clients=GoogleClients(channel))


def deploy_by_hand(harness: OnCloudRun) -> None:
    harness.run.deploy_manually("tide", f"{IMAGE}@{digest_of('kim')}", "tide-00009-kim")


def fails_when_probed(harness: OnCloudRun) -> None:
    harness.probe.result = ProbeResult(ok=False, detail="closed with 1011")


def pinned_by_a_rollback(harness: OnCloudRun) -> None:
    harness.run.split_traffic_manually("tide", tide_00007_old=100)


def never_ready(harness: OnCloudRun) -> None:
    harness.run.never_ready.add(digest_of("new"))


def tag_moved(harness: OnCloudRun) -> None:
    harness.run.builds = harness.run.builds[:1]
    harness.run.tags[TARGET] = digest_of("old")


def never_built(harness: OnCloudRun) -> None:
    harness.run.builds = harness.run.builds[:1]


def label_of_a_commit_that_was_never_built(harness: OnCloudRun) -> None:
    harness.run.deploy_manually("tide", f"{IMAGE}@{digest_of('old')}", OLD_REVISION, {"commit-sha": "e" * 40})


def another_service_of_the_same_image(harness: OnCloudRun) -> None:
    harness.run.deploy_manually("ebb", f"{IMAGE}@{digest_of('old')}", "ebb-1")


def ready_and_then_not(harness: OnCloudRun) -> None:
    name = next(name for name in harness.shares if name.startswith("tide-pf-"))
    harness.run.fail_revision(name, "The instance was killed: out of memory.")


def tagged_and_split(harness: OnCloudRun) -> None:
    harness.run.deploy_manually("tide", f"{IMAGE}@{digest_of('third')}", "tide-00008-kim")
    harness.run.split_traffic_manually("tide", tide_00007_old=65, tide_00008_kim=35)
    harness.run.services[service_path("tide")].traffic[1].tag = "canary"


def tagged_latest(harness: OnCloudRun) -> None:
    harness.run.services[service_path("tide")].traffic[0].tag = "live"


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


def cause(harness: OnCloudRun, incident: str) -> str:
    """Why it ended, by name."""
    return str(read_incident(harness, incident)["ending_cause"])


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: "-".join(each.__name__ for each in trap[:3]))
def test_every_trap_has_its_end_and_its_words(harness: OnCloudRun, trap: Trap) -> None:
    trap.earlier(harness)
    incident = approve_proposal(harness)
    trap.before(harness)
    redeploy_approved(harness)
    run_tick(harness)
    trap.during(harness)
    for _ in range(3):
        run_tick(harness)
    assert read_state(harness, incident) == trap.end
    if isinstance(trap.why, EndCause):
        assert cause(harness, incident) == trap.why
    assert (SAID.get(trap.why, trap.why) if isinstance(trap.why, EndCause) else trap.why) in harness.said
    assert harness.run.deployments == trap.deployments
    if trap.earlier is another_service_of_the_same_image:
        assert harness.run.shares("ebb") == {"ebb-1": 100}
    if trap.earlier is tagged_and_split:
        split = [(each.revision, each.percent, each.tag) for each in harness.run.services[service_path("tide")].traffic]
        assert split == [(OLD_REVISION, 65, ""), ("tide-00008-kim", 35, "canary")]
    most = max(harness.shares, key=lambda name: harness.shares[name])
    assert most.startswith("tide-pf-") if trap.serves == "new" else most == trap.serves


@pytest.mark.parametrize(("earlier", "tag"), [(nothing, ""), (tagged_latest, "live")])
def test_after_a_failure_later_deployments_get_their_traffic_as_before(
    harness: OnCloudRun, earlier: Callable[[OnCloudRun], None], tag: str
) -> None:
    earlier(harness)
    never_ready(harness)
    approve_proposal(harness)
    redeploy_approved(harness)
    run_tick(harness)
    assert [(each.type_, each.percent, each.tag) for each in harness.run.services[service_path("tide")].traffic] == [
        (LATEST, 100, tag)
    ]


def test_an_operation_that_outlives_the_function_goes_on_and_is_begun_once(harness: OnCloudRun) -> None:
    harness.run.holds_operations = True
    incident = approve_proposal(harness)
    redeploy_approved(harness)
    for _ in range(3):
        assert redeploy(harness.start_process(), f"{incident}-1").name == "deploying"
        run_tick(harness)
    assert (read_state(harness, incident), harness.run.deployments) == ("deploying", 1)
    harness.run.finish_operations()
    for _ in range(3):
        run_tick(harness)
    assert (read_state(harness, incident), harness.run.deployments) == ("watching", 1)


def test_a_revision_that_was_deleted_cannot_be_put_back_and_that_is_said(harness: OnCloudRun) -> None:
    incident = approve_proposal(harness)
    redeploy_approved(harness)
    run_tick(harness)
    run_tick(harness)
    assert read_state(harness, incident) == "watching"
    del harness.run.revisions[f"{service_path('tide')}/revisions/{OLD_REVISION}"]
    fails_when_probed(harness)
    for _ in range(3):
        run_tick(harness)
    assert (read_state(harness, incident), cause(harness, incident)) == ("reported", EndCause.NOT_PUT_BACK)
    assert OLD_REVISION in harness.said


def test_abandoned_operation_gets_no_traffic_when_it_ends_late(
    harness: OnCloudRun,
) -> None:
    harness.run.holds_operations = True
    incident = approve_proposal(harness)
    redeploy_approved(harness)
    run_tick(harness, MAX_DEPLOYMENT_TIME)
    assert (read_state(harness, incident), harness.shares) == ("failed", {OLD_REVISION: 100})
    assert cause(harness, incident) == EndCause.DEPLOYMENT_LATE
    assert " 60 minutes" in harness.said
    harness.run.finish_operations()
    run_tick(harness)
    assert (harness.shares, harness.run.deployments) == ({OLD_REVISION: 100}, 1)


class TestByATrigger:
    """The same, where the owners' own trigger builds and deploys."""

    @pytest.fixture
    def harness(self, harness: OnCloudRun) -> OnCloudRun:
        trigger = "projects/shore/locations/europe-west6/triggers/deploy-tide"
        given = watched_service(traffic_steps=(10, 100), deploy_method="cloud_build", deploy_trigger=trigger)
        harness.services = {"shore.tide": given}
        harness.run.now = harness.clock.now
        harness.run.builds = harness.run.builds[:1]
        harness.triggers = True
        return harness

    def begun(self, harness: OnCloudRun) -> str:
        incident = approve_proposal(harness)
        assert redeploy_approved(harness).name == "deploying"
        run_tick(harness)
        assert (read_state(harness, incident), len(harness.run.triggered_builds)) == ("deploying", 1)
        return incident

    def built(self, harness: OnCloudRun, commit: str = TARGET) -> None:
        build = harness.run.finish_build()
        build.source_provenance = build_v1.SourceProvenance(resolved_repo_source=build_v1.RepoSource(commit_sha=commit))
        labels = {"gcb-build-id": build.id}
        harness.run.deploy_manually("tide", f"{IMAGE}@{digest_of('piped')}", "tide-00008-pip", labels)

    def test_it_is_begun_once_adopted_and_given_its_traffic_in_steps(self, harness: OnCloudRun) -> None:
        incident = self.begun(harness)
        self.built(harness)
        shares = []
        for _ in range(3):
            run_tick(harness)
            shares.append(harness.shares.get("tide-00008-pip", 0))
        assert shares == [0, 10, 100]
        assert harness.probe.probed_services[0].startswith("wss://pf-"), "its own address first"
        assert (read_state(harness, incident), len(harness.run.triggered_builds)) == ("watching", 1)
        assert [each.type_ for each in harness.run.services[service_path("tide")].traffic] == [LATEST]

    def test_a_trigger_that_moves_the_traffic_is_not_fought(self, harness: OnCloudRun) -> None:
        incident = self.begun(harness)
        self.built(harness)
        harness.run.split_traffic_manually("tide", tide_00008_pip=100)
        for _ in range(2):
            run_tick(harness)
        assert harness.probe.probed_services[0].startswith("wss://pf-"), "it is tried all the same"
        assert (read_state(harness, incident), harness.shares) == ("watching", {"tide-00008-pip": 100})

    def test_what_it_moved_the_traffic_to_is_taken_back_if_it_fails(self, harness: OnCloudRun) -> None:
        incident = self.begun(harness)
        self.built(harness)
        harness.run.split_traffic_manually("tide", tide_00008_pip=100)
        fails_when_probed(harness)
        for _ in range(3):
            run_tick(harness)
        assert (read_state(harness, incident), harness.shares) == ("failed", {OLD_REVISION: 100})
        assert cause(harness, incident) == EndCause.FAILED_PROBE_BEFORE_TRAFFIC

    def test_a_later_rollout_does_not_look_like_a_failure_of_this_one(self, harness: OnCloudRun) -> None:
        incident = self.begun(harness)
        self.built(harness)
        for _ in range(3):
            run_tick(harness)
        note = harness.run.services[service_path("tide")].annotations
        harness.run.services[service_path("tide")].annotations = {
            "provenfix-rollout": note["provenfix-rollout"].replace(incident, "another")
        }
        run_tick(harness)
        assert read_state(harness, incident) == "watching"

    def test_a_build_that_fails_is_told_and_leaves_everything_as_it_was(self, harness: OnCloudRun) -> None:
        incident = self.begun(harness)
        harness.run.finish_build("FAILURE")
        run_tick(harness)
        assert read_state(harness, incident) == "failed"
        assert "ended with FAILURE" in harness.said
        assert [each.type_ for each in harness.run.services[service_path("tide")].traffic] == [LATEST]
        assert harness.shares == {OLD_REVISION: 100}

    def test_what_was_built_from_another_commit_gets_no_traffic(self, harness: OnCloudRun) -> None:
        incident = self.begun(harness)
        self.built(harness, commit_id("fixed"))
        run_tick(harness)
        assert harness.said.index(commit_id("fixed")) < harness.said.rindex(TARGET), "the built one, and the approved"
        assert (read_state(harness, incident), harness.shares) == ("reported", {OLD_REVISION: 100})
        assert cause(harness, incident) == EndCause.NOT_PUT_BACK

    def test_a_trigger_that_does_not_exist_refuses_and_leaves_no_pin(self, harness: OnCloudRun) -> None:
        given = watched_service(
            deploy_method="cloud_build", deploy_trigger="projects/shore/locations/global/triggers/gone"
        )
        harness.services = {"shore.tide": given}
        incident = approve_proposal(harness)
        assert redeploy_approved(harness).name == "refused:stale"
        run_tick(harness)
        assert read_state(harness, incident) == "refused"
        assert "not_found" in harness.said
        assert [each.type_ for each in harness.run.services[service_path("tide")].traffic] == [LATEST]
