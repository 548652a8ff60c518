"""Carries messages from Pub/Sub to the functions while a block runs: streaming pull, POST, acknowledge on 2xx."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from functions.local.function_client import Taker
from shared.adapters.delivery import Delivery

if TYPE_CHECKING:
    from google.cloud.pubsub_v1.subscriber.message import Message

_AT_ONCE = 4
"""Deliveries of one topic under way."""
_AHEAD = 100
"""Messages of one topic that are held before they are carried."""


@contextmanager
def relaying(project: str, prefix: str, doors: Mapping[str, Taker]) -> Iterator[None]:
    """Delivers each topic of `doors` through its door. A delivery under way is finished before the block is left."""
    from google.cloud.pubsub_v1 import SubscriberClient  # noqa: PLC0415
    from google.cloud.pubsub_v1.subscriber.scheduler import ThreadScheduler  # noqa: PLC0415
    from google.cloud.pubsub_v1.types import FlowControl  # noqa: PLC0415

    flow = FlowControl(max_messages=_AHEAD)
    with SubscriberClient() as subscriber:
        streams = [
            subscriber.subscribe(
                subscriber.subscription_path(project, prefix + topic),
                _carrier(topic, door),
                flow_control=flow,
                scheduler=ThreadScheduler(ThreadPoolExecutor(_AT_ONCE)),
                await_callbacks_on_shutdown=True,
            )
            for topic, door in doors.items()
        ]
        try:
            yield
        finally:
            for stream in streams:
                stream.cancel()
            for stream in streams:
                stream.result()
            for door in doors.values():
                door.close()


def _carrier(topic: str, door: Taker) -> "Callable[[Message], None]":
    def carry(message: "Message") -> None:
        attempt = message.delivery_attempt or 1
        attributes = dict(message.attributes)
        at = message.publish_time
        taken = door.take(Delivery(message.message_id, topic, message.data, attributes, at, attempt))
        message.ack() if taken else message.nack()

    return carry
