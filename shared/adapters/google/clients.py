"""Google's client libraries; each client is created when it is first used."""
# ruff: noqa: PLC0415  # each of these libraries takes half a second or more to import, and a request needs one or two

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import grpc
    from google.cloud.artifactregistry_v1 import ArtifactRegistryClient
    from google.cloud.devtools.cloudbuild_v1 import CloudBuildClient
    from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client
    from google.cloud.run_v2 import RevisionsClient, ServicesClient

    from shared.adapters.google.image_registry import ImageRegistry


class GoogleClients:
    """`channel` connects to somewhere else than Google, without credentials: the tests' servers."""

    def __init__(
        self, channel: "Callable[[], grpc.Channel] | None" = None, registry: "ImageRegistry | None" = None
    ) -> None:
        self._channel = channel
        self.registry = registry
        """What images say themselves; None where nobody may ask."""

    @cached_property
    def services(self) -> "ServicesClient":
        """Cloud Run's services."""
        from google.cloud.run_v2 import ServicesClient

        return ServicesClient(transport=self._transport(ServicesClient))

    @cached_property
    def revisions(self) -> "RevisionsClient":
        """Cloud Run's revisions."""
        from google.cloud.run_v2 import RevisionsClient

        return RevisionsClient(transport=self._transport(RevisionsClient))

    @cached_property
    def builds(self) -> "CloudBuildClient":
        """Cloud Build."""
        from google.cloud.devtools.cloudbuild_v1 import CloudBuildClient

        return CloudBuildClient(transport=self._transport(CloudBuildClient))

    @cached_property
    def images(self) -> "ArtifactRegistryClient":
        """Artifact Registry."""
        from google.cloud.artifactregistry_v1 import ArtifactRegistryClient

        return ArtifactRegistryClient(transport=self._transport(ArtifactRegistryClient))

    @cached_property
    def logging(self) -> "LoggingServiceV2Client":
        """Cloud Logging."""
        from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client

        return LoggingServiceV2Client(transport=self._transport(LoggingServiceV2Client))

    def _transport(self, client: Any) -> Any:
        """None lets the client make its own."""
        return client.get_transport_class("grpc")(channel=self._channel()) if self._channel else None


def open_loopback_channel(address: str) -> "Callable[[], grpc.Channel]":
    """What connects to a server on this machine, without credentials."""

    def channel() -> "grpc.Channel":
        import grpc

        return grpc.insecure_channel(address)

    return channel


TIMEOUT_SECONDS = 20.0
"""How long an answer is waited for."""
