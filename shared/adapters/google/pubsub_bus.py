"""Pub/Sub as the bus: a message of names and texts in, one published message with JSON in its body out."""

import json
from collections.abc import Mapping
from concurrent.futures import TimeoutError as NotInTime
from functools import cached_property
from typing import TYPE_CHECKING

from shared.errors import Retry

if TYPE_CHECKING:
    from google.cloud.pubsub_v1 import PublisherClient

PREFIX = "provenfix-"


class PubSubBus:
    """Publishes to the topics `provenfix-…` of one project; `PUBSUB_EMULATOR_HOST` leads to an emulator."""

    def __init__(self, project: str, prefix: str = PREFIX, seconds: float = 20.0) -> None:
        self._project = project
        self._prefix = prefix
        self._seconds = seconds

    def publish(self, topic: str, message: Mapping[str, str]) -> None:
        """See `shared.ports.Bus`. Returns when Pub/Sub has taken the message, so that nothing waits in a buffer."""
        from google.api_core.exceptions import GoogleAPICallError, RetryError  # noqa: PLC0415
        from google.auth.exceptions import TransportError  # noqa: PLC0415

        path = self._publisher.topic_path(self._project, self._prefix + topic)
        try:
            self._publisher.publish(path, json.dumps(message).encode(), timeout=self._seconds).result(self._seconds)
        except (GoogleAPICallError, RetryError, TransportError, NotInTime) as error:
            raise Retry(f"{path}: the message may not have been taken: {type(error).__name__}") from error

    def close(self) -> None:
        """Ends the connection and its threads."""
        self._publisher.stop()
        self._publisher.transport.close()

    @cached_property
    def _publisher(self) -> "PublisherClient":
        from google.cloud.pubsub_v1 import PublisherClient  # noqa: PLC0415
        from google.cloud.pubsub_v1.types import BatchSettings  # noqa: PLC0415

        # Each publish is waited for: a batch would only add its own delay.
        return PublisherClient(batch_settings=BatchSettings(max_messages=1))
