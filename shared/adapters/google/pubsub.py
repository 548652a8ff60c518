"""Pub/Sub as the bus: publishes each message as JSON.

Publishing is over REST, like the store: importing the client took 0.7 s of processor time, urllib3 0.2 s (2026-11,
Python 3.11), and a function publishes one message. Dead letters are read with the client, by commands.
https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.topics/publish
"""

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping

from shared.adapters.google.rest_client import RestClient, resolve_endpoint
from shared.errors import Retry
from shared.secret import Secret

PUBSUB_HOST = "pubsub.googleapis.com"
TOPIC_PREFIX = "provenfix-"
_MAX_MESSAGES_PER_REQUEST = 1_000
"""Messages in one request."""
_MAX_BYTES_PER_REQUEST = 5 << 20
"""Of their bodies; Pub/Sub takes requests of 10 MB, and base64 makes a third more of them."""


class PubSubBus:
    """Publishes to the topics `provenfix-…` of one project, or of an emulator. Raises ApiRefusal without permission."""

    def __init__(
        self,
        project: str,
        prefix: str = TOPIC_PREFIX,
        seconds: float = 20.0,
        *,
        emulator: str = "",
        token: Callable[[], Secret] | None = None,
    ) -> None:
        """`emulator` is a host and a port; without one `token` is an access token for Google's APIs."""
        self._topics = f"projects/{project}/topics/{prefix}"
        self._rest = RestClient(resolve_endpoint(PUBSUB_HOST, emulator, token), seconds)
        self._retry_for = seconds / 10

    def publish(self, topic: str, message: Mapping[str, str]) -> None:
        """See `shared.ports.Bus`. Returns when Pub/Sub has taken the message, so that nothing waits in a buffer."""
        self.publish_raw(topic, [json.dumps(message).encode()])

    def request(self, topic: str, message: Mapping[str, str]) -> None:
        """See `shared.ports.Bus`."""
        self.publish(topic, message)

    def publish_raw(self, topic: str, bodies: Iterable[bytes], attributes: Mapping[str, str] | None = None) -> None:
        """Publishes bodies as they are. After Retry, some of them may have been taken."""
        path = self._topics + topic
        for some in _split_into_requests(iter(bodies)):
            messages = [{"data": base64.b64encode(body).decode(), "attributes": attributes or {}} for body in some]
            try:
                # A second copy does no harm: every reader expects duplicates.
                self._rest.post(f"/v1/{path}:publish", {"messages": messages}, retry_for=self._retry_for)
            except Retry as lost:
                raise Retry(f"{path}: a message may not have been taken: {lost}") from lost

    def close(self) -> None:
        """Ends the connections."""
        self._rest.close()


def _split_into_requests(bodies: Iterator[bytes]) -> Iterator[list[bytes]]:
    """As many in each as one request may carry."""
    some: list[bytes] = []
    for body in bodies:
        if some and (
            len(some) >= _MAX_MESSAGES_PER_REQUEST or sum(map(len, some)) + len(body) > _MAX_BYTES_PER_REQUEST
        ):
            yield some
            some = []
        some.append(body)
    if some:
        yield some
