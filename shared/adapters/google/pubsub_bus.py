"""Pub/Sub as the bus: a message of names and texts in, one published message with JSON in its body out."""

import json
from collections.abc import Iterable, Mapping
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
        self.put(topic, [json.dumps(message).encode()])

    def put(self, topic: str, bodies: Iterable[bytes], attributes: Mapping[str, str] | None = None) -> None:
        """Publishes bodies as they are. After Retry, some of them may have been taken."""
        from google.api_core.exceptions import GoogleAPICallError, RetryError  # noqa: PLC0415
        from google.api_core.retry import Retry as PublishAgain  # noqa: PLC0415
        from google.auth.exceptions import TransportError  # noqa: PLC0415

        path = self._publisher.topic_path(self._project, self._prefix + topic)
        again = PublishAgain(timeout=self._seconds)
        sent = [
            self._publisher.publish(path, body, retry=again, timeout=self._seconds, **(attributes or {}))
            for body in bodies
        ]
        try:
            for one in sent:
                one.result(self._seconds)
        except (GoogleAPICallError, RetryError, TransportError, NotInTime) as error:
            raise Retry(f"{path}: a message may not have been taken: {type(error).__name__}") from error

    def close(self) -> None:
        """Ends the connection and its threads."""
        self._publisher.stop()
        self._publisher.transport.close()

    @cached_property
    def _publisher(self) -> "PublisherClient":
        from google.cloud.pubsub_v1 import PublisherClient  # noqa: PLC0415

        return PublisherClient()
