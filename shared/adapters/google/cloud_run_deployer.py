"""Deploys the image of a commit on Cloud Run: first a revision without traffic, then its shares of the traffic.

The new revision is the service as it is with only the image changed (and the labels that name its commit: the former
ones are false). Where a ready revision of that very image exists already, it is taken: that is a rollback, or a fix
that was deployed and left without traffic. Traffic is pinned by name for the time of the rollout.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from google.api_core.exceptions import NotFound
from google.cloud.run_v2 import TrafficTarget

from shared.adapters.google.clients import TIMEOUT_SECONDS, GoogleClients
from shared.adapters.google.cloud_run_revisions import (
    BUILD_LABEL,
    COMMIT_LABELS,
    CloudRunRevisions,
    find_newest_ready,
    find_revision_url,
    find_serving_container,
    find_unprobeable_reason,
    format_service_path,
    read_readiness,
    read_revision,
    read_service,
)
from shared.adapters.google.errors import translate_errors
from shared.adapters.google.image_name import parse_image_name
from shared.adapters.google.provenance import IMAGE_OF_ANOTHER_COMMIT, Provenance
from shared.adapters.google.traffic import (
    ROLLOUT_LABEL,
    RolloutNote,
    TrafficShare,
    adopt_pipeline_revision,
    build_annotations,
    build_revision_name,
    build_traffic_tag,
    expects_latest,
    find_next_split,
    format_label_value,
    get_last_segment,
    read_note,
    read_raw_traffic,
    read_wanted_split,
    remember_rollouts,
    require_unchanged,
    sum_by_revision,
    to_api_traffic,
    to_latest_traffic,
)
from shared.errors import Reject, Retry
from shared.ports import CHANGED_BY_HAND
from shared.proof.model.target import ImageCheck, ImageStatus
from shared.proposal.rollout import Deployment, DeploymentProgress
from shared.service import Service

if TYPE_CHECKING:
    from google.cloud.run_v2 import Revision as RunRevision
    from google.cloud.run_v2 import Service as RunService

MANAGED_LABEL, MANAGED_BY_FUNCTIONS = "goog-managed-by", "cloudfunctions"
"""The label of a service that Cloud Functions made, and replaces at its next deployment."""
_BUILD_LABELS = (BUILD_LABEL, "gcb-trigger-id", "gcb-trigger-region")


class CloudRunDeployer:
    """Implements `shared.ports.Deployer` by images. An operation is `revision` or `revision@operation`."""

    def __init__(self, clients: GoogleClients) -> None:
        self._clients = clients
        self._provenance = Provenance(clients)

    def find(self, service: Service, marker: str) -> str | None:
        """See `shared.ports.Deployer`."""
        note = read_note(read_service(self._clients, service))
        if note is not None and note.marker == marker:
            return note.revision
        name = build_revision_name(service.name, marker)
        return name if read_revision(self._clients, service, name) is not None else None

    def check_image(self, service: Service, commit: str) -> ImageCheck:
        """See `shared.ports.Deployer`. It is missing where `start` would refuse the commit for good."""
        try:
            return self._check_image(service, commit)
        except Reject as refused:
            is_missing = refused.reason == IMAGE_OF_ANOTHER_COMMIT
            return ImageCheck(ImageStatus.MISSING if is_missing else ImageStatus.UNKNOWN, refused.detail)

    def _check_image(self, service: Service, commit: str) -> ImageCheck:
        run, unreadable = read_service(self._clients, service), list[str]()
        image = parse_image_name(find_serving_container(run.template.containers).image)
        if not image.package:
            return ImageCheck(ImageStatus.MISSING, f"{image.path} is not kept in Artifact Registry")
        digest = self._provenance.find_digest(image, service, commit, unreadable)
        is_function = run.labels.get(MANAGED_LABEL) == MANAGED_BY_FUNCTIONS
        if digest and not is_function:
            return ImageCheck(ImageStatus.BUILT)
        if self._find_by_image(service, digest) if digest else self._find_by_label(service, commit):
            return ImageCheck(ImageStatus.BUILT)
        if is_function:
            return ImageCheck(ImageStatus.MISSING, f"{service.name} is a function; no revision runs the commit")
        if unreadable:
            return ImageCheck(ImageStatus.UNKNOWN, "; ".join(dict.fromkeys(unreadable)))
        return ImageCheck(ImageStatus.MISSING, f"no image of {image.path} was built from it")

    def start(self, service: Service, marker: str, commit: str, etag: str) -> str:
        """See `shared.ports.Deployer`. Raises Reject where the commit has no image, or its tag names another's."""
        run = read_service(self._clients, service)
        if run.etag != etag:
            raise Reject("stale", f"the service is at {run.etag}, not at {etag}")
        if not sum_by_revision(read_wanted_split(run)):
            raise Reject("not_serving", f"no revision of {service.name} has any traffic")
        container = find_serving_container(run.template.containers)
        image = parse_image_name(container.image)
        if not image.package:
            raise Reject("no_image", f"{image.path} is not kept in Artifact Registry; deploy by another method")
        digest = self._provenance.find_digest(image, service, commit)
        existing = self._find_by_image(service, digest) if digest else self._find_by_label(service, commit)
        if existing:
            return self.adopt_revision(run, marker, existing)
        if not digest:
            raise Reject("no_image", f"no image of {image.path} was built from {commit}; build it, or name a trigger")
        if run.labels.get(MANAGED_LABEL) == MANAGED_BY_FUNCTIONS:
            raise Reject("function", f"{service.name} is a function: let a trigger or a workflow deploy it")
        name = build_revision_name(service.name, marker)
        container.image = image.with_digest(digest)
        run.template.revision = name
        run.template.labels = _build_revision_labels(dict(run.template.labels), commit, marker)
        return f"{name}@{self._begin_rollout(run, marker, name, name, 'template')}"

    def find_ready_revision(self, service: Service, run: "RunService", commit: str) -> str:
        """A ready revision of a commit, "" where there is none, or nobody may say so."""
        image = parse_image_name(find_serving_container(run.template.containers).image)
        try:
            digest = self._provenance.find_digest(image, service, commit) if image.package else ""
        except Reject:
            digest = ""
        return self._find_by_image(service, digest) if digest else self._find_by_label(service, commit)

    def adopt_revision(self, run: "RunService", marker: str, name: str) -> str:
        """Begins a rollout of a revision that is there already."""
        self._begin_rollout(run, marker, name, get_last_segment(run.latest_created_revision))
        return name

    def pin_traffic(self, run: "RunService", note: RolloutNote) -> None:
        """Ties the traffic to the revisions that have it, and leaves the note."""
        self._update_service(run, to_api_traffic(note.left), note)

    def unpin_traffic(self, service: Service, marker: str) -> None:
        """Undoes the pin of a rollout that never began."""
        run = read_service(self._clients, service)
        note = read_note(run)
        if note is not None and note.marker == marker and not note.revision:
            self._update_service(run, self._to_traffic(service, run, note, note.before), note)

    def _begin_rollout(self, run: "RunService", marker: str, name: str, newest: str, *more: str) -> str:
        before = read_wanted_split(run)
        split = (*before, TrafficShare(name, 0, build_traffic_tag(marker)))
        note = RolloutNote(
            marker,
            name,
            newest,
            expects_latest(run, read_note(run)),
            before,
            split,
            former=remember_rollouts(read_note(run)),
        )
        return self._update_service(run, to_api_traffic(split), note, *more)

    def state(self, service: Service, operation: str) -> Deployment:
        """See `shared.ports.Deployer`. A failed operation and a revision that is not ready are both failures."""
        name, _, path = operation.partition("@")
        failed = self._operation_failure(path) if path else ""
        if failed is None:
            return Deployment(DeploymentProgress.RUNNING)
        if failed:
            return Deployment(DeploymentProgress.FAILED, name, failed)
        revision = read_revision(self._clients, service, name)
        if revision is None:
            return Deployment(DeploymentProgress.FAILED, name, f"Revision {name} does not exist any more.")
        ready, detail = read_readiness(revision)
        if ready is None:
            return Deployment(DeploymentProgress.RUNNING)
        if not ready:
            return Deployment(DeploymentProgress.FAILED, name, detail)
        run = read_service(self._clients, service)
        unprobeable = find_unprobeable_reason(run)
        url = "" if unprobeable else find_revision_url(run, name)
        return Deployment(DeploymentProgress.DONE, name, url=url, unprobeable_reason=unprobeable)

    def shift_traffic(self, service: Service, revision: str, percent: int, *, pinned: bool = False) -> None:
        """See `shared.ports.Deployer`. All of the traffic for a revision that served before puts its split back.

        `pinned`: by name in any case, because what is deployed next is nothing to rely on. Raises Reject where another
        client changed the service since the rollout began.
        """
        run = read_service(self._clients, service)
        note = read_note(run)
        if note is None:
            raise Reject(CHANGED_BY_HAND, f"the note of the rollout is gone from {service.name}")
        own = self._pipeline_revision(service, run, note)
        if percent == 0:
            note, split = adopt_pipeline_revision(run, note, revision)
        else:
            split = find_next_split(note, revision, percent)
        spelt = to_api_traffic(split) if pinned else self._to_traffic(service, run, note, split)
        require_unchanged(run, note, own)
        if read_raw_traffic(run) == spelt and read_note(run) == replace(note, left=split):
            return
        try:
            self._update_service(run, spelt, replace(note, left=split))
        except Reject as refused:
            if refused.reason == "stale":
                raise Retry(f"{service.name} was changed just now: {refused.detail}") from refused
            if refused.reason == "invalid":  # such as a revision that was deleted
                raise Reject(CHANGED_BY_HAND, refused.detail) from refused
            raise

    def _pipeline_revision(self, service: Service, run: "RunService", note: RolloutNote) -> str:
        """The newest revision, where a pipeline has made it of the approved commit and nobody has taken it over yet."""
        newest = get_last_segment(run.latest_created_revision)
        if not note.commit or note.revision or newest == note.latest:
            return note.revision
        made = CloudRunRevisions(self._clients).get_revision(service, newest)
        return newest if made is not None and made.is_built_from(note.commit) else ""

    def _to_traffic(
        self, service: Service, run: "RunService", note: RolloutNote, split: tuple[TrafficShare, ...]
    ) -> list[dict[str, Any]]:
        """`LATEST` where it was there before and means the revision that gets all: later deployments rely on it.

        Not while a newer revision may still become ready, which would get everything then.
        """
        shared = sum_by_revision(split)
        revision = next(iter(shared))
        if len(shared) > 1 or not note.followed_latest or get_last_segment(run.latest_ready_revision) != revision:
            return to_api_traffic(split)
        newest = get_last_segment(run.latest_created_revision)
        if newest != revision:
            created = read_revision(self._clients, service, newest)
            if created is not None and read_readiness(created)[0] is not False:
                return to_api_traffic(split)
        return to_latest_traffic(split, revision)

    def list_revisions(self, service: Service) -> "list[RunRevision]":
        """The newest hundred."""
        with translate_errors(f"Cloud Run, revisions of {service.name}"):
            pages = self._clients.revisions.list_revisions(
                {"parent": format_service_path(service), "page_size": 100}, timeout=TIMEOUT_SECONDS, retry=None
            )
            return list(next(iter(pages.pages)).revisions)

    def _find_by_image(self, service: Service, digest: str) -> str:
        """The newest ready revision of this image, "" where there is none."""
        return find_newest_ready(
            revision
            for revision in self.list_revisions(service)
            if parse_image_name(find_serving_container(revision.containers).image).digest == digest
        )

    def _find_by_label(self, service: Service, commit: str) -> str:
        """The newest ready revision whose label names the commit; whether the label is right is checked later."""
        return find_newest_ready(
            run for run in self.list_revisions(service) if commit in {run.labels.get(name) for name in COMMIT_LABELS}
        )

    def _update_service(self, run: "RunService", split: list[dict[str, Any]], note: RolloutNote, *more: str) -> str:
        """Returns the operation's name. The request carries the service's etag, so a change made in between wins."""
        run.traffic = [TrafficTarget(target) for target in split]
        run.annotations = build_annotations(run, note)
        request = {"service": run, "update_mask": {"paths": ["traffic", "annotations", *more]}}
        with translate_errors(f"Cloud Run, change of {get_last_segment(run.name)}"):
            begun = self._clients.services.update_service(request, timeout=TIMEOUT_SECONDS, retry=None)
        return str(begun.operation.name)

    def _operation_failure(self, path: str) -> str | None:
        """Why an operation failed, "" where it did not (or is forgotten), None while it runs."""
        with translate_errors(f"Cloud Run, operation {get_last_segment(path)}"):
            try:
                operation = self._clients.services.get_operation({"name": path}, timeout=TIMEOUT_SECONDS, retry=None)
            except NotFound:
                return ""
        if not operation.done:
            return None
        return (operation.error.message or "The operation failed.") if operation.HasField("error") else ""


def _build_revision_labels(labels: dict[str, str], commit: str, marker: str) -> dict[str, str]:
    """Those of the former build would name the wrong commit."""
    remaining = {name: value for name, value in labels.items() if name not in (*COMMIT_LABELS, *_BUILD_LABELS)}
    return {**remaining, COMMIT_LABELS[0]: commit, ROLLOUT_LABEL: format_label_value(marker)}
