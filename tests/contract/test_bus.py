"""Every bus hands over what was published: Pub/Sub, the SQLite queue, and the fake that the other tests use."""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.adapters.google.pubsub import PubSubBus
from shared.adapters.sqlite.sqlite_queue import SqliteQueue
from shared.errors import Retry
from shared.ports import Bus
from tests.support.memory import MemoryBus

TOPICS = ("boats-seen", "boats-lost")
Message = Mapping[str, str]
_worlds = itertools.count(1)


@dataclass(frozen=True)
class Bench:
    """A bus, and a way to see all that waits on a topic."""

    bus: Bus
    waiting: Callable[[str], list[Message]]


def in_memory(_request: pytest.FixtureRequest, _folder: Path) -> Iterator[Bench]:
    bus = MemoryBus()
    yield Bench(bus, lambda topic: [message for name, message in bus.waiting if name == topic])


def in_sqlite(_request: pytest.FixtureRequest, folder: Path) -> Iterator[Bench]:
    queue = SqliteQueue(folder / "queue.db")
    yield Bench(queue, lambda topic: [json.loads(each.data) for each in queue.lease(topic, 100, 60.0)])
    queue.close()


def in_pubsub(request: pytest.FixtureRequest, _folder: Path) -> Iterator[Bench]:
    from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient  # noqa: PLC0415

    emulator = request.getfixturevalue("emulators").environment["PUBSUB_EMULATOR_HOST"]
    project = f"bus-{next(_worlds)}"
    with PublisherClient() as publisher, SubscriberClient() as subscriber:
        for topic in TOPICS:
            path = publisher.topic_path(project, f"provenfix-{topic}")
            publisher.create_topic(name=path)
            subscriber.create_subscription(name=subscriber.subscription_path(project, topic), topic=path)

        def waiting(topic: str) -> list[Message]:
            path = subscriber.subscription_path(project, topic)
            pulled = subscriber.pull(subscription=path, max_messages=100, timeout=5).received_messages
            return [json.loads(each.message.data) for each in pulled]

        bus = PubSubBus(project, emulator=emulator)
        yield Bench(bus, waiting)
        bus.close()


@pytest.fixture(params=[in_memory, in_sqlite, in_pubsub], ids=lambda kind: kind.__name__)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    yield from request.param(request, tmp_path)


def test_a_message_arrives_as_it_was_published(bench: Bench) -> None:
    message = {"boat": "Föhn \N{SAILBOAT}", "": "no name", "odd": "\x00\\n\ud83d"}
    bench.bus.publish("boats-seen", message)
    assert bench.waiting("boats-seen") == [message]


def test_a_message_goes_to_its_own_topic_only(bench: Bench) -> None:
    bench.bus.publish("boats-seen", {"boat": "heron"})
    bench.bus.publish("boats-lost", {"boat": "egret"})
    assert bench.waiting("boats-seen") == [{"boat": "heron"}]
    assert bench.waiting("boats-lost") == [{"boat": "egret"}]


def test_equal_messages_are_messages_of_their_own(bench: Bench) -> None:
    bench.bus.publish("boats-seen", {"boat": "heron"})
    bench.bus.publish("boats-seen", {"boat": "heron"})
    seen = bench.waiting("boats-seen")
    assert (seen or []) + (bench.waiting("boats-seen") if len(seen) < 2 else []) == [{"boat": "heron"}] * 2


def test_a_bus_that_cannot_be_reached_asks_to_be_tried_again(tmp_path: Path) -> None:
    away = PubSubBus("bus-away", seconds=0.3, emulator="127.0.0.1:1")
    nowhere = SqliteQueue(tmp_path)
    for bus in (away, nowhere):
        with pytest.raises(Retry):
            bus.publish("boats-seen", {"boat": "heron"})
        bus.close()
