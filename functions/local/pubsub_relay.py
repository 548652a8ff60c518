"""Topics of the Pub/Sub emulator, and what carries their messages to the functions, as Eventarc does in the cloud.

Only `provenfix up` without `--embedded` uses it, and Google's client takes long to import.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
from google.cloud.pubsub_v1.subscriber.message import Message
from google.cloud.pubsub_v1.subscriber.scheduler import ThreadScheduler
from google.cloud.pubsub_v1.types import FlowControl

from functions.local.function_client import DeliveryTarget
from functions.local.topology import DEAD_LETTERS, SUBSCRIBERS, DeliveryPolicy
from shared.adapters.delivery import Delivery

_CONCURRENCY = 4
"""Deliveries of one topic under way."""
_PREFETCH = 100
"""Messages of one topic that are held before they are carried."""


def create_topics(project: str, prefix: str, policy: DeliveryPolicy) -> None:
    """One topic and one subscription of the same name for each reader, and one of each for the dead letters."""
    retry = {
        "minimum_backoff": timedelta(seconds=policy.min_retry_delay),
        "maximum_backoff": timedelta(seconds=policy.max_retry_delay),
    }
    with PublisherClient() as publisher, SubscriberClient() as subscriber:
        dead = publisher.topic_path(project, prefix + DEAD_LETTERS)
        publisher.create_topic(name=dead)
        subscriber.create_subscription(
            name=subscriber.subscription_path(project, prefix + DEAD_LETTERS), topic=dead, ack_deadline_seconds=60
        )
        for reader in SUBSCRIBERS:
            topic = publisher.topic_path(project, prefix + reader.topic)
            publisher.create_topic(name=topic)
            subscriber.create_subscription(
                request={
                    "name": subscriber.subscription_path(project, prefix + reader.topic),
                    "topic": topic,
                    "ack_deadline_seconds": policy.lease,
                    "dead_letter_policy": {"dead_letter_topic": dead, "max_delivery_attempts": policy.attempts},
                    "retry_policy": retry,
                }
            )


@contextmanager
def relay_pubsub(project: str, prefix: str, targets: Mapping[str, DeliveryTarget]) -> Iterator[None]:
    """Delivers each topic to its target. A delivery in progress is finished before the block is left."""
    flow = FlowControl(max_messages=_PREFETCH)
    with SubscriberClient() as subscriber:
        streams = [
            subscriber.subscribe(
                subscriber.subscription_path(project, prefix + topic),
                _create_callback(topic, target),
                flow_control=flow,
                scheduler=ThreadScheduler(ThreadPoolExecutor(_CONCURRENCY)),
                await_callbacks_on_shutdown=True,
            )
            for topic, target in targets.items()
        ]
        try:
            yield
        finally:
            for stream in streams:
                stream.cancel()
            for stream in streams:
                stream.result()
            for target in targets.values():
                target.close()


def _create_callback(topic: str, target: DeliveryTarget) -> "Callable[[Message], None]":
    def deliver(message: "Message") -> None:
        attempt = message.delivery_attempt or 1
        attributes = dict(message.attributes)
        at = message.publish_time
        taken = target.deliver(Delivery(message.message_id, topic, message.data, attributes, at, attempt))
        message.ack() if taken else message.nack()

    return deliver
