"""The dead letters of Pub/Sub: messages that no function took, read and replayed with Google's own client."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from google.api_core.exceptions import DeadlineExceeded, GoogleAPICallError
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

from shared.adapters.delivery import DeadLetter
from shared.errors import Retry

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
        message, attributes = received.message, dict(received.message.attributes)
        project = attributes.get(f"{SOURCE_ATTRIBUTE}SubscriptionProject", self._project)
        topic = self._find_topic(
            self._subscriber.subscription_path(project, attributes.get(f"{SOURCE_ATTRIBUTE}Subscription", ""))
        )
        attempts = int(attributes.get(f"{SOURCE_ATTRIBUTE}DeliveryCount", "0"))
        own = {name: value for name, value in attributes.items() if not name.startswith(SOURCE_ATTRIBUTE)}
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
    def _subscriber(self) -> SubscriberClient:
        return SubscriberClient()

    @cached_property
    def _publisher(self) -> PublisherClient:
        return PublisherClient()
