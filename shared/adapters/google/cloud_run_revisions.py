"""Cloud Run's services and revisions: what serves, and from which commit, with every place that says so.

https://cloud.google.com/run/docs/reference/rpc/google.cloud.run.v2
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from google.api_core.exceptions import NotFound

from shared.adapters.google.clients import TIMEOUT_SECONDS, GoogleClients
from shared.adapters.google.commit_names import find_commit_of_tag, is_commit_id
from shared.adapters.google.errors import translate_errors
from shared.adapters.google.image_name import ImageName, parse_image_name
from shared.adapters.google.provenance import Provenance
from shared.adapters.google.traffic import get_last_segment, list_serving_shares
from shared.errors import Reject
from shared.proposal.rollout import CommitClaim, Revision, ServiceState
from shared.service import Service

if TYPE_CHECKING:
    from google.cloud.run_v2 import Container
    from google.cloud.run_v2 import Revision as RunRevision
    from google.cloud.run_v2 import Service as RunService

COMMIT_LABELS = (
    "commit-sha",
    "commit_sha",
    "git-commit",
    "git_commit",
    "git-sha",
    "git_sha",
    "github-sha",
    "github_sha",
)
BUILD_LABEL = "gcb-build-id"
SOURCE_BUILD_ANNOTATION = "run.googleapis.com/build-id"
"""The annotation by which Cloud Run names the build of what was deployed from source, such as a function."""
COMMIT_VARIABLES = ("COMMIT_SHA", "GIT_COMMIT", "GIT_SHA", "GITHUB_SHA", "SOURCE_COMMIT", "SOURCE_VERSION")
_PYTHON_BASE_IMAGE = re.compile(r"(?:^|/)python(3)(\d{1,2})(?:[:@]|$)")
_MINOR_VERSION = re.compile(r"3\.\d{1,2}(?![\d])")
_PYTHON_VARIABLES = ("GOOGLE_PYTHON_VERSION", "PYTHON_VERSION")
_CLAIM_SOURCES = ("provenance", "label", "tag", "env")


class CloudRunRevisions:
    """Implements `shared.ports.Revisions`."""

    def __init__(self, clients: GoogleClients) -> None:
        self._clients = clients
        self._provenance = Provenance(clients)

    def get_service_state(self, service: Service) -> ServiceState:
        """See `shared.ports.Revisions`. Raises Reject where nothing serves."""
        run = read_service(self._clients, service)
        split = list_serving_shares(run)
        if not split:
            raise Reject("not_serving", f"no revision of {service.name} has any traffic")
        name = max(split, key=lambda revision_name: split[revision_name])
        revision = self.get_revision(service, name)
        if revision is None:
            raise Reject("not_found", f"{name} serves, and does not exist")
        return ServiceState(revision, split, run.etag, find_unprobeable_reason(run))

    def get_traffic(self, service: Service) -> Mapping[str, int]:
        """See `shared.ports.Revisions`. Raises Retry, Reject."""
        return list_serving_shares(read_service(self._clients, service))

    def get_revision(self, service: Service, name: str) -> Revision | None:
        """See `shared.ports.Revisions`."""
        run = read_revision(self._clients, service, name)
        if run is None:
            return None
        container = find_serving_container(run.containers)
        unseen: list[str] = []
        collected = self._collect_claims(service, run, container, unseen)
        claims = tuple(sorted(collected, key=lambda claim: _CLAIM_SOURCES.index(claim.source)))
        commit, resources = claims[0].commit if claims else None, tuple(_read_resource_settings(run, container))
        return Revision(
            name, commit, run.create_time, container.image, claims, resources, tuple(unseen),
            python=_find_declared_python(container), is_function=bool(container.build_info.function_target),
            variables=tuple(sorted(variable.name for variable in container.env)),
        )  # fmt: skip

    def _collect_claims(
        self, service: Service, run: "RunRevision", container: "Container", unseen: list[str]
    ) -> Iterator[CommitClaim]:
        named = parse_image_name(container.image)
        image = _resolve_if_allowed(lambda: self._provenance.resolve_tag(named, run.create_time), named, unseen)
        yield from _ask_if_allowed(lambda: self._provenance.find_image_claims(image, service, unseen), unseen)
        yield from _ask_if_allowed(lambda: self._provenance.find_metadata_claims(image, service, unseen), unseen)
        yield from _ask_if_allowed(lambda: self._provenance.find_tag_claims(image), unseen)
        noted = {**dict(run.annotations), **dict(run.labels)}
        for key in (key for key in (BUILD_LABEL, SOURCE_BUILD_ANNOTATION) if noted.get(key)):
            yield from _ask_if_allowed(
                partial(self._provenance.find_label_claims, service, key, noted[key], image.digest), unseen
            )
        source = container.build_info.source_location
        if source:
            yield from _ask_if_allowed(lambda: self._provenance.find_source_claims(service, source, unseen), unseen)
        yield from _find_claims("label", COMMIT_LABELS, noted)
        if named.tag and (commit := find_commit_of_tag(named.tag)):
            yield CommitClaim("tag", commit, f"image tag {named.tag}")
        yield from _find_claims("env", COMMIT_VARIABLES, {variable.name: variable.value for variable in container.env})


def _resolve_if_allowed(ask: Callable[[], ImageName], named: ImageName, unseen: list[str]) -> ImageName:
    try:
        return ask()
    except Reject as refused:
        unseen.append(str(refused))
        return named


def _ask_if_allowed(ask: Callable[[], Sequence[CommitClaim]], unseen: list[str]) -> Sequence[CommitClaim]:
    """An image may come from a project that is none of ours: the other places can still be looked at."""
    try:
        return ask()
    except Reject as refused:
        unseen.append(str(refused))
        return ()


def _find_claims(source: str, names: tuple[str, ...], stated: Mapping[str, str]) -> Iterator[CommitClaim]:
    for name in names:
        if is_commit_id(stated.get(name, "")):
            yield CommitClaim(source, stated[name], f"{source} {name}")


def _find_declared_python(container: "Container") -> str:
    """The minor version of a base image that the platform keeps up to date, or of a buildpack's setting."""
    based = _PYTHON_BASE_IMAGE.search(container.base_image_uri)
    if based is not None:
        return f"{based[1]}.{based[2]}"
    given = next((variable.value for variable in container.env if variable.name in _PYTHON_VARIABLES), "")
    return match[0] if (match := _MINOR_VERSION.match(given)) is not None else ""


def _read_resource_settings(run: "RunRevision", container: "Container") -> Iterator[tuple[str, str]]:
    yield from sorted(dict(container.resources.limits).items())
    if run.max_instance_request_concurrency:
        yield "concurrency", str(run.max_instance_request_concurrency)


def find_serving_container(containers: "Sequence[Container]") -> "Container":
    """The one that is connected to: others are beside it and have no port."""
    return next((container for container in containers if container.ports), containers[0])


def find_unprobeable_reason(run: "RunService") -> str:
    """Why a client from outside gets no answer at a revision's own address but 403 or 404; "" where it gets one.

    Where IAM asks who calls, the probe says so with a token. https://cloud.google.com/run/docs/securing/ingress and
    https://cloud.google.com/run/docs/securing/identity-aware-proxy-cloud-run, read 2026-11-26.
    """
    if run.default_uri_disabled:
        return "the service's run.app address is switched off"
    if run.iap_enabled:
        return "Identity-Aware Proxy is in front of it"
    if run.ingress.name not in {"INGRESS_TRAFFIC_UNSPECIFIED", "INGRESS_TRAFFIC_ALL"}:
        return f"the service takes no requests from outside ({run.ingress.name})"
    return ""


def format_service_path(service: Service) -> str:
    """As Cloud Run knows it."""
    return f"projects/{service.project}/locations/{service.region}/services/{service.name}"


def read_service(clients: GoogleClients, service: Service) -> "RunService":
    """Raises Retry, Reject."""
    with translate_errors(f"Cloud Run, service {service.name}"):
        return clients.services.get_service({"name": format_service_path(service)}, timeout=TIMEOUT_SECONDS, retry=None)


def read_revision(clients: GoogleClients, service: Service, name: str) -> "RunRevision | None":
    """None where it does not exist (any more)."""
    path = f"{format_service_path(service)}/revisions/{name}"
    with translate_errors(f"Cloud Run, revision {name}"):
        try:
            return clients.revisions.get_revision({"name": path}, timeout=TIMEOUT_SECONDS, retry=None)
        except NotFound:
            return None


def find_revision_url(run: "RunService", name: str) -> str:
    """Where a revision with a tag can be reached, "" where it has none."""
    return next((part.uri for part in run.traffic_statuses if part.tag and get_last_segment(part.revision) == name), "")


def read_readiness(revision: "RunRevision") -> tuple[bool | None, str]:
    """Whether it is ready, None while nobody knows yet, and what is said about it."""
    for condition in revision.conditions:
        if condition.type_ == "Ready":
            state = condition.state.name
            if state in {"CONDITION_SUCCEEDED", "CONDITION_FAILED"}:
                return state == "CONDITION_SUCCEEDED", condition.message
    return None, ""


def find_newest_ready(revisions: "Iterable[RunRevision]") -> str:
    ready = [revision for revision in revisions if read_readiness(revision)[0]]
    return get_last_segment(max(ready, key=lambda revision: revision.create_time).name) if ready else ""
