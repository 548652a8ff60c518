"""Deploys a commit on Cloud Run through the owners' own pipeline, as a revision without traffic.

Pipelines deploy as users do, and a service that follows its newest revision would give all of its traffic to what they
make. So the traffic is pinned to the revisions that have it, by name, before anything is begun: a deployment that keeps
the split, as Cloud Run's own commands do, then makes a revision at 0 %. The pin carries the rollout's note, and is
undone with it. A pipeline that moves the traffic all the same is not fought: its revision is probed at the share that
it has, and taken back if it fails. One that replaces the whole service removes the note, and that ends the automation.
"""

from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from shared.adapters.deploy_methods import CLOCK_SKEW, DeployOrder, Pipeline, PipelineRun
from shared.adapters.google.builds import list_image_digests
from shared.adapters.google.clients import TIMEOUT_SECONDS, GoogleClients
from shared.adapters.google.cloud_run_deployer import CloudRunDeployer
from shared.adapters.google.cloud_run_revisions import BUILD_LABEL, find_serving_container, read_readiness, read_service
from shared.adapters.google.errors import translate_errors
from shared.adapters.google.image_name import parse_image_name
from shared.adapters.google.traffic import (
    RolloutNote,
    expects_latest,
    format_label_value,
    get_last_segment,
    read_note,
    read_wanted_split,
    remember_rollouts,
    sum_by_revision,
)
from shared.errors import Reject
from shared.ports import Clock
from shared.proof.model.target import NO_IMAGE_NEEDED, ImageCheck
from shared.proposal.rollout import Deployment, DeploymentProgress
from shared.service import Service
from shared.text.timestamps import format_rfc3339

if TYPE_CHECKING:
    from google.cloud.run_v2 import Revision as RunRevision
    from google.cloud.run_v2 import Service as RunService

_OPERATION_PREFIX = "pipeline:"
"""How the name of an operation begins; no revision's name has a colon."""


class PipelineDeployer:
    """Implements `shared.ports.Deployer`."""

    def __init__(self, clients: GoogleClients, pipeline: Pipeline, clock: Clock) -> None:
        self._clients = clients
        self._images = CloudRunDeployer(clients)
        self._pipeline = pipeline
        self._clock = clock

    def find(self, service: Service, marker: str) -> str | None:
        """See `shared.ports.Deployer`."""
        note = read_note(read_service(self._clients, service))
        if note is None or (not note.commit and note.marker == marker):
            return self._images.find(service, marker)
        if note.marker != marker:
            return dict(note.former).get(marker) or None
        begun = note.revision or self._pipeline.find_run(service, _order_from_note(note)) is not None
        return f"{_OPERATION_PREFIX}{marker}" if begun else None

    def check_image(self, service: Service, commit: str) -> ImageCheck:
        """See `shared.ports.Deployer`: the pipeline builds it."""
        del service, commit
        return NO_IMAGE_NEEDED

    def start(self, service: Service, marker: str, commit: str, etag: str) -> str:
        """See `shared.ports.Deployer`. A ready revision of the commit is taken, and nothing is built."""
        run = read_service(self._clients, service)
        note = read_note(run)
        if note is None or (note.marker, note.commit) != (marker, commit):
            if run.etag != etag:
                raise Reject("stale", f"the service is at {run.etag}, not at {etag}")
            existing = self._images.find_ready_revision(service, run, commit)
            if existing:
                return self._images.adopt_revision(run, marker, existing)
            note = self._pin_traffic(service, run, marker, commit)
        elif get_last_segment(run.latest_created_revision) != note.latest or sum_by_revision(
            read_wanted_split(run)
        ) != sum_by_revision(note.left):
            raise Reject("stale", f"{service.name} has changed since its traffic was pinned")
        try:
            self._pipeline.start_run(service, _order_from_note(note))
        except Reject:
            self._images.unpin_traffic(service, marker)
            raise
        return f"{_OPERATION_PREFIX}{marker}"

    def state(self, service: Service, operation: str) -> Deployment:
        """See `shared.ports.Deployer`."""
        if not operation.startswith(_OPERATION_PREFIX):
            return self._images.state(service, operation)
        run = read_service(self._clients, service)
        note = read_note(run)
        if note is None or note.marker != operation.removeprefix(_OPERATION_PREFIX):
            reason = "its pipeline replaces the whole service, or a user has edited it"
            return Deployment(
                DeploymentProgress.FAILED, detail=f"The rollout annotation is missing from {service.name}: {reason}."
            )
        if note.revision:
            return replace(
                self._images.state(service, note.revision),
                traffic_percent=sum_by_revision(note.left).get(note.revision, 0),
            )
        pipeline_run = self._pipeline.find_run(service, _order_from_note(note))
        if pipeline_run is None or pipeline_run.progress is DeploymentProgress.RUNNING:
            return Deployment(DeploymentProgress.RUNNING)
        if pipeline_run.progress is DeploymentProgress.FAILED:
            return Deployment(DeploymentProgress.FAILED, detail=pipeline_run.detail)
        return self._find_deployed_revision(service, run, note, pipeline_run)

    def shift_traffic(self, service: Service, revision: str, percent: int) -> None:
        """See `shared.ports.Deployer`. The traffic stays pinned while a run that was given up may still deploy."""
        self._images.shift_traffic(service, revision, percent, pinned=self._may_still_deploy(service))

    def _may_still_deploy(self, service: Service) -> bool:
        note = read_note(read_service(self._clients, service))
        if note is None or not note.commit or note.revision:
            return False
        pipeline_run = self._pipeline.find_run(service, _order_from_note(note))
        return pipeline_run is None or pipeline_run.progress is DeploymentProgress.RUNNING

    def _pin_traffic(self, service: Service, run: "RunService", marker: str, commit: str) -> RolloutNote:
        since = format_rfc3339(self._clock.now())
        self._pipeline.require_traceable(service, DeployOrder(marker, commit, self._clock.now()))
        before, newest = read_wanted_split(run), get_last_segment(run.latest_created_revision)
        note = RolloutNote(
            marker,
            "",
            newest,
            expects_latest(run, read_note(run)),
            before,
            before,
            commit,
            since,
            remember_rollouts(read_note(run)),
        )
        self._images.pin_traffic(run, note)
        return note

    def _find_deployed_revision(
        self, service: Service, run: "RunService", note: RolloutNote, pipeline_run: PipelineRun
    ) -> Deployment:
        """The revision that the run has left; a run that is over may deploy a little later."""
        since = datetime.fromisoformat(note.since) - CLOCK_SKEW
        made = [revision for revision in self._images.list_revisions(service) if revision.create_time >= since]
        own_revision = (
            next((revision for revision in made if _is_made_by(revision, pipeline_run)), None)
            or next((revision for revision in made if note.commit in dict(revision.labels).values()), None)
            or next(
                (
                    revision
                    for revision in made
                    if get_last_segment(revision.name) == get_last_segment(run.latest_created_revision)
                ),
                None,
            )
        )
        if own_revision is None or get_last_segment(own_revision.name) == note.latest:
            return Deployment(DeploymentProgress.RUNNING)
        ready, detail = read_readiness(own_revision)
        if ready is None:
            return Deployment(DeploymentProgress.RUNNING)
        if not ready:
            return Deployment(DeploymentProgress.FAILED, get_last_segment(own_revision.name), detail)
        return Deployment(
            DeploymentProgress.DONE,
            get_last_segment(own_revision.name),
            needs_address=True,
            traffic_percent=sum_by_revision(read_wanted_split(run)).get(get_last_segment(own_revision.name), 0),
        )


def _order_from_note(note: RolloutNote) -> DeployOrder:
    return DeployOrder(note.marker, note.commit, datetime.fromisoformat(note.since))


def _is_made_by(revision: "RunRevision", pipeline_run: PipelineRun) -> bool:
    noted = {**dict(revision.annotations), **dict(revision.labels)}
    if pipeline_run.build and noted.get(BUILD_LABEL) == pipeline_run.build:
        return True
    return parse_image_name(find_serving_container(revision.containers).image).digest in pipeline_run.digests


if TYPE_CHECKING:
    from google.cloud.devtools.cloudbuild_v1 import Build

ORDER_SUBSTITUTION = "_PROVENFIX"
_BUILDS_PER_PAGE = 50
_MAX_BUILD_PAGES = 4
_RUNNING_STATUSES = frozenset(("STATUS_UNKNOWN", "PENDING", "QUEUED", "WORKING"))


class CloudBuildPipeline:
    """Implements `shared.adapters.deploy_methods.Pipeline`."""

    def __init__(self, clients: GoogleClients) -> None:
        self._clients = clients

    def require_traceable(self, service: Service, order: DeployOrder) -> None:
        """A build carries its order."""

    def find_run(self, service: Service, order: DeployOrder) -> PipelineRun | None:
        """See `shared.adapters.deploy_methods.Pipeline`."""
        parent, _, _ = service.deploy_trigger.partition("/triggers/")
        request = {
            "parent": parent,
            "project_id": parent.split("/")[1],
            "filter": f'create_time>="{format_rfc3339(order.since - CLOCK_SKEW)}"',
            "page_size": _BUILDS_PER_PAGE,
        }
        with translate_errors(f"Cloud Build, builds of {service.name}"):
            pages = self._clients.builds.list_builds(request, timeout=TIMEOUT_SECONDS, retry=None).pages
            builds = [build for page in islice(pages, _MAX_BUILD_PAGES) for build in page.builds]
        return next(
            (
                _parse_build(build)
                for build in builds
                if build.substitutions.get(ORDER_SUBSTITUTION) == format_label_value(order.marker)
            ),
            None,
        )

    def start_run(self, service: Service, order: DeployOrder) -> None:
        """See `shared.adapters.deploy_methods.Pipeline`."""
        path = service.deploy_trigger
        source = {"commit_sha": order.commit, "substitutions": {ORDER_SUBSTITUTION: format_label_value(order.marker)}}
        request = {"name": path, "project_id": path.split("/")[1], "trigger_id": path.rpartition("/")[2]}
        with translate_errors(f"Cloud Build, {path}"):
            self._clients.builds.run_build_trigger({**request, "source": source}, timeout=TIMEOUT_SECONDS, retry=None)


def _parse_build(build: "Build") -> PipelineRun:
    status = build.status.name
    if status in _RUNNING_STATUSES:
        return PipelineRun(DeploymentProgress.RUNNING)
    if status == "SUCCESS":
        return PipelineRun(DeploymentProgress.DONE, build=str(build.id), digests=tuple(list_image_digests(build)))
    detail = f" {build.status_detail}" if build.status_detail else ""
    return PipelineRun(
        DeploymentProgress.FAILED,
        f"Build {build.id} ended with {status}.{detail} {build.log_url}".strip(),
        str(build.id),
    )
