"""Carries messages from the SQLite queue to the functions while a block runs, as Eventarc does in the cloud."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Event, Thread

from functions.local import topology
from functions.local.function_client import DeliveryTarget
from functions.local.topology import DeliveryPolicy
from shared.adapters.sqlite.sqlite_queue import SqliteQueue
from shared.errors import Retry

_CONCURRENCY = 4
"""Deliveries of one topic under way."""
_IDLE_SECONDS = 0.05


@contextmanager
def relay_queue(queue: SqliteQueue, targets: Mapping[str, DeliveryTarget], policy: DeliveryPolicy) -> Iterator[None]:
    """Delivers each topic to its target. A delivery in progress is finished before the block is left."""
    over = Event()
    threads = [
        Thread(target=_relay_topic, args=(queue, *entry, policy, over))
        for entry in targets.items()
        for _ in range(_CONCURRENCY)
    ]
    try:
        for thread in threads:
            thread.start()
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
        for target in targets.values():
            target.close()


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
