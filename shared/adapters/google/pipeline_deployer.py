"""Brings a commit into service on Cloud Run by the owners' own pipeline: a commit in, a revision without traffic out.

Pipelines deploy as people do, and a service that follows its newest revision would give whatever they make all of the
traffic. So the traffic is pinned to the revisions that have it, by name, before anything is begun: a deployment that
keeps the split, as Cloud Run's own commands do, then makes a revision at 0 %. The pin carries the rollout's note, and
is undone with it. A pipeline that moves the traffic all the same is not fought: its revision is probed at the share
that it has, and taken back if it fails. One that replaces the whole service removes the note, and that ends the
automation.
"""

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from shared.adapters.google.clients import Clients
from shared.adapters.google.cloud_run_deployer import CloudRunDeployer, readiness
from shared.adapters.google.cloud_run_revisions import BUILD_LABEL, read_service, serving_container
from shared.adapters.google.image_name import image_name
from shared.adapters.google.rollout_note import Note, begun_by, note_of
from shared.adapters.google.traffic import follows_latest, short, sums, targets
from shared.adapters.pipeline import SKEW, Order, Pipeline, Run
from shared.errors import Reject
from shared.ports import Clock
from shared.proposal.rollout import Deployment, DeploymentProgress
from shared.service import Service
from shared.text.timestamps import format_rfc3339

if TYPE_CHECKING:
    from google.cloud.run_v2 import Revision as RunRevision
    from google.cloud.run_v2 import Service as RunService

_OPERATION = "pipeline:"
"""How the name of an operation begins; no revision's name has a colon."""


class PipelineDeployer:
    """Implements `shared.ports.Deployer`."""

    def __init__(self, clients: Clients, pipeline: Pipeline, clock: Clock) -> None:
        self._clients = clients
        self._images = CloudRunDeployer(clients)
        self._pipeline = pipeline
        self._clock = clock

    def find(self, service: Service, marker: str) -> str | None:
        """See `shared.ports.Deployer`."""
        note = note_of(read_service(self._clients, service))
        if note is None or (not note.commit and note.marker == marker):
            return self._images.find(service, marker)
        if note.marker != marker:
            return dict(note.former).get(marker) or None
        begun = note.revision or self._pipeline.find(service, _order(note)) is not None
        return f"{_OPERATION}{marker}" if begun else None

    def start(self, service: Service, marker: str, commit: str, etag: str) -> str:
        """See `shared.ports.Deployer`. A ready revision of the commit is taken, and nothing is built."""
        run = read_service(self._clients, service)
        note = note_of(run)
        if note is None or (note.marker, note.commit) != (marker, commit):
            if run.etag != etag:
                raise Reject("stale", f"the service is at {run.etag}, not at {etag}")
            existing = self._images.existing(service, run, commit)
            if existing:
                return self._images.take(run, marker, existing)
            note = self._pin(service, run, marker, commit)
        elif short(run.latest_created_revision) != note.latest or sums(targets(run)) != sums(note.left):
            raise Reject("stale", f"{service.name} has changed since its traffic was pinned")
        try:
            self._pipeline.begin(service, _order(note))
        except Reject:
            self._images.release(service, marker)
            raise
        return f"{_OPERATION}{marker}"

    def state(self, service: Service, operation: str) -> Deployment:
        """See `shared.ports.Deployer`."""
        if not operation.startswith(_OPERATION):
            return self._images.state(service, operation)
        run = read_service(self._clients, service)
        note = note_of(run)
        if note is None or note.marker != operation.removeprefix(_OPERATION):
            told = "its pipeline replaces the whole service, or somebody has edited it"
            return Deployment(DeploymentProgress.FAILED, detail=f"The note of the rollout is gone from {service.name}: {told}.")
        if note.revision:
            return replace(self._images.state(service, note.revision), share=sums(note.left).get(note.revision, 0))
        found = self._pipeline.find(service, _order(note))
        if found is None or found.progress is DeploymentProgress.RUNNING:
            return Deployment(DeploymentProgress.RUNNING)
        if found.progress is DeploymentProgress.FAILED:
            return Deployment(DeploymentProgress.FAILED, detail=found.detail)
        return self._made(service, run, note, found)

    def shift(self, service: Service, revision: str, percent: int) -> None:
        """See `shared.ports.Deployer`. The traffic stays pinned while a run that was given up may still deploy."""
        self._images.shift(service, revision, percent, pinned=self._may_deploy(service))

    def _may_deploy(self, service: Service) -> bool:
        note = note_of(read_service(self._clients, service))
        if note is None or not note.commit or note.revision:
            return False
        found = self._pipeline.find(service, _order(note))
        return found is None or found.progress is DeploymentProgress.RUNNING

    def _pin(self, service: Service, run: "RunService", marker: str, commit: str) -> Note:
        since = format_rfc3339(self._clock.now())
        self._pipeline.check(service, Order(marker, commit, self._clock.now()))
        before, newest = targets(run), short(run.latest_created_revision)
        note = Note(marker, "", newest, follows_latest(run), before, before, commit, since, begun_by(note_of(run)))
        self._images.pin(run, note)
        return note

    def _made(self, service: Service, run: "RunService", note: Note, found: Run) -> Deployment:
        """The revision that the run has left; a run that is over may deploy a little later."""
        since = datetime.fromisoformat(note.since) - SKEW
        made = [each for each in self._images.revisions(service) if each.create_time >= since]
        mine = (
            next((each for each in made if _is_of(each, found)), None)
            or next((each for each in made if note.commit in dict(each.labels).values()), None)
            or next((each for each in made if short(each.name) == short(run.latest_created_revision)), None)
        )
        if mine is None or short(mine.name) == note.latest:
            return Deployment(DeploymentProgress.RUNNING)
        ready, told = readiness(mine)
        if ready is None:
            return Deployment(DeploymentProgress.RUNNING)
        if not ready:
            return Deployment(DeploymentProgress.FAILED, short(mine.name), told)
        return Deployment(
            DeploymentProgress.DONE, short(mine.name), untended=True, share=sums(targets(run)).get(short(mine.name), 0)
        )


def _order(note: Note) -> Order:
    return Order(note.marker, note.commit, datetime.fromisoformat(note.since))


def _is_of(revision: "RunRevision", found: Run) -> bool:
    noted = {**dict(revision.annotations), **dict(revision.labels)}
    if found.build and noted.get(BUILD_LABEL) == found.build:
        return True
    return image_name(serving_container(revision.containers).image).digest in found.digests
