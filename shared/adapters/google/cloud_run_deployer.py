"""Brings the image of a commit into service on Cloud Run: a commit in, a revision without traffic out; then its shares.

The new revision is the service as it is with only the image changed (and the labels that name its commit: the former
ones would lie). Where a ready revision of that very image exists already, it is taken: that is a rollback, or a fix
that was deployed and left without traffic. Traffic is pinned by name for the time of the rollout.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shared.adapters.google.asking import SECONDS, asking
from shared.adapters.google.clients import Clients
from shared.adapters.google.cloud_run_revisions import (
    BUILD_LABEL,
    LABELS,
    read_revision,
    read_service,
    service_path,
    serving_container,
)
from shared.adapters.google.image_name import image_name
from shared.adapters.google.provenance import Provenance
from shared.adapters.google.rollout_note import LABEL, Note, annotated, mark, note_of, revision_name, tag_of
from shared.adapters.google.traffic import (
    Target,
    follows_latest,
    latest,
    moved,
    shares,
    short,
    targets,
    written,
)
from shared.domain.rollout import Deployment, Progress
from shared.domain.service import Service
from shared.errors import Reject, Retry
from shared.ports import BY_HAND

if TYPE_CHECKING:
    from google.cloud.run_v2 import Revision as RunRevision
    from google.cloud.run_v2 import Service as RunService

_ALL = 100
_METHODS = ("", "image")
"""As `Service.deploy_method` names them. Whoever has chosen another way is not deployed by this one."""
_STALE_LABELS = (BUILD_LABEL, "gcb-trigger-id", "gcb-trigger-region")


class CloudRunDeployer:
    """Implements `shared.ports.Deployer` by images. An operation is `revision` or `revision@operation`."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._provenance = Provenance(clients)

    def find(self, service: Service, marker: str) -> str | None:
        """See `shared.ports.Deployer`."""
        note = note_of(read_service(self._clients, service))
        if note is not None and note.marker == marker:
            return note.revision
        name = revision_name(service.name, marker)
        return name if read_revision(self._clients, service, name) is not None else None

    def start(self, service: Service, marker: str, commit: str, etag: str) -> str:
        """See `shared.ports.Deployer`. Raises Reject where the commit has no image, or its tag names another's."""
        if service.deploy_method not in _METHODS:
            raise Reject("no_deployer", f"{service.name} is deployed by {service.deploy_method}; nothing was deployed")
        run = read_service(self._clients, service)
        if run.etag != etag:
            raise Reject("stale", f"the service is at {run.etag}, not at {etag}")
        if not shares(run):
            raise Reject("not_serving", f"no revision of {service.name} has any traffic")
        container = serving_container(run.template.containers)
        image = image_name(container.image)
        if not image.package:
            raise Reject("no_image", f"{image.path} is not kept in Artifact Registry; deploy by another method")
        digest = self._provenance.digest_of(image, service.region, commit)
        if not digest:
            raise Reject("no_image", f"no image of {image.path} was built from {commit}; build it, or name a trigger")
        before = targets(run)
        existing = self._existing(service, digest)
        name = existing or revision_name(service.name, marker)
        newest = short(run.latest_created_revision) if existing else name
        split = (*before, Target(name, 0, tag_of(marker)))
        note = Note(marker, name, newest, follows_latest(run), before, split)
        if not existing:
            container.image = image.at(digest)
            run.template.revision = name
            run.template.labels = _labels(dict(run.template.labels), commit, marker)
        operation = self._write(run, written(split), note, *(() if existing else ("template",)))
        return name if existing else f"{name}@{operation}"

    def state(self, service: Service, operation: str) -> Deployment:
        """See `shared.ports.Deployer`. A failed operation and a revision that is not ready are both failures."""
        name, _, path = operation.partition("@")
        failed = self._failure(path) if path else ""
        if failed is None:
            return Deployment(Progress.RUNNING)
        if failed:
            return Deployment(Progress.FAILED, name, failed)
        revision = read_revision(self._clients, service, name)
        if revision is None:
            return Deployment(Progress.FAILED, name, f"Revision {name} does not exist any more.")
        ready, told = _readiness(revision)
        if ready is None:
            return Deployment(Progress.RUNNING)
        if not ready:
            return Deployment(Progress.FAILED, name, told)
        return Deployment(Progress.DONE, name, url=self._url(service, name))

    def shift(self, service: Service, revision: str, percent: int) -> None:
        """See `shared.ports.Deployer`. All of the traffic for a revision that served before puts its split back.

        Raises Reject where somebody else has changed the service since the rollout began.
        """
        run = read_service(self._clients, service)
        note = note_of(run)
        if note is None:
            raise Reject(BY_HAND, f"the note of the rollout is gone from {service.name}")
        served = {each.revision for each in note.before if each.percent}
        back = percent == _ALL and revision != note.revision and revision in served
        own = Target(note.revision, 0, tag_of(note.marker))
        split = note.before if back else moved((*note.before, own), revision, percent)
        if not back and percent == _ALL:
            split = tuple(each for each in split if each != own)
        if shares(run) == _sums(split) and note.left == split:
            return
        _unless_changed(run, note)
        try:
            self._write(run, _spelt(run, note, split, revision), replace(note, left=split))
        except Reject as refused:
            if refused.reason == "stale":
                raise Retry(f"{service.name} was changed just now: {refused.detail}") from refused
            if refused.reason == "invalid":  # such as a revision that somebody has deleted
                raise Reject(BY_HAND, refused.detail) from refused
            raise

    def _existing(self, service: Service, digest: str) -> str:
        """The newest ready revision of this image, "" where there is none."""
        with asking(f"Cloud Run, revisions of {service.name}"):
            pages = self._clients.revisions.list_revisions(
                {"parent": service_path(service), "page_size": 100}, timeout=SECONDS, retry=None
            )
            page = next(iter(pages.pages)).revisions
        same = [
            each
            for each in page
            if image_name(serving_container(each.containers).image).digest == digest and _readiness(each)[0]
        ]
        return short(max(same, key=lambda each: each.create_time).name) if same else ""

    def _write(self, run: "RunService", split: list[dict[str, Any]], note: Note, *more: str) -> str:
        """The operation's name. The service's etag goes along: whoever changed it since has won."""
        from google.cloud.run_v2 import TrafficTarget  # noqa: PLC0415

        run.traffic = [TrafficTarget(each) for each in split]
        run.annotations = annotated(run, note)
        request = {"service": run, "update_mask": {"paths": ["traffic", "annotations", *more]}}
        with asking(f"Cloud Run, change of {short(run.name)}"):
            begun = self._clients.services.update_service(request, timeout=SECONDS, retry=None)
        return str(begun.operation.name)

    def _failure(self, path: str) -> str | None:
        """Why an operation failed, "" where it did not (or is forgotten), None while it runs."""
        from google.api_core.exceptions import NotFound  # noqa: PLC0415

        with asking(f"Cloud Run, operation {short(path)}"):
            try:
                found = self._clients.services.get_operation({"name": path}, timeout=SECONDS, retry=None)
            except NotFound:
                return ""
        if not found.done:
            return None
        return (found.error.message or "The operation failed.") if found.HasField("error") else ""

    def _url(self, service: Service, name: str) -> str:
        run = read_service(self._clients, service)
        return next((each.uri for each in run.traffic_statuses if each.tag and short(each.revision) == name), "")


def _spelt(run: "RunService", note: Note, split: tuple[Target, ...], revision: str) -> list[dict[str, Any]]:
    """`LATEST` where it was there before and means the revision that gets all: later deployments rely on it."""
    alone = _sums(split) == {revision: _ALL}
    if alone and note.followed_latest and short(run.latest_ready_revision) == revision:
        return latest(split, revision)
    return written(split)


def _labels(labels: dict[str, str], commit: str, marker: str) -> dict[str, str]:
    """Those of the former build would name the wrong commit."""
    kept = {name: value for name, value in labels.items() if name not in (*LABELS, *_STALE_LABELS)}
    return {**kept, LABELS[0]: commit, LABEL: mark(marker)}


def _readiness(revision: "RunRevision") -> tuple[bool | None, str]:
    """Whether it is ready, None while nobody knows yet, and what is said about it."""
    for condition in revision.conditions:
        if condition.type_ == "Ready":
            state = condition.state.name
            if state in {"CONDITION_SUCCEEDED", "CONDITION_FAILED"}:
                return state == "CONDITION_SUCCEEDED", condition.message
    return None, ""


def _sums(split: tuple[Target, ...]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for each in split:
        if each.percent:
            sums[each.revision] = sums.get(each.revision, 0) + each.percent
    return sums


def _unless_changed(run: "RunService", note: Note) -> None:
    """What people do by hand counts: it is not overwritten."""
    newest = short(run.latest_created_revision)
    if newest != note.latest:
        raise Reject(BY_HAND, f"{newest} was deployed since the rollout of {note.revision} began")
    if shares(run) != _sums(note.left):
        raise Reject(BY_HAND, f"the traffic was split anew since the rollout of {note.revision} began")
