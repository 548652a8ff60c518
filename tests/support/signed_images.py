"""A service whose image has build statements, and who may sign them: a policy in, what the platform says of it out."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from shared.adapters.google.clients import GoogleClients
from shared.adapters.google.cloud_run_revisions import CloudRunRevisions
from shared.adapters.google.image_registry import ImageRegistry
from shared.adapters.signatures.signed_statements import SignedStatements
from shared.proposal.rollout import Revision
from shared.secret import Secret
from shared.service import Service
from shared.signer import SignaturePolicy
from tests.support.github.server import serve_fake
from tests.support.google_cloud import IMAGE, GoogleCloud
from tests.support.google_rpc import serve_google
from tests.support.image_registry import FakeRegistry

TIDE = Service("tide", "shore", "europe-west6", "harbour/tide", "C1")
REPOSITORY = "https://github.com/harbour/tide"
OLD, OTHER = "a1" * 20, "c3" * 20
SLSA = "https://slsa.dev/provenance/v1"


def make_statement(digest: str, commit: str = OLD, kind: str = SLSA) -> dict[str, Any]:
    """SLSA 1.0, as GitHub's attestations carry it."""
    source = {"uri": f"git+{REPOSITORY}@refs/heads/main", "digest": {"gitCommit": commit}}
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "tide", "digest": {"sha256": digest.removeprefix("sha256:")}}],
        "predicateType": kind,
        "predicate": {"buildDefinition": {"resolvedDependencies": [source]}},
    }


@dataclass
class SignedImages:
    """The registry, and what is deployed from it."""

    cloud: GoogleCloud
    registry: FakeRegistry
    clients: GoogleClients

    def deploy(self, digest: str) -> Revision:
        """Labelled with another commit, which counts where no statement does."""
        self.cloud.deploy_manually("tide", f"{IMAGE}@{digest}", "tide-1", {"commit-sha": OTHER})
        return CloudRunRevisions(self.clients).get_service_state(TIDE).revision


@contextmanager
def serve_images(policy: SignaturePolicy) -> Iterator[SignedImages]:
    cloud, registry = GoogleCloud(), FakeRegistry()
    with serve_google(cloud.answers) as channel, serve_fake(cast("Any", registry)):
        signatures = SignedStatements(policy) if policy.signers else None
        asked = ImageRegistry(lambda: Secret("of-this-test"), registry.address, signatures)
        yield SignedImages(cloud, registry, GoogleClients(channel, asked))
