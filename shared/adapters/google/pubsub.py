"""Pub/Sub as the bus: a message of names and texts in, one published message with JSON in its body out.

Publishing is over REST, like the store: importing the client took 0.7 s of processor time, urllib3 0.2 s (2026-11,
Python 3.11), and a function publishes one message. Dead letters are read with the client, by commands.
https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.topics/publish
"""

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from shared.adapters.delivery import DeadLetter
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

    def publish_raw(self, topic: str, bodies: Iterable[bytes], attributes: Mapping[str, str] | None = None) -> None:
        """Publishes bodies as they are. After Retry, some of them may have been taken."""
        path = self._topics + topic
        for some in _split_into_requests(iter(bodies)):
            messages = [{"data": base64.b64encode(body).decode(), "attributes": attributes or {}} for body in some]
            try:
                # Taken twice is as good as once: whoever reads it meets copies anyway.
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


if TYPE_CHECKING:
    from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

SOURCE_ATTRIBUTE = "CloudPubSubDeadLetterSource"
"""What the names of the attributes begin with that Pub/Sub adds to a dead letter."""
_MAX_PULLS = 3
_PULL_SECONDS = 2.0
_MAX_PULLED = 1_000


class PubSubDeadLetters:
    """Reads `subscription` of one project: the one of the dead-letter topic that all subscriptions share."""

    def __init__(self, project: str, subscription: str, seconds: float = 20.0) -> None:
        self._project = project
        self._subscription = subscription
        self._seconds = seconds
        self._topics: dict[str, str] = {}

    def list_waiting(self, limit: int = 100) -> Sequence[DeadLetter]:
        """See `shared.adapters.delivery.DeadLetters`."""
        with self._hold_messages(limit) as held:
            letters = [self._parse_letter(received) for received in held.values()]
        return sorted(letters, key=lambda letter: letter.published_at)

    def replay(self, letter: DeadLetter) -> None:
        """See `shared.adapters.delivery.DeadLetters`. Published first, taken out then: better twice than never."""
        with self._hold_messages(_MAX_PULLED) as held:
            if letter.id in held:
                self._publisher.publish(letter.topic, letter.data, **letter.attributes).result(self._seconds)
                self._acknowledge(held.pop(letter.id))

    def discard(self, letter: DeadLetter) -> None:
        """See `shared.adapters.delivery.DeadLetters`."""
        with self._hold_messages(_MAX_PULLED) as held:
            if letter.id in held:
                self._acknowledge(held.pop(letter.id))

    def close(self) -> None:
        """Ends the connections."""
        self._subscriber.close()
        self._publisher.stop()
        self._publisher.transport.close()

    @contextmanager
    def _hold_messages(self, limit: int) -> Iterator[dict[str, Any]]:
        """Messages by id; those that are still in the mapping at the end are let go."""
        from google.api_core.exceptions import GoogleAPICallError  # noqa: PLC0415

        try:
            held = self._pull(limit)
            try:
                yield held
            finally:
                if held:
                    ids = [received.ack_id for received in held.values()]
                    self._subscriber.modify_ack_deadline(
                        subscription=self._subscription_path, ack_ids=ids, ack_deadline_seconds=0
                    )
        except GoogleAPICallError as error:
            raise Retry(f"{self._subscription_path}: {type(error).__name__}") from error

    def _pull(self, limit: int) -> dict[str, Any]:
        from google.api_core.exceptions import DeadlineExceeded  # noqa: PLC0415

        held: dict[str, Any] = {}
        for _ in range(_MAX_PULLS):
            if len(held) >= limit:
                break
            request = {"subscription": self._subscription_path, "max_messages": limit - len(held)}
            try:
                answer = self._subscriber.pull(request, retry=None, timeout=_PULL_SECONDS)
            except DeadlineExceeded:  # how a pull says that there is nothing
                break
            held |= {received.message.message_id: received for received in answer.received_messages}
        return held

    def _acknowledge(self, received: Any) -> None:  # the library has no types
        self._subscriber.acknowledge(subscription=self._subscription_path, ack_ids=[received.ack_id])

    def _parse_letter(self, received: Any) -> DeadLetter:  # the library has no types
        message, told = received.message, dict(received.message.attributes)
        project = told.get(f"{SOURCE_ATTRIBUTE}SubscriptionProject", self._project)
        topic = self._find_topic(
            self._subscriber.subscription_path(project, told.get(f"{SOURCE_ATTRIBUTE}Subscription", ""))
        )
        attempts = int(told.get(f"{SOURCE_ATTRIBUTE}DeliveryCount", "0"))
        own = {name: value for name, value in told.items() if not name.startswith(SOURCE_ATTRIBUTE)}
        return DeadLetter(message.message_id, topic, message.data, own, message.publish_time, attempts)

    def _find_topic(self, subscription: str) -> str:
        """The full name of the topic; the name of a subscription need not resemble it."""
        if subscription not in self._topics:
            self._topics[subscription] = self._subscriber.get_subscription(subscription=subscription).topic
        return self._topics[subscription]

    @property
    def _subscription_path(self) -> str:
        return str(self._subscriber.subscription_path(self._project, self._subscription))

    @cached_property
    def _subscriber(self) -> "SubscriberClient":
        from google.cloud.pubsub_v1 import SubscriberClient  # noqa: PLC0415

        return SubscriberClient()

    @cached_property
    def _publisher(self) -> "PublisherClient":
        from google.cloud.pubsub_v1 import PublisherClient  # noqa: PLC0415

        return PublisherClient()
