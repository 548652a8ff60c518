"""The adapters of Cloud Run against in-process servers of the published clients' own messages, traps included."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from threading import Event

import grpc
import pytest
from google.cloud import run_v2

from shared.adapters.deploy_methods import DeployMethodRouter
from shared.adapters.google.clients import GoogleClients
from shared.adapters.google.cloud_run_deployer import CloudRunDeployer
from shared.adapters.google.cloud_run_revisions import CloudRunRevisions
from shared.adapters.google.pipeline_deployer import CloudBuildPipeline, PipelineDeployer
from shared.errors import Reject, Retry
from shared.ports import CHANGED_BY_HAND
from shared.proof.model.target import ImageStatus
from shared.proposal.rollout import Deployment, DeploymentProgress
from shared.service import Service
from tests.support.clock import FakeClock
from tests.support.google_cloud import IMAGE, LATEST, MORNING, PROJECT, GoogleCloud, digest_of, service_path
from tests.support.google_rpc import serve_google

TIDE = Service("tide", "shore", "europe-west6", "harbour/tide", "C1")
OLD, FIX, OTHER = "a" * 40, "f" * 40, "c" * 40
RUN = "/google.cloud.run.v2."
BUILDS = "/google.devtools.cloudbuild.v1.CloudBuild/ListBuilds"
UPDATE = f"{RUN}Services/UpdateService"


class Stand:
    """One project with one service, which serves `tide-1`, built from OLD; FIX is built and not deployed."""

    def __init__(self, clients: GoogleClients, cloud: GoogleCloud) -> None:
        self.cloud, self.clients = cloud, clients
        self.revisions, self.deployer = CloudRunRevisions(clients), CloudRunDeployer(clients)
        cloud.add_build(OLD, "old")
        cloud.add_build(FIX, "fix")
        cloud.deploy_manually("tide", f"{IMAGE}@{digest_of('old')}", "tide-1", {"commit-sha": OLD, "team": "boats"})

    def start(self, marker: str = "p-1", commit: str = FIX) -> str:
        return self.deployer.start(TIDE, marker, commit, self.revisions.get_service_state(TIDE).etag)

    def deployed(self, marker: str = "p-1", commit: str = FIX) -> str:
        done = self.deployer.state(TIDE, self.start(marker, commit))
        assert done.progress is DeploymentProgress.DONE
        return done.revision

    @property
    def shares(self) -> dict[str, int]:
        return self.cloud.shares("tide")


@pytest.fixture(scope="module")
def cloud_and_clients() -> Iterator[tuple[GoogleCloud, GoogleClients]]:
    cloud = GoogleCloud()
    with serve_google(cloud.answers) as channel:
        yield cloud, GoogleClients(channel)


@pytest.fixture
def stand(cloud_and_clients: tuple[GoogleCloud, GoogleClients]) -> Stand:
    """The server stays, and everything in it is new."""
    cloud, clients = cloud_and_clients
    answers = cloud.answers
    for held in (answers.calls, answers.failures, answers.held_methods):
        held.clear()
    cloud.__init__(answers)  # type: ignore[misc]
    return Stand(clients, cloud)


class TestWhichCommit:
    def test_build_of_digest_wins_and_all_sources_are_kept(self, stand: Stand) -> None:
        stand.cloud.tags[OLD[:12]] = digest_of("old")
        revision = stand.revisions.get_service_state(TIDE).revision
        assert (revision.name, revision.commit) == ("tide-1", OLD)
        assert [(each.source, each.ref) for each in revision.claims] == [
            ("provenance", "build b-old"),
            ("label", "label commit-sha"),
            ("tag", f"image tag {OLD[:12]}"),
        ]
        assert revision.commit_conflict == ""
        assert revision.resources == (("cpu", "1"), ("memory", "512Mi"), ("concurrency", "80"))

    def test_label_of_a_never_built_commit_is_a_conflict(self, stand: Stand) -> None:
        stand.cloud.deploy_manually("tide", f"{IMAGE}@{digest_of('old')}", "tide-2", {"commit-sha": OTHER})
        revision = stand.revisions.get_service_state(TIDE).revision
        assert revision.commit == OLD
        named = re.findall(r"\bb-old\b|\bcommit-sha\b|\b[0-9a-f]{40}\b", revision.commit_conflict)
        assert named == ["b-old", OLD, "commit-sha", OTHER], "each place with the commit that it names"

    @pytest.mark.parametrize(
        ("image", "labels", "env", "expected"),
        [
            ("@" + digest_of("unbuilt"), {"commit-sha": OTHER}, {"COMMIT_SHA": FIX}, ("label", OTHER)),
            ("@" + digest_of("unbuilt"), {"gcb-build-id": "b-fix"}, {}, ("label", FIX)),
            (":" + OTHER, {}, {"COMMIT_SHA": FIX}, ("tag", OTHER)),
            (":latest", {}, {"GIT_SHA": FIX}, ("env", FIX)),
            (":20260407", {"commit-sha": "latest"}, {"COMMIT_SHA": "$COMMIT_SHA"}, None),
        ],
    )
    def test_without_a_build_the_next_best_source_counts(
        self, stand: Stand, image: str, labels: dict[str, str], env: dict[str, str], expected: tuple[str, str] | None
    ) -> None:
        stand.cloud.deploy_manually("tide", IMAGE + image, "tide-2", labels, env)
        revision = stand.revisions.get_revision(TIDE, "tide-2")
        assert revision is not None
        first = revision.claims[0] if revision.claims else None
        assert (first and (first.source, first.commit)) == expected
        assert revision.commit == (expected[1] if expected else None)

    def test_a_substitution_counts_only_without_a_resolved_source(self, stand: Stand) -> None:
        stand.cloud.add_build(OTHER, "loose", resolved=False)
        stand.cloud.deploy_manually("tide", f"{IMAGE}@{digest_of('loose')}", "tide-2")
        assert stand.revisions.get_service_state(TIDE).revision.commit == OTHER

    def test_a_function_is_followed_to_the_build_of_its_source(self, stand: Stand) -> None:
        stand.cloud.deploy_function("tide", "tide-2", "functions/tide.zip")
        stand.cloud.add_archive_build("zip", "functions/tide.zip", OTHER)
        revision = stand.revisions.get_service_state(TIDE).revision
        assert (revision.is_function, revision.python, revision.commit) == (True, "3.11", OTHER)
        assert revision.claims[0].ref == "build b-zip"

    def test_an_archive_that_names_no_commit_is_told_and_nothing_is_made_up(self, stand: Stand) -> None:
        stand.cloud.deploy_function("tide", "tide-2", "functions/tide.zip")
        stand.cloud.add_archive_build("zip", "functions/tide.zip", "")
        revision = stand.revisions.get_service_state(TIDE).revision
        assert revision.commit is None
        assert "b-zip" in revision.unreadable_sources[0]
        assert "gs://shore-sources/functions/tide.zip#7" in revision.unreadable_sources[0]

    def test_the_build_that_cloud_run_names_of_a_source_deployment_counts(self, stand: Stand) -> None:
        stand.cloud.deploy_manually("tide", f"{IMAGE}@{digest_of('unbuilt')}", "tide-2")
        stand.cloud.revisions[f"{service_path('tide')}/revisions/tide-2"].annotations = {
            "run.googleapis.com/build-id": "b-fix"
        }
        assert stand.revisions.get_service_state(TIDE).revision.commit == FIX

    def test_an_image_of_somewhere_else_has_no_provenance(self, stand: Stand) -> None:
        stand.cloud.deploy_manually("tide", "docker.io/library/tide:latest", "tide-2")
        assert stand.revisions.get_service_state(TIDE).revision.commit is None

    def test_forbidden_source_is_named_and_the_next_one_counts(self, stand: Stand) -> None:
        stand.cloud.answers.failures[BUILDS] = [grpc.StatusCode.PERMISSION_DENIED]
        revision = stand.revisions.get_service_state(TIDE).revision
        assert (revision.commit, revision.claims[0].source) == (OLD, "label")
        (unseen,) = revision.unreadable_sources
        assert unseen.startswith("denied: Cloud Build in europe-west6: ")

    def test_a_place_that_is_out_of_order_is_asked_again_later(self, stand: Stand) -> None:
        stand.cloud.answers.failures[BUILDS] = [grpc.StatusCode.UNAVAILABLE]
        with pytest.raises(Retry, match="Cloud Build"):
            stand.revisions.get_service_state(TIDE)

    def test_the_revision_with_the_largest_share_serves(self, stand: Stand) -> None:
        stand.cloud.deploy_manually("tide", f"{IMAGE}@{digest_of('fix')}", "tide-2")
        stand.cloud.split_traffic_manually("tide", tide_1=70, tide_2=30)
        serving = stand.revisions.get_service_state(TIDE)
        assert (serving.revision.name, serving.traffic) == ("tide-1", {"tide-1": 70, "tide-2": 30})

    def test_a_revision_that_is_gone_is_none(self, stand: Stand) -> None:
        assert stand.revisions.get_revision(TIDE, "tide-9") is None

    def test_two_services_that_share_an_image_are_told_apart(self, stand: Stand) -> None:
        stand.cloud.deploy_manually("ebb", f"{IMAGE}@{digest_of('old')}", "ebb-1")
        stand.deployer.shift_traffic(TIDE, stand.deployed(), 100)
        assert stand.cloud.shares("ebb") == {"ebb-1": 100}


class TestRedeploy:
    def test_only_the_image_and_the_labels_of_the_build_change(self, stand: Stand) -> None:
        before = type(stand.cloud.services[service_path("tide")].template)(
            stand.cloud.services[service_path("tide")].template
        )
        name = stand.deployed()
        after = stand.cloud.services[service_path("tide")].template
        assert after.containers[1].image == f"{IMAGE}@{digest_of('fix')}"
        assert dict(after.labels) == {
            "team": "boats",
            "commit-sha": FIX,
            "provenfix-rollout": after.labels["provenfix-rollout"],
        }
        after.containers[1].image, after.labels, after.revision = before.containers[1].image, before.labels, "tide-1"
        assert after == before
        revision = stand.revisions.get_revision(TIDE, name)
        assert revision is not None
        assert revision.commit == FIX

    def test_new_revision_gets_an_address_and_no_traffic_despite_latest(self, stand: Stand) -> None:
        done = stand.deployer.state(TIDE, stand.start())
        assert done.progress is DeploymentProgress.DONE
        assert done.url.startswith("https://pf-")
        assert stand.shares == {"tide-1": 100}

    def test_traffic_moves_in_steps_and_whoever_deploys_next_gets_it_as_before(self, stand: Stand) -> None:
        name = stand.deployed()
        for percent in (10, 50):
            stand.deployer.shift_traffic(TIDE, name, percent)
            assert stand.shares == {name: percent, "tide-1": 100 - percent}
        stand.deployer.shift_traffic(TIDE, name, 100)
        run = stand.cloud.services[service_path("tide")]
        assert [(each.type_, each.percent, each.tag) for each in run.traffic] == [(LATEST, 100, "")]
        assert stand.shares == {name: 100}

    def test_after_a_trial_the_rollout_of_its_revision_gives_the_newest_one_its_role_back(self, stand: Stand) -> None:
        tried = stand.deployed()
        assert stand.shares == {"tide-1": 100}
        assert stand.deployed("p-2") == tried
        for share in (10, 50, 100):
            stand.deployer.shift_traffic(TIDE, tried, share)
        run = stand.cloud.services[service_path("tide")]
        assert [(each.type_, each.percent) for each in run.traffic if each.percent] == [(LATEST, 100)]

    def test_after_a_trial_that_proved_nothing_the_traffic_stays_tied(self, stand: Stand) -> None:
        """The newest revision is the one that failed."""
        stand.deployed()
        stand.deployer.shift_traffic(TIDE, "tide-1", 100)
        run = stand.cloud.services[service_path("tide")]
        assert (stand.shares, LATEST in {each.type_ for each in run.traffic}) == ({"tide-1": 100}, False)

    def test_a_split_that_was_pinned_by_hand_stays_pinned(self, stand: Stand) -> None:
        stand.cloud.split_traffic_manually("tide", tide_1=100)
        name = stand.deployed()
        stand.deployer.shift_traffic(TIDE, name, 100)
        assert [each.revision for each in stand.cloud.services[service_path("tide")].traffic] == [name]

    def test_existing_revision_of_the_fix_is_reused(self, stand: Stand) -> None:
        stand.cloud.split_traffic_manually("tide", tide_1=100)
        stand.cloud.deploy_manually("tide", f"{IMAGE}@{digest_of('fix')}", "tide-2")
        assert stand.shares == {"tide-1": 100}
        assert stand.deployed() == "tide-2"
        stand.deployer.shift_traffic(TIDE, "tide-2", 100)
        assert (stand.shares, stand.cloud.deployments) == ({"tide-2": 100}, 0)

    def test_a_rollback_gives_the_last_good_revision_its_traffic_back(self, stand: Stand) -> None:
        stand.cloud.deploy_manually("tide", f"{IMAGE}@{digest_of('fix')}", "tide-2")
        name = stand.deployed("p-1", OLD)
        assert name == "tide-1"
        stand.deployer.shift_traffic(TIDE, name, 100)
        assert (stand.shares, stand.cloud.deployments) == ({"tide-1": 100}, 0)

    def test_where_the_old_revision_was_deleted_its_image_makes_a_new_one(self, stand: Stand) -> None:
        stand.cloud.deploy_manually("tide", f"{IMAGE}@{digest_of('fix')}", "tide-2")
        del stand.cloud.revisions[f"{service_path('tide')}/revisions/tide-1"]
        assert stand.deployed("p-1", OLD).startswith("tide-pf-")
        assert stand.cloud.deployments == 1

    def test_what_failed_puts_back_exactly_the_split_that_was_there(self, stand: Stand) -> None:
        stand.cloud.deploy_manually("tide", f"{IMAGE}@{digest_of('third')}", "tide-2")
        stand.cloud.split_traffic_manually("tide", tide_1=65, tide_2=35)
        before = stand.cloud.services[service_path("tide")].traffic
        name = stand.deployed()
        stand.deployer.shift_traffic(TIDE, name, 10)
        assert stand.shares == {name: 10, "tide-1": 59, "tide-2": 31}
        stand.deployer.shift_traffic(TIDE, "tide-1", 100)
        assert stand.cloud.services[service_path("tide")].traffic == before

    def test_after_latest_the_split_is_put_back_by_name(self, stand: Stand) -> None:
        name = stand.deployed()
        stand.deployer.shift_traffic(TIDE, name, 100)
        stand.deployer.shift_traffic(TIDE, "tide-1", 100)
        assert stand.shares == {"tide-1": 100}
        assert stand.cloud.services[service_path("tide")].traffic[0].type_ != LATEST

    def test_a_shift_that_was_done_is_not_done_again(self, stand: Stand) -> None:
        name = stand.deployed()
        stand.deployer.shift_traffic(TIDE, name, 10)
        written = stand.cloud.answers.count_calls(UPDATE)
        stand.deployer.shift_traffic(TIDE, name, 10)
        assert stand.cloud.answers.count_calls(UPDATE) == written

    def test_commit_tag_suffices_without_a_known_build(self, stand: Stand) -> None:
        stand.cloud.tags[OTHER] = digest_of("by-hand")
        assert stand.deployed("p-1", OTHER)
        assert (
            stand.cloud.services[service_path("tide")].template.containers[1].image == f"{IMAGE}@{digest_of('by-hand')}"
        )

    def test_a_tag_that_was_moved_to_another_commit_is_refused(self, stand: Stand) -> None:
        stand.cloud.tags[OTHER] = digest_of("old")
        with pytest.raises(Reject, match="image_of_another_commit"):
            stand.start("p-1", OTHER)
        assert stand.cloud.deployments == 0

    def test_a_commit_that_was_never_built_is_refused(self, stand: Stand) -> None:
        with pytest.raises(Reject, match="no_image"):
            stand.start("p-1", OTHER)
        assert stand.cloud.deployments == 0

    def test_what_is_said_of_an_image_is_what_a_deployment_does(self, stand: Stand) -> None:
        stand.cloud.tags["d" * 40] = digest_of("old")
        assert stand.deployer.check_image(TIDE, FIX).status is ImageStatus.BUILT
        assert stand.deployer.check_image(TIDE, OTHER).status is ImageStatus.MISSING
        assert stand.deployer.check_image(TIDE, "d" * 40).status is ImageStatus.MISSING, "a tag of another commit"
        stand.cloud.tags[OTHER] = digest_of("by-hand")
        assert stand.deployer.check_image(TIDE, OTHER).status is ImageStatus.BUILT
        assert stand.deployed("p-1", OTHER)

    def test_a_ready_revision_of_the_commit_needs_no_image(self, stand: Stand) -> None:
        stand.cloud.deploy_manually("tide", f"{IMAGE}@{digest_of('by-hand')}", "tide-2", {"commit-sha": OTHER})
        assert stand.deployer.check_image(TIDE, OTHER).status is ImageStatus.BUILT
        assert stand.deployed("p-1", OTHER) == "tide-2"

    def test_an_image_that_is_kept_elsewhere_is_no_image(self, stand: Stand) -> None:
        stand.cloud.deploy_manually("tide", f"quay.example/tide@{digest_of('by-hand')}", "tide-2")
        check = stand.deployer.check_image(TIDE, FIX)
        assert check.status is ImageStatus.MISSING
        assert "quay.example/tide" in check.detail

    @pytest.mark.parametrize("place", ["builds", "tags"])
    def test_a_place_that_refuses_leaves_the_image_unknown(self, stand: Stand, place: str) -> None:
        """Nobody saw that it is missing: the commit is not refused, and the reason is named."""
        if place == "builds":
            stand.cloud.forbidden_projects = {PROJECT}
        else:
            stand.cloud.forbids_images = True
        check = stand.deployer.check_image(TIDE, OTHER)
        assert check.status is ImageStatus.UNKNOWN
        assert ("Cloud Build" if place == "builds" else "Artifact Registry") in check.detail
        assert stand.deployer.check_image(TIDE, FIX).status is (
            ImageStatus.UNKNOWN if place == "builds" else ImageStatus.BUILT
        )

    @pytest.mark.parametrize("method", ["cloud_build", "github_workflow"])
    def test_a_pipeline_builds_the_image_itself(self, stand: Stand, method: str) -> None:
        served = replace(TIDE, deploy_method=method)
        pipeline = PipelineDeployer(stand.clients, CloudBuildPipeline(stand.clients), FakeClock())
        router = DeployMethodRouter({"": stand.deployer, "cloud_build": pipeline})
        check = router.check_image(served, OTHER)
        assert check.status is (ImageStatus.NOT_NEEDED if method == "cloud_build" else ImageStatus.UNKNOWN)
        assert router.check_image(TIDE, OTHER).status is ImageStatus.MISSING

    @pytest.mark.parametrize("method", ["cloud_build", "github_workflow"])
    def test_service_without_a_deploy_method_is_left_alone(self, stand: Stand, method: str) -> None:
        etag = stand.revisions.get_service_state(TIDE).etag
        by_image = DeployMethodRouter({"": stand.deployer, "image": stand.deployer})
        with pytest.raises(Reject, match=f"no_deployer: tide is deployed by {method}"):
            by_image.start(replace(TIDE, deploy_method=method), "p-1", FIX, etag)
        assert stand.cloud.answers.count_calls(UPDATE) == 0


class TestDegraded:
    def test_a_filter_that_is_not_served_leaves_the_newest_builds(self, stand: Stand) -> None:
        stand.cloud.unserved_filters = {
            "results.images.digest",
            "source_provenance.resolved_repo_source.commit_sha",
            "substitutions.COMMIT_SHA",
        }
        state = stand.revisions.get_service_state(TIDE)
        assert (state.revision.commit, state.revision.claims[0].source) == (OLD, "provenance")
        assert state.revision.unreadable_sources == ()
        assert stand.deployed()

    @pytest.mark.parametrize(("uploaded", "expected"), [(-60, OLD), (3600, None)])
    def test_an_image_by_a_tag_alone_is_the_one_that_it_was_when_the_revision_was_made(
        self, stand: Stand, uploaded: int, expected: str | None
    ) -> None:
        stand.cloud.tags["latest"] = digest_of("old")
        stand.cloud.uploads[digest_of("old")] = MORNING + timedelta(seconds=uploaded)
        stand.cloud.deploy_manually("tide", f"{IMAGE}:latest", "tide-2")
        assert stand.revisions.get_service_state(TIDE).revision.commit == expected


class TestUnprobeable:
    @pytest.mark.parametrize(
        ("setting", "value"),
        [
            ("ingress", run_v2.IngressTraffic.INGRESS_TRAFFIC_INTERNAL_ONLY),
            ("ingress", run_v2.IngressTraffic.INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER),
            ("iap_enabled", True),
            ("default_uri_disabled", True),
        ],
    )
    def test_a_revision_that_answers_nobody_from_outside_has_no_address(
        self, stand: Stand, setting: str, value: object
    ) -> None:
        setattr(stand.cloud.services[service_path("tide")], setting, value)
        assert stand.revisions.get_service_state(TIDE).unprobeable_reason
        done = stand.deployer.state(TIDE, stand.start())
        assert (done.progress, done.url, bool(done.unprobeable_reason)) == (DeploymentProgress.DONE, "", True)

    def test_one_that_answers_everybody_has_one(self, stand: Stand) -> None:
        stand.cloud.services[service_path("tide")].ingress = run_v2.IngressTraffic(
            run_v2.IngressTraffic.INGRESS_TRAFFIC_ALL
        )
        assert stand.revisions.get_service_state(TIDE).unprobeable_reason == ""
        assert stand.deployer.state(TIDE, stand.start()).url


class TestAtMostOnce:
    def test_a_stale_etag_is_refused(self, stand: Stand) -> None:
        etag = stand.revisions.get_service_state(TIDE).etag
        stand.cloud.deploy_manually("tide", f"{IMAGE}@{digest_of('third')}", "tide-2")
        with pytest.raises(Reject, match="stale"):
            stand.deployer.start(TIDE, "p-1", FIX, etag)

    def test_a_change_between_reading_and_writing_is_refused_by_the_platform(self, stand: Stand) -> None:
        stand.cloud.answers.failures[UPDATE] = [grpc.StatusCode.ABORTED]
        with pytest.raises(Reject, match="stale"):
            stand.start()

    def test_an_answer_that_was_lost_is_found_again(self, stand: Stand) -> None:
        operation = stand.start()
        assert stand.deployer.find(TIDE, "p-1") == operation.partition("@")[0]
        assert stand.deployer.find(TIDE, "p-2") is None

    def test_it_is_found_even_where_a_later_rollout_left_its_note(self, stand: Stand) -> None:
        name = stand.deployed()
        stand.cloud.add_build(OTHER, "other")
        stand.deployed("p-2", OTHER)
        assert stand.deployer.find(TIDE, "p-1") == name

    def test_an_operation_goes_on_by_its_name_in_another_process(self, stand: Stand) -> None:
        stand.cloud.holds_operations = True
        operation = stand.start()
        later = CloudRunDeployer(stand.clients)
        assert later.state(TIDE, operation) == Deployment(DeploymentProgress.RUNNING)
        stand.cloud.finish_operations()
        assert later.state(TIDE, operation).progress is DeploymentProgress.DONE
        stand.cloud.operations.clear()
        assert later.state(TIDE, operation).progress is DeploymentProgress.DONE, (
            "operations are forgotten after a while"
        )
        assert stand.cloud.deployments == 1

    def test_a_revision_that_never_becomes_ready_has_failed(self, stand: Stand) -> None:
        stand.cloud.never_ready.add(digest_of("fix"))
        done = stand.deployer.state(TIDE, stand.start())
        assert (done.progress, done.detail) == (
            DeploymentProgress.FAILED,
            "The container failed to start on port 8080.",
        )
        assert stand.shares == {"tide-1": 100}

    def test_a_revision_that_was_ready_and_fails_then_has_failed(self, stand: Stand) -> None:
        operation = stand.start()
        said = "The instance was killed: out of memory."
        stand.cloud.fail_revision(operation.partition("@")[0], said)
        done = stand.deployer.state(TIDE, operation)
        assert (done.progress, done.detail) == (DeploymentProgress.FAILED, said)


class TestByHand:
    def test_a_deployment_in_the_middle_is_respected(self, stand: Stand) -> None:
        name = stand.deployed()
        stand.deployer.shift_traffic(TIDE, name, 10)
        stand.cloud.deploy_manually("tide", f"{IMAGE}@{digest_of('third')}", "tide-7")
        before = stand.shares
        for revision, percent in ((name, 50), ("tide-1", 100)):
            with pytest.raises(Reject, match=r"\btide-7\b") as refused:
                stand.deployer.shift_traffic(TIDE, revision, percent)
            assert refused.value.reason == CHANGED_BY_HAND
        assert stand.shares == before

    def test_a_split_in_the_middle_is_respected(self, stand: Stand) -> None:
        name = stand.deployed()
        stand.deployer.shift_traffic(TIDE, name, 10)
        stand.cloud.split_traffic_manually("tide", tide_1=100)
        with pytest.raises(Reject, match=name) as refused:  # the note is there, and names its rollout
            stand.deployer.shift_traffic(TIDE, name, 50)
        assert refused.value.reason == CHANGED_BY_HAND
        assert stand.shares == {"tide-1": 100}

    def test_a_note_that_somebody_removed_ends_it(self, stand: Stand) -> None:
        name = stand.deployed()
        stand.cloud.services[service_path("tide")].annotations = {"provenfix-rollout": "{}"}
        with pytest.raises(Reject, match="changed_by_hand"):
            stand.deployer.shift_traffic(TIDE, name, 50)


class TestErrors:
    def test_who_does_not_answer_in_time_is_asked_again_later(
        self, stand: Stand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("shared.adapters.google.cloud_run_revisions.TIMEOUT_SECONDS", 0.05)
        stand.cloud.answers.held_methods[f"{RUN}Services/GetService"] = released = Event()
        try:
            with pytest.raises(Retry, match="DeadlineExceeded"):
                stand.revisions.get_service_state(TIDE)
        finally:
            released.set()

    @pytest.mark.parametrize(
        ("code", "error", "match"),
        [
            (grpc.StatusCode.UNAVAILABLE, Retry, "service tide: ServiceUnavailable"),
            (grpc.StatusCode.RESOURCE_EXHAUSTED, Retry, "ResourceExhausted"),
            (grpc.StatusCode.INTERNAL, Retry, "InternalServerError"),
            (grpc.StatusCode.DEADLINE_EXCEEDED, Retry, "DeadlineExceeded"),
            (grpc.StatusCode.PERMISSION_DENIED, Reject, "denied"),
            (grpc.StatusCode.NOT_FOUND, Reject, "not_found"),
        ],
    )
    def test_each_says_whether_to_try_again_and_nothing_is_tried_twice(
        self, stand: Stand, code: grpc.StatusCode, error: type[Exception], match: str
    ) -> None:
        method = f"{RUN}Services/GetService"
        stand.cloud.answers.failures[method] = [code]
        with pytest.raises(error, match=match):
            stand.revisions.get_service_state(TIDE)
        assert stand.cloud.answers.count_calls(method) == 1

    def test_a_change_whose_answer_was_lost_is_not_repeated_by_the_client(self, stand: Stand) -> None:
        stand.cloud.answers.failures[UPDATE] = [grpc.StatusCode.UNAVAILABLE]
        with pytest.raises(Retry):
            stand.start()
        assert stand.cloud.answers.count_calls(UPDATE) == 1

    def test_a_shift_that_met_another_change_is_tried_again_later(self, stand: Stand) -> None:
        name = stand.deployed()
        stand.cloud.answers.failures[UPDATE] = [grpc.StatusCode.ABORTED]
        with pytest.raises(Retry) as later:
            stand.deployer.shift_traffic(TIDE, name, 10)
        assert isinstance(later.value.__cause__, Reject)
        assert later.value.__cause__.reason == "stale"
