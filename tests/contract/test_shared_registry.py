"""Images that are kept in another project, whose builds nobody here may look at, and names of Container Registry."""

import time
from collections.abc import Iterator

import pytest

from shared.adapters.google import errors
from shared.adapters.google.clients import GoogleClients
from shared.adapters.google.cloud_run_deployer import CloudRunDeployer
from shared.adapters.google.cloud_run_revisions import CloudRunRevisions
from shared.adapters.google.image_name import parse_image_name
from shared.service import Service
from tests.support.google_cloud import GoogleCloud, digest_of, service_path
from tests.support.google_rpc import serve_google

TIDE = Service("tide", "shore", "europe-west6", "harbour/tide", "C1")
SHARED_IMAGE = "europe-west6-docker.pkg.dev/registry-of-all/boats/tide"
OLD, FIX = "a" * 40, "f" * 40


@pytest.fixture
def cloud() -> GoogleCloud:
    cloud = GoogleCloud(forbidden_projects={"registry-of-all"})
    cloud.deploy_manually("tide", f"{SHARED_IMAGE}@{digest_of('old')}", "tide-1")
    return cloud


@pytest.fixture
def clients(cloud: GoogleCloud) -> Iterator[GoogleClients]:
    with serve_google(cloud.answers) as channel:
        yield GoogleClients(channel)


def test_no_build_that_may_be_looked_at_leaves_the_readable_tag(cloud: GoogleCloud, clients: GoogleClients) -> None:
    cloud.tags[FIX] = digest_of("fix")
    state = CloudRunRevisions(clients).get_service_state(TIDE)
    CloudRunDeployer(clients).start(TIDE, "p-1", FIX, state.etag)
    assert cloud.services[service_path("tide")].template.containers[1].image == f"{SHARED_IMAGE}@{digest_of('fix')}"


def test_the_commit_is_read_from_the_tag_and_what_was_not_seen_is_named(
    cloud: GoogleCloud, clients: GoogleClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in a process so young that its own roles may not be in effect yet: nobody grants any in that project."""
    monkeypatch.setattr(errors, "PROCESS_START", time.monotonic())
    cloud.tags[OLD] = digest_of("old")
    revision = CloudRunRevisions(clients).get_service_state(TIDE).revision
    assert revision.commit == OLD
    assert [place.partition(":")[0] for place in revision.unreadable_sources] == ["denied"]
    assert "registry-of-all" in revision.unreadable_sources[0]


def test_builds_of_the_service_project_are_found_for_an_image_of_another(
    cloud: GoogleCloud, clients: GoogleClients
) -> None:
    cloud.add_build(OLD, "old")
    cloud.add_build(FIX, "fix", image=SHARED_IMAGE)
    state = CloudRunRevisions(clients).get_service_state(TIDE)
    assert (state.revision.commit, state.revision.claims[0].source) == (OLD, "provenance")
    CloudRunDeployer(clients).start(TIDE, "p-1", FIX, state.etag)
    assert cloud.services[service_path("tide")].template.containers[1].image == f"{SHARED_IMAGE}@{digest_of('fix')}"


@pytest.mark.parametrize(
    ("name", "project", "package"),
    [
        ("us-docker.pkg.dev/p/r/i:t", "p", "projects/p/locations/us/repositories/r/packages/i"),
        ("us-docker.pkg.dev/p/r/a/b", "p", "projects/p/locations/us/repositories/r/packages/a%2Fb"),
        ("eu.gcr.io/p/a/b:t", "p", "projects/p/locations/europe/repositories/eu.gcr.io/packages/a%2Fb"),
        ("gcr.io/acme.example/p/i", "acme.example:p", "projects/acme.example:p/locations/us/repositories/gcr.io/packages/i"),  # noqa: E501
        ("docker.io/library/tide", "", ""),
        ("gcr.io/p", "", ""),
    ],
)  # fmt: skip
def test_where_an_image_is_kept(name: str, project: str, package: str) -> None:
    image = parse_image_name(name)
    assert (image.project, image.package) == (project, package)
