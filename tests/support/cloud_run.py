"""A platform that runs revisions and deploys commits: its state outlives the processes that talk to it."""
# ruff: noqa: ARG002  # a port's method takes what the real one needs

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.errors import Reject
from shared.ports import CHANGED_BY_HAND, Clock
from shared.proof.model.target import NO_IMAGE_NEEDED, ImageCheck
from shared.proposal.rollout import Deployment, DeploymentProgress, Revision, ServiceState
from shared.service import Service
from tests.support.memory import ClaimGuard


@dataclass
class FakeOperation:
    """One deployment: `marker` is the label by which it is found again."""

    service: str
    marker: str
    commit: str
    started_at: datetime
    revision: str


@dataclass
class FakeService:
    revisions: dict[str, Revision] = field(default_factory=dict)
    traffic: dict[str, int] = field(default_factory=dict)
    etag: int = 1


@dataclass
class FakeCloudRun:
    """Implements `shared.ports.Revisions` and `shared.ports.Deployer`."""

    clock: Clock
    deployment_time: timedelta = timedelta(seconds=60)
    """How long a deployment takes."""
    failure_reason: str = ""
    """Why deployments fail; "" where they do not."""
    address: str = ""
    """Where new revisions can be reached before they have any traffic; "" where they cannot."""
    unprobeable_reason: str = ""
    """Why no revision answers at its own address."""
    deploys_by_pipeline: bool = False
    """A pipeline makes the revisions: each has to be given its address before it can be tried."""
    pipeline_share: int = 0
    """Percent of the traffic that such a pipeline gives a revision by itself."""
    manual_change: str = ""
    """What a user has changed since the rollout began; "" where nobody has."""
    images: dict[str, ImageCheck] = field(default_factory=dict)
    """What is known of the images of commits; those that are not here need none."""
    services: dict[str, FakeService] = field(default_factory=dict)
    operations: list[FakeOperation] = field(default_factory=list)
    shifts: list[tuple[str, str, int]] = field(default_factory=list)
    require_claim: ClaimGuard = field(default_factory=lambda: ClaimGuard(strict=True))

    def deploy_manually(self, service: Service, name: str, commit: str | None) -> None:
        """A user deploys without an approval."""
        known = self.services.setdefault(service.id, FakeService())
        known.revisions[name] = Revision(name, commit, self.clock.now())
        known.traffic = {name: 100}
        known.etag += 1

    def get_service_state(self, service: Service) -> ServiceState:
        known = self.services[service.id]
        name = max(known.traffic, key=lambda revision: known.traffic[revision])
        return ServiceState(known.revisions[name], dict(known.traffic), str(known.etag), self.unprobeable_reason)

    def get_traffic(self, service: Service) -> Mapping[str, int]:
        known = self.services.get(service.id)
        return dict(known.traffic) if known is not None else {}

    def get_revision(self, service: Service, name: str) -> Revision | None:
        return self.services[service.id].revisions.get(name)

    def find(self, service: Service, marker: str) -> str | None:
        for index, operation in enumerate(self.operations):
            if (operation.service, operation.marker) == (service.id, marker):
                return str(index)
        return None

    def check_image(self, service: Service, commit: str) -> ImageCheck:
        return self.images.get(commit, NO_IMAGE_NEEDED)

    def start(self, service: Service, marker: str, commit: str, etag: str) -> str:
        self.require_claim("deploy")
        known = self.services[service.id]
        if etag != str(known.etag):
            raise Reject("stale", f"the service is at {known.etag}, not at {etag}")
        name = f"{service.name}-{len(known.revisions) + 1:05}-new"
        self.operations.append(FakeOperation(service.id, marker, commit, self.clock.now(), name))
        known.revisions[name] = Revision(name, commit, self.clock.now())
        known.etag += 1
        return str(len(self.operations) - 1)

    def state(self, service: Service, operation: str) -> Deployment:
        known = self.operations[int(operation)]
        if self.clock.now() < known.started_at + self.deployment_time:
            return Deployment(DeploymentProgress.RUNNING)
        if self.failure_reason:
            return Deployment(DeploymentProgress.FAILED, known.revision, self.failure_reason)
        untended = self.deploys_by_pipeline and (known.service, known.revision, 0) not in self.shifts
        url = "" if untended or self.unprobeable_reason else self.address
        return Deployment(
            DeploymentProgress.DONE,
            known.revision,
            url=url,
            unprobeable_reason=self.unprobeable_reason,
            needs_address=untended,
            traffic_percent=self.pipeline_share,
        )

    def shift_traffic(self, service: Service, revision: str, percent: int) -> None:
        self.require_claim("shift traffic")
        if self.manual_change:
            raise Reject(CHANGED_BY_HAND, self.manual_change)
        known = self.services[service.id]
        assert revision in known.revisions
        known.traffic = _split_traffic(known.traffic, revision, percent)
        known.etag += 1
        self.shifts.append((service.id, revision, percent))


def _split_traffic(traffic: Mapping[str, int], revision: str, percent: int) -> dict[str, int]:
    """The rest goes to whichever other revision served most."""
    others = {name: share for name, share in traffic.items() if name != revision}
    if percent == 100 or not others:
        return {revision: 100}
    return {revision: percent, max(others, key=lambda name: others[name]): 100 - percent}
