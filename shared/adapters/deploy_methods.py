"""A pipeline of the owners that builds and deploys a commit: what a deployer needs of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared.errors import Reject
from shared.ports import Deployer
from shared.proof.model.target import ImageCheck, ImageStatus
from shared.proposal.rollout import Deployment, DeploymentProgress
from shared.service import Service

CLOCK_SKEW = timedelta(minutes=2)
"""By how much two clocks may differ."""


@dataclass(frozen=True, slots=True)
class DeployOrder:
    """One deployment that was asked for."""

    marker: str
    commit: str
    since: datetime
    """No run of it began before this."""


@dataclass(frozen=True, slots=True)
class PipelineRun:
    """One run of a pipeline, as it is now."""

    progress: DeploymentProgress
    detail: str = ""
    """One sentence where it failed."""
    build: str = ""
    """The id of a build, where it is one."""
    digests: tuple[str, ...] = ()
    """Digests of the images that it made, where it reports them."""


class Pipeline(Protocol):
    """Raises Retry and Reject, as the ports do."""

    def require_traceable(self, service: Service, order: DeployOrder) -> None:
        """Raises Reject where a run could not be found again: then none may begin."""

    def find_run(self, service: Service, order: DeployOrder) -> PipelineRun | None:
        """The run of this order; None where there is none, or none yet."""

    def start_run(self, service: Service, order: DeployOrder) -> None:
        """*Effect.* Begins a run. Where the response was lost, `find` shows whether it did."""


class DeployMethodRouter:
    """Implements `shared.ports.Deployer`. `deployers` are by `Service.deploy_method`."""

    def __init__(self, deployers: Mapping[str, Deployer]) -> None:
        self._deployers = deployers

    def find(self, service: Service, marker: str) -> str | None:
        """See `shared.ports.Deployer`."""
        return self._deployer_for(service).find(service, marker)

    def check_image(self, service: Service, commit: str) -> ImageCheck:
        """See `shared.ports.Deployer`."""
        try:
            deployer = self._deployer_for(service)
        except Reject as refused:
            return ImageCheck(ImageStatus.UNKNOWN, refused.detail)
        return deployer.check_image(service, commit)

    def start(self, service: Service, marker: str, commit: str, etag: str) -> str:
        """See `shared.ports.Deployer`. Raises Reject where nothing deploys in this way."""
        return self._deployer_for(service).start(service, marker, commit, etag)

    def state(self, service: Service, operation: str) -> Deployment:
        """See `shared.ports.Deployer`."""
        return self._deployer_for(service).state(service, operation)

    def shift_traffic(self, service: Service, revision: str, percent: int) -> None:
        """See `shared.ports.Deployer`."""
        self._deployer_for(service).shift_traffic(service, revision, percent)

    def _deployer_for(self, service: Service) -> Deployer:
        deployer = self._deployers.get(service.deploy_method)
        if deployer is None:
            detail = f"{service.name} is deployed by {service.deploy_method}, for which nothing is configured here"
            raise Reject("no_deployer", f"{detail}; nothing was deployed")
        return deployer
