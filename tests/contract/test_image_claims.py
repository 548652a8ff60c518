"""What an image says of its source: labels, statements of its build and tags, against a registry on loopback."""

from collections.abc import Iterator
from typing import Any, cast

import pytest

from shared.adapters.google.clients import GoogleClients
from shared.adapters.google.cloud_run_deployer import CloudRunDeployer
from shared.adapters.google.cloud_run_revisions import CloudRunRevisions
from shared.adapters.google.commit_names import find_commit_of_tag, rename_tag
from shared.adapters.google.image_registry import ImageRegistry
from shared.adapters.google.provenance import is_same_repository
from shared.errors import Reject, Retry
from shared.proposal.rollout import Revision
from shared.secret import Secret
from shared.service import Service
from tests.support.github.server import serve_fake
from tests.support.google_cloud import IMAGE, GoogleCloud, digest_of, service_path
from tests.support.google_rpc import serve_google
from tests.support.image_registry import FakeRegistry

TIDE = Service("tide", "shore", "europe-west6", "harbour/tide", "C1")
OLD, FIX, OTHER = "a1" * 20, "f2" * 20, "c3" * 20
REVISION, SOURCE = "org.opencontainers.image.revision", "org.opencontainers.image.source"
OURS, BASE = "https://github.com/harbour/tide", "https://github.com/foundry/python-base"
SLSA_02, SLSA_1 = "https://slsa.dev/provenance/v0.2", "https://slsa.dev/provenance/v1"


class Stand:
    """A service whose image no build is known of."""

    def __init__(self, clients: GoogleClients, cloud: GoogleCloud, registry: FakeRegistry) -> None:
        self.cloud, self.registry = cloud, registry
        self.revisions, self.deployer = CloudRunRevisions(clients), CloudRunDeployer(clients)

    def deploy(self, digest: str, labels: dict[str, str] | None = None) -> Revision:
        self.cloud.deploy_manually("tide", f"{IMAGE}@{digest}", "tide-1", labels)
        return self.revisions.get_service_state(TIDE).revision


@pytest.fixture
def stand() -> Iterator[Stand]:
    cloud, registry = GoogleCloud(), FakeRegistry()
    with serve_google(cloud.answers) as channel, serve_fake(cast("Any", registry)):
        clients = GoogleClients(channel, ImageRegistry(lambda: Secret("of-this-test"), registry.address))
        yield Stand(clients, cloud, registry)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({REVISION: OLD, SOURCE: OURS}, [("label", OLD)]),
        ({REVISION: OLD, SOURCE: f"{OURS}.git"}, [("label", OLD)]),
        ({REVISION: OLD}, [("label", OLD)]),
        ({REVISION: OTHER, SOURCE: BASE}, []),
        ({REVISION: "main", SOURCE: OURS}, []),
        (None, []),
    ],
    ids=["of this repository", "by its clone address", "of no repository", "inherited", "a branch", "no labels"],
)
def test_the_labels_of_an_image_count_where_they_are_its_own(
    stand: Stand, labels: dict[str, str] | None, expected: list[tuple[str, str]]
) -> None:
    revision = stand.deploy(stand.registry.add_image(labels))
    assert [(claim.source, claim.commit) for claim in revision.claims] == expected
    assert revision.unreadable_sources == ()


def test_a_label_of_the_image_comes_before_one_of_the_deployment(stand: Stand) -> None:
    revision = stand.deploy(stand.registry.add_image({REVISION: OLD, SOURCE: OURS}), {"commit-sha": OTHER})
    assert [claim.commit for claim in revision.claims] == [OLD, OTHER]
    assert revision.commit_conflict


def statement(kind: str, predicate: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"predicateType": kind, "predicate": predicate, **more}


@pytest.mark.parametrize(
    ("predicate_type", "predicate"),
    [
        (SLSA_02, {"invocation": {"configSource": {"uri": f"{OURS}.git#refs/heads/main", "digest": {"sha1": OLD}}}}),
        (
            SLSA_02,
            {
                "metadata": {
                    "https://mobyproject.org/buildkit@v1#metadata": {"vcs": {"source": OURS, "revision": OLD}}
                },
                "materials": [{"uri": "pkg:docker/python@3.11", "digest": {"sha256": "0" * 64}}],
            },
        ),
        (SLSA_1, {"runDetails": {"metadata": {"buildkit_metadata": {"vcs": {"source": OURS, "revision": OLD}}}}}),
        (
            SLSA_1,
            {
                "buildDefinition": {
                    "resolvedDependencies": [
                        {"uri": f"git+{BASE}@refs/heads/main", "digest": {"gitCommit": OTHER}},
                        {"uri": f"git+{OURS}@refs/heads/main", "digest": {"gitCommit": OLD}},
                    ]
                }
            },
        ),
    ],
)
def test_a_statement_of_the_build_names_the_commit(
    stand: Stand, predicate_type: str, predicate: dict[str, Any]
) -> None:
    digest = stand.registry.add_image({REVISION: OTHER, SOURCE: BASE}, [statement(predicate_type, predicate)])
    assert [(claim.source, claim.commit) for claim in stand.deploy(digest).claims] == [("provenance", OLD)]


def test_a_statement_about_another_image_counts_for_nothing(stand: Stand) -> None:
    checkout = {"invocation": {"configSource": {"uri": OURS, "digest": {"sha1": OTHER}}}}
    foreign = statement(SLSA_02, checkout, subject=[{"name": "x", "digest": {"sha256": "1" * 64}}])
    assert stand.deploy(stand.registry.add_image({}, [foreign])).claims == ()


@pytest.mark.parametrize("broken", [[], {"layers": []}, {"manifests": [{}]}, {"config": {"digest": 7}}, "text"])
def test_an_answer_that_is_no_image_is_named_and_the_next_place_counts(stand: Stand, broken: object) -> None:
    revision = stand.deploy(stand.registry.add(broken), {"commit-sha": OLD})
    assert revision.commit == OLD
    assert [place.partition(":")[0] for place in revision.unreadable_sources] in (["invalid"], ["not_found"])


def test_a_registry_that_refuses_is_named_and_one_that_is_out_of_order_is_asked_later(stand: Stand) -> None:
    stand.registry.status = 403
    revision = stand.deploy(stand.registry.add_image({REVISION: OLD}), {"commit-sha": FIX})
    assert (revision.commit, revision.unreadable_sources[0].partition(":")[0]) == (FIX, "denied")
    stand.registry.status = 503
    with pytest.raises(Retry):
        stand.revisions.get_service_state(TIDE)


@pytest.mark.parametrize(
    ("tag", "commit"),
    [
        (OLD, OLD),
        ("abc1234", "abc1234"),
        ("sha-abc1234", "abc1234"),
        ("sha-1234567", "1234567"),
        (f"sha-{OLD}", OLD),
        ("main-abc1234", "abc1234"),
        ("main-abc1234-1764172800", "abc1234"),
        ("feature-x_abc1234", "abc1234"),
        ("v1.4.2-17-gabc1234", "abc1234"),
        ("20260407", ""),
        ("main-20260407", ""),
        ("main-defaced", ""),
        ("v1.4.2", ""),
        ("latest", ""),
        ("1a2b3c4d-5e6f-7a8b-9c0d-1a2b3c4d5e6f", ""),
    ],
)
def test_which_tags_name_a_commit(tag: str, commit: str) -> None:
    assert find_commit_of_tag(tag) == commit
    assert rename_tag(tag, FIX) == (tag.replace(commit, FIX[: len(commit)]) if commit else "")


def test_the_image_of_a_commit_is_found_by_the_way_in_which_the_tags_are_named(stand: Stand) -> None:
    stand.cloud.tags |= {f"main-{OLD[:7]}": digest_of("old"), f"main-{FIX[:7]}": digest_of("fix")}
    stand.deploy(digest_of("old"))
    stand.deployer.start(TIDE, "p-1", FIX, stand.cloud.services[service_path("tide")].etag)
    assert stand.cloud.services[service_path("tide")].template.containers[1].image == f"{IMAGE}@{digest_of('fix')}"


def test_a_tag_whose_image_says_another_commit_is_refused(stand: Stand) -> None:
    """Seven digits may be those of two commits, and a tag can be moved."""
    digest = stand.registry.add_image({REVISION: OTHER, SOURCE: OURS})
    stand.cloud.tags |= {f"main-{OLD[:7]}": digest_of("old"), f"main-{FIX[:7]}": digest}
    stand.deploy(digest_of("old"))
    with pytest.raises(Reject) as refused:
        stand.deployer.start(TIDE, "p-1", FIX, stand.cloud.services[service_path("tide")].etag)
    assert refused.value.reason == "image_of_another_commit"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("git@github.com:harbour/tide.git", True),
        ("https://github.com/Harbour/Tide", True),
        ("https://github.com/harbour/tide-base", False),
        ("https://github.com/harbour/tide/tree/main", False),
        ("pkg:docker/python@3.11", False),
        ("", False),
    ],
)
def test_addresses_of_the_repository(url: str, *, expected: bool) -> None:
    assert is_same_repository(url, "harbour/tide") is expected
