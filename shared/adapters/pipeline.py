"""Something of the owners' own that builds and deploys a commit when it is told to: what a deployer asks of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared.proposal.rollout import DeploymentProgress
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
    """One run of a pipeline, as it stands."""

    progress: DeploymentProgress
    detail: str = ""
    """One sentence where it failed."""
    build: str = ""
    """The id of a build, where it is one."""
    digests: tuple[str, ...] = ()
    """Of the images that it made, where it tells."""


class Pipeline(Protocol):
    """Raises Retry and Reject, as the ports do."""

    def require_traceable(self, service: Service, order: DeployOrder) -> None:
        """Raises Reject where a run could not be found again: then none may begin."""

    def find_run(self, service: Service, order: DeployOrder) -> PipelineRun | None:
        """The run of this order; None where there is none, or none yet."""

    def start_run(self, service: Service, order: DeployOrder) -> None:
        """*Effect.* Begins a run. Whether it did where the answer was lost, `find` tells."""
