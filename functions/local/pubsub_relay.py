"""Carries messages from Pub/Sub to the functions while a block runs: streaming pull, POST, acknowledge on 2xx."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from functions.local.function_client import DeliveryTarget
from shared.adapters.delivery import Delivery

if TYPE_CHECKING:
    from google.cloud.pubsub_v1.subscriber.message import Message

_PUBSUB_CONCURRENCY = 4
"""Deliveries of one topic under way."""
_PUBSUB_PREFETCH = 100
"""Messages of one topic that are held before they are carried."""


@contextmanager
def relay_pubsub(project: str, prefix: str, targets: Mapping[str, DeliveryTarget]) -> Iterator[None]:
    """Delivers each topic of `doors` through its door. A delivery under way is finished before the block is left."""
    from google.cloud.pubsub_v1 import SubscriberClient  # noqa: PLC0415
    from google.cloud.pubsub_v1.subscriber.scheduler import ThreadScheduler  # noqa: PLC0415
    from google.cloud.pubsub_v1.types import FlowControl  # noqa: PLC0415

    flow = FlowControl(max_messages=_PUBSUB_PREFETCH)
    with SubscriberClient() as subscriber:
        streams = [
            subscriber.subscribe(
                subscriber.subscription_path(project, prefix + topic),
                _create_callback(topic, door),
                flow_control=flow,
                scheduler=ThreadScheduler(ThreadPoolExecutor(_PUBSUB_CONCURRENCY)),
                await_callbacks_on_shutdown=True,
            )
            for topic, door in targets.items()
        ]
        try:
            yield
        finally:
            for stream in streams:
                stream.cancel()
            for stream in streams:
                stream.result()
            for door in targets.values():
                door.close()


def _create_callback(topic: str, target: DeliveryTarget) -> "Callable[[Message], None]":
    def carry(message: "Message") -> None:
        attempt = message.delivery_attempt or 1
        attributes = dict(message.attributes)
        at = message.publish_time
        taken = target.deliver(Delivery(message.message_id, topic, message.data, attributes, at, attempt))
        message.ack() if taken else message.nack()

    return carry
