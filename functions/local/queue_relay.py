"""Carries messages from the SQLite queue to the functions while a block runs, as Eventarc does in the cloud."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Event, Thread

from functions.local import topology
from functions.local.function_client import Taker
from functions.local.topology import Delivering
from shared.adapters.sqlite.sqlite_queue import SqliteQueue
from shared.errors import Retry

_AT_ONCE = 4
"""Deliveries of one topic under way."""
_IDLE_SECONDS = 0.05


@contextmanager
def relaying(queue: SqliteQueue, doors: Mapping[str, Taker], how: Delivering) -> Iterator[None]:
    """Delivers each topic of `doors` through its door. A delivery under way is finished before the block is left."""
    over = Event()
    threads = [Thread(target=_carry, args=(queue, *each, how, over)) for each in doors.items() for _ in range(_AT_ONCE)]
    try:
        for thread in threads:
            thread.start()
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
        for door in doors.values():
            door.close()


def _carry(queue: SqliteQueue, topic: str, door: Taker, how: Delivering, over: Event) -> None:
    while not over.is_set():
        try:
            if not _carry_some(queue, topic, door, how):
                over.wait(_IDLE_SECONDS)
        except Retry:  # the file is busy: the lease brings back what was not settled
            over.wait(_IDLE_SECONDS)


def _carry_some(queue: SqliteQueue, topic: str, door: Taker, how: Delivering) -> bool:
    """False where nothing is due. What was taken is acknowledged in one go: each write to the disk costs as much."""
    deliveries = queue.take(topic, topology.AHEAD.get(topic, 1), how.lease)
    taken = []
    for delivery in deliveries:
        if door.take(delivery):
            taken.append(delivery)
        else:
            queue.release(delivery, how.pause(delivery.attempt))
    if taken:
        queue.acknowledge_all(taken)
    return bool(deliveries)
