"""The deployer of each service, by the way that its owners chose: a service in, what its deployer says out."""

from collections.abc import Mapping

from shared.errors import Reject
from shared.ports import Deployer
from shared.proposal.rollout import Deployment
from shared.service import Service


class DeployMethodRouter:
    """Implements `shared.ports.Deployer`. `deployers` are by `Service.deploy_method`."""

    def __init__(self, deployers: Mapping[str, Deployer]) -> None:
        self._deployers = deployers

    def find(self, service: Service, marker: str) -> str | None:
        """See `shared.ports.Deployer`."""
        return self._deployer_for(service).find(service, marker)

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
        found = self._deployers.get(service.deploy_method)
        if found is None:
            told = f"{service.name} is deployed by {service.deploy_method}, for which nothing is configured here"
            raise Reject("no_deployer", f"{told}; nothing was deployed")
        return found
