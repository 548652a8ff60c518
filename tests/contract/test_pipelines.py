"""Deployments by the owners' own pipelines: a Cloud Build trigger and a workflow, held to one contract."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import grpc
import pytest

from shared.adapters.deploy_methods import Pipeline
from shared.adapters.github.client import GitHubClient
from shared.adapters.github.workflow_pipeline import WorkflowPipeline
from shared.adapters.google.clients import GoogleClients
from shared.adapters.google.cloud_run_revisions import CloudRunRevisions
from shared.adapters.google.pipeline_deployer import CloudBuildPipeline, PipelineDeployer
from shared.errors import Reject, Retry
from shared.proposal.rollout import Deployment, DeploymentProgress
from shared.service import Service
from tests.support.clock import FakeClock
from tests.support.github.actions import FakeActions
from tests.support.github.clients import open_client
from tests.support.github.server import REPOSITORY, FakeGitHub, FakeRequest, FakeResponse, Handler, serve_fake
from tests.support.google_cloud import IMAGE, LATEST, GoogleCloud, digest_of, service_path
from tests.support.google_rpc import serve_google

TIDE = Service(
    "tide",
    "shore",
    "europe-west6",
    REPOSITORY,
    "C1",
    deploy_trigger="projects/shore/locations/europe-west6/triggers/deploy-tide",
    deploy_workflow="deploy.yml",
)
OLD, FIX, OTHER = "a" * 40, "f" * 40, "c" * 40
RUN_TRIGGER = "/google.devtools.cloudbuild.v1.CloudBuild/RunBuildTrigger"
PIPED = "tide-00008-pip"


@dataclass
class Stand:
    """A service that follows its newest revision, and whose pipeline deploys commits."""

    cloud: GoogleCloud
    clients: GoogleClients
    actions: FakeActions
    github: FakeGitHub
    by: str
    clock: FakeClock

    @property
    def pipeline(self) -> Pipeline:
        triggers, workflows = CloudBuildPipeline(self.clients), WorkflowPipeline(open_client(self.github.address))
        return triggers if self.by == "cloud_build" else workflows

    @property
    def deployer(self) -> PipelineDeployer:
        """Of a new process."""
        return PipelineDeployer(self.clients, self.pipeline, self.clock)

    def start(self, marker: str = "p-1", commit: str = FIX) -> str:
        etag = CloudRunRevisions(self.clients).get_service_state(TIDE).etag
        return self.deployer.start(TIDE, marker, commit, etag)

    @property
    def begun(self) -> int:
        return len(self.cloud.triggered_builds) + len(self.actions.runs)

    def ends(self, *, well: bool = True, commit: str = FIX, moves: bool = False, unlabelled: bool = False) -> None:
        """The pipeline is over: it has deployed as Cloud Run's own command does, or failed."""
        labels = {} if unlabelled else {"commit-sha": commit}
        if self.by == "cloud_build":
            build = self.cloud.finish_build("SUCCESS" if well else "FAILURE")
            labels["gcb-build-id"] = build.id
        else:
            self.actions.runs[-1].conclusion = "success" if well else "failure"
        if well:
            self.clock.advance(timedelta(minutes=3))
            self.cloud.deploy_manually("tide", f"{IMAGE}@{digest_of('piped')}", PIPED, labels)
        if moves:
            self.cloud.split_traffic_manually("tide", **{PIPED.replace("-", "_"): 100})

    @property
    def shares(self) -> dict[str, int]:
        return self.cloud.shares("tide")

    def adopted(self) -> Deployment:
        """Begun, built, found, and given its address."""
        operation = self.start()
        self.ends()
        self.deployer.shift_traffic(TIDE, self.deployer.state(TIDE, operation).revision, 0)
        return self.deployer.state(TIDE, operation)


@pytest.fixture(params=["cloud_build", "github_workflow"])
def stand(request: pytest.FixtureRequest) -> Iterator[Stand]:
    clock = FakeClock()
    cloud = GoogleCloud(now=clock.now)
    cloud.add_build(OLD, "old")
    cloud.deploy_manually("tide", f"{IMAGE}@{digest_of('old')}", "tide-1", {"commit-sha": OLD})
    clock.advance(timedelta(hours=1))
    actions = FakeActions(clock.now)
    fake = FakeGitHub(extra_routes=[actions], extra_fields=actions.fields)
    with serve_google(cloud.answers) as channel, serve_fake(fake) as github:
        yield Stand(cloud, GoogleClients(channel), actions, github, request.param, clock)


def test_the_traffic_is_pinned_before_anything_is_begun(stand: Stand) -> None:
    operation = stand.start()
    run = stand.cloud.services[service_path("tide")]
    assert [(each.revision, each.percent) for each in run.traffic] == [("tide-1", 100)]
    assert stand.begun == 1
    assert stand.deployer.state(TIDE, operation) == Deployment(DeploymentProgress.RUNNING)
    if stand.by == "cloud_build":
        assert stand.cloud.triggered_builds[0].substitutions["COMMIT_SHA"] == FIX
    else:
        (run_of,) = stand.actions.runs
        assert (run_of.ref, run_of.inputs) == ("trunk", {"commit": FIX})


def test_what_it_makes_has_no_traffic_and_gets_an_address(stand: Stand) -> None:
    operation = stand.start()
    stand.ends()
    found = stand.deployer.state(TIDE, operation)
    assert found == Deployment(DeploymentProgress.DONE, PIPED, needs_address=True)
    assert stand.shares == {"tide-1": 100}
    for _ in range(2):
        stand.deployer.shift_traffic(TIDE, PIPED, 0)
    tended = stand.deployer.state(TIDE, operation)
    assert (tended.revision, tended.needs_address, tended.traffic_percent) == (PIPED, False, 0)
    assert tended.url.startswith("https://pf-")
    assert stand.shares == {"tide-1": 100}


def test_its_commit_can_be_told_from_another_ones(stand: Stand) -> None:
    operation = stand.start()
    stand.ends(commit=FIX)
    made = CloudRunRevisions(stand.clients).get_revision(TIDE, stand.deployer.state(TIDE, operation).revision)
    assert made is not None
    assert (made.is_built_from(FIX), made.is_built_from(OTHER)) == (True, False)


def test_traffic_moves_in_steps_and_follows_the_newest_revision_again(stand: Stand) -> None:
    name = stand.adopted().revision
    for percent in (10, 50):
        stand.deployer.shift_traffic(TIDE, name, percent)
        assert stand.shares == {name: percent, "tide-1": 100 - percent}
    stand.deployer.shift_traffic(TIDE, name, 100)
    run = stand.cloud.services[service_path("tide")]
    assert [(each.type_, each.percent, each.tag) for each in run.traffic] == [(LATEST, 100, "")]


def test_a_failure_puts_everything_back(stand: Stand) -> None:
    stand.cloud.split_traffic_manually("tide", tide_1=100)
    stand.cloud.services[service_path("tide")].traffic[0].tag = "stable"
    before = list(stand.cloud.services[service_path("tide")].traffic)
    name = stand.adopted().revision
    stand.deployer.shift_traffic(TIDE, name, 10)
    stand.deployer.shift_traffic(TIDE, "tide-1", 100)
    assert list(stand.cloud.services[service_path("tide")].traffic) == before


def test_a_pipeline_that_fails_is_told_and_the_pin_is_undone(stand: Stand) -> None:
    operation = stand.start()
    stand.ends(well=False)
    found = stand.deployer.state(TIDE, operation)
    assert found.progress is DeploymentProgress.FAILED
    assert "FAILURE" in found.detail or "ended with failure" in found.detail
    assert "https://" in found.detail
    stand.deployer.shift_traffic(TIDE, "tide-1", 100)
    assert [each.type_ for each in stand.cloud.services[service_path("tide")].traffic] == [LATEST]


@pytest.mark.parametrize("listed", [True, False])
def test_one_that_was_given_up_and_ends_late_gets_no_traffic(stand: Stand, listed: bool) -> None:  # noqa: FBT001
    """Where the newest revision was followed before, it is not while a run may still make one."""
    stand.actions.hides_new_runs = not listed
    stand.start()
    stand.deployer.shift_traffic(TIDE, "tide-1", 100)
    stand.ends()
    assert stand.shares == {"tide-1": 100}
    run = stand.cloud.services[service_path("tide")]
    assert [(each.revision, each.percent, each.tag) for each in run.traffic] == [("tide-1", 100, "")]


def test_never_ready_revision_fails_and_traffic_is_restored(stand: Stand) -> None:
    stand.cloud.never_ready.add(digest_of("piped"))
    operation = stand.start()
    stand.ends()
    found = stand.deployer.state(TIDE, operation)
    assert (found.progress, found.detail) == (DeploymentProgress.FAILED, "The container failed to start on port 8080.")
    stand.deployer.shift_traffic(TIDE, "tide-1", 100)
    assert [each.type_ for each in stand.cloud.services[service_path("tide")].traffic] == [LATEST]
    assert stand.shares == {"tide-1": 100}


def test_traffic_moved_by_the_pipeline_can_be_rolled_back(stand: Stand) -> None:
    operation = stand.start()
    stand.ends(moves=True)
    assert stand.deployer.state(TIDE, operation) == Deployment(
        DeploymentProgress.DONE, PIPED, needs_address=True, traffic_percent=100
    )
    stand.deployer.shift_traffic(TIDE, PIPED, 0)
    assert stand.deployer.state(TIDE, operation).traffic_percent == 100
    assert stand.shares == {PIPED: 100}
    stand.deployer.shift_traffic(TIDE, "tide-1", 100)
    assert stand.shares == {"tide-1": 100}


def test_a_deployment_by_hand_in_the_middle_is_respected(stand: Stand) -> None:
    operation = stand.start()
    stand.ends()
    stand.clock.advance(timedelta(minutes=1))
    stand.cloud.deploy_manually("tide", f"{IMAGE}@{digest_of('kim')}", "tide-00009-kim", {"commit-sha": OTHER})
    before = stand.shares
    revision = stand.deployer.state(TIDE, operation).revision
    for name, percent in ((revision, 0), ("tide-1", 100)):
        with pytest.raises(Reject, match="changed_by_hand"):
            stand.deployer.shift_traffic(TIDE, name, percent)
    assert stand.shares == before


def test_a_ready_revision_of_the_commit_is_taken_and_nothing_is_built(stand: Stand) -> None:
    stand.cloud.split_traffic_manually("tide", tide_1=100)
    stand.cloud.add_build(FIX, "fix")
    stand.cloud.deploy_manually("tide", f"{IMAGE}@{digest_of('fix')}", "tide-2")
    assert stand.start() == "tide-2"
    assert stand.deployer.find(TIDE, "p-1") == "tide-2"
    assert stand.deployer.state(TIDE, "tide-2").progress is DeploymentProgress.DONE
    assert stand.begun == 0


class TestAtMostOnce:
    def test_whoever_comes_after_a_crash_finds_what_was_begun(self, stand: Stand) -> None:
        assert stand.deployer.find(TIDE, "p-1") is None
        operation = stand.start()
        assert stand.deployer.find(TIDE, "p-1") == operation
        assert stand.deployer.find(TIDE, "p-2") is None

    def test_after_a_crash_between_pin_and_begin_the_same_etag_begins_it(self, stand: Stand) -> None:
        etag = CloudRunRevisions(stand.clients).get_service_state(TIDE).etag
        _lose(stand, done=False)
        with pytest.raises(Retry):
            stand.deployer.start(TIDE, "p-1", FIX, etag)
        assert (stand.begun, stand.deployer.find(TIDE, "p-1")) == (0, None)
        _heal(stand)
        stand.deployer.start(TIDE, "p-1", FIX, etag)
        assert stand.begun == 1

    def test_a_change_by_hand_after_the_pin_is_stale(self, stand: Stand) -> None:
        etag = CloudRunRevisions(stand.clients).get_service_state(TIDE).etag
        _lose(stand, done=False)
        with pytest.raises(Retry):
            stand.deployer.start(TIDE, "p-1", FIX, etag)
        _heal(stand)
        stand.cloud.deploy_manually("tide", f"{IMAGE}@{digest_of('kim')}", "tide-00009-kim")
        with pytest.raises(Reject, match="stale"):
            stand.deployer.start(TIDE, "p-1", FIX, etag)
        assert stand.begun == 0

    def test_a_stale_etag_is_refused_before_anything_is_pinned(self, stand: Stand) -> None:
        etag = CloudRunRevisions(stand.clients).get_service_state(TIDE).etag
        stand.cloud.split_traffic_manually("tide", tide_1=100)
        with pytest.raises(Reject, match="stale"):
            stand.deployer.start(TIDE, "p-1", FIX, etag)
        assert stand.begun == 0

    def test_a_pipeline_that_refuses_leaves_no_pin(self, stand: Stand) -> None:
        stand.actions.refuses_dispatch = True
        known = replace(TIDE, deploy_trigger=TIDE.deploy_trigger + "-gone")
        with pytest.raises(Reject):
            stand.deployer.start(known, "p-1", FIX, CloudRunRevisions(stand.clients).get_service_state(TIDE).etag)
        assert [each.type_ for each in stand.cloud.services[service_path("tide")].traffic] == [LATEST]

    def test_a_note_that_is_gone_ends_it(self, stand: Stand) -> None:
        operation = stand.start()
        stand.cloud.services[service_path("tide")].annotations = {}
        found = stand.deployer.state(TIDE, operation)
        assert found.progress is DeploymentProgress.FAILED
        assert TIDE.name in found.detail
        with pytest.raises(Reject, match="changed_by_hand"):
            stand.deployer.shift_traffic(TIDE, "tide-1", 100)


class TestWorkflows:
    @pytest.fixture
    def stand(self, stand: Stand) -> Stand:
        stand.by = "github_workflow"
        return stand

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("name: deploy\non: [workflow_dispatch]\n", "workflow_cannot_be_followed"),
            ("run-name: Deploy ${{ inputs.version }}\n", "workflow_cannot_be_followed"),
            ("", "no_workflow"),
        ],
    )
    def test_one_whose_runs_could_not_be_told_apart_is_never_started(
        self, stand: Stand, text: str, reason: str
    ) -> None:
        stand.actions.text = text
        with pytest.raises(Reject, match=reason):
            stand.start()
        assert stand.begun == 0
        assert [each.type_ for each in stand.cloud.services[service_path("tide")].traffic] == [LATEST]

    def test_a_run_that_is_not_listed_yet_is_waited_for(self, stand: Stand) -> None:
        stand.actions.hides_new_runs = True
        operation = stand.start()
        assert stand.deployer.state(TIDE, operation) == Deployment(DeploymentProgress.RUNNING)

    def test_one_without_any_word_of_its_commit_runs_nothing_that_was_approved(self, stand: Stand) -> None:
        """It is taken for the run's own because it is the newest one; nobody is sent there for that."""
        operation = stand.start()
        stand.ends(unlabelled=True)
        found = stand.deployer.state(TIDE, operation)
        assert found == Deployment(DeploymentProgress.DONE, PIPED, needs_address=True)
        made = CloudRunRevisions(stand.clients).get_revision(TIDE, found.revision)
        assert made is not None
        assert (made.commit, made.is_built_from(FIX), made.is_built_from("")) == (None, False, False)
        assert stand.shares == {"tide-1": 100}

    def test_an_older_run_of_the_same_commit_is_none_of_this_order(self, stand: Stand) -> None:
        github: GitHubClient = open_client(stand.github.address)
        github.send_json(
            "POST",
            f"/repos/{REPOSITORY}/actions/workflows/deploy.yml/dispatches",
            {"ref": "trunk", "inputs": {"commit": FIX}},
        )
        stand.actions.runs[0].conclusion = "failure"
        stand.clock.advance(timedelta(hours=1))
        operation = stand.start()
        assert stand.deployer.state(TIDE, operation) == Deployment(DeploymentProgress.RUNNING)


def _lose(stand: Stand, *, done: bool) -> None:
    """What begins the pipeline fails."""
    stand.cloud.answers.failures[RUN_TRIGGER] = [grpc.StatusCode.UNAVAILABLE]

    def trouble(asked: FakeRequest, answer: Handler) -> FakeResponse:
        if asked.path.endswith("/dispatches"):
            if done:
                answer(asked)
            return FakeResponse(502, {"message": "Bad Gateway"})
        return answer(asked)

    stand.github.interceptor = trouble


def _heal(stand: Stand) -> None:
    stand.cloud.answers.failures.clear()
    stand.github.interceptor = None
