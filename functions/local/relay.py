"""Carries messages from the SQLite queue to the functions while a block runs, as Eventarc does in the cloud."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING

from functions.local import topology
from functions.local.function_client import DeliveryTarget
from functions.local.topology import DeliveryPolicy
from shared.adapters.delivery import Delivery
from shared.adapters.sqlite.sqlite_queue import SqliteQueue
from shared.errors import Retry

_QUEUE_CONCURRENCY = 4
"""Deliveries of one topic under way."""
_IDLE_SECONDS = 0.05


@contextmanager
def relay_queue(queue: SqliteQueue, targets: Mapping[str, DeliveryTarget], policy: DeliveryPolicy) -> Iterator[None]:
    """Delivers each topic of `doors` through its door. A delivery under way is finished before the block is left."""
    over = Event()
    threads = [
        Thread(target=_relay_topic, args=(queue, *each, policy, over))
        for each in targets.items()
        for _ in range(_QUEUE_CONCURRENCY)
    ]
    try:
        for thread in threads:
            thread.start()
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
        for door in targets.values():
            door.close()


def _relay_topic(queue: SqliteQueue, topic: str, target: DeliveryTarget, policy: DeliveryPolicy, stop: Event) -> None:
    while not stop.is_set():
        try:
            if not _relay_batch(queue, topic, target, policy):
                stop.wait(_IDLE_SECONDS)
        except Retry:  # the file is busy: the lease brings back what was not settled
            stop.wait(_IDLE_SECONDS)


def _relay_batch(queue: SqliteQueue, topic: str, target: DeliveryTarget, policy: DeliveryPolicy) -> bool:
    """False where nothing is due. What was taken is acknowledged in one go: each write to the disk costs as much."""
    deliveries = queue.lease(topic, topology.PREFETCH.get(topic, 1), policy.lease)
    taken = []
    for delivery in deliveries:
        if target.deliver(delivery):
            taken.append(delivery)
        else:
            queue.release(delivery, policy.retry_delay(delivery.attempt))
    if taken:
        queue.acknowledge_all(taken)
    return bool(deliveries)


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
