"""Both relays deliver until a function takes the message, and give up after the last attempt: emulator and SQLite."""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition

import pytest

from functions.local import pubsub_relay, relay, topology
from shared.adapters.delivery import DeadLetter, DeadLetters, Delivery, RawPublisher
from shared.adapters.google.dead_letters import PubSubDeadLetters
from shared.adapters.google.pubsub import PubSubBus
from shared.adapters.sqlite.sqlite_queue import SqliteQueue

HOW = topology.DeliveryPolicy(lease=10, min_retry_delay=0.1, max_retry_delay=0.1)
DEADLINE = 30.0
TOPIC = topology.SUBSCRIBERS[0].topic
_worlds = itertools.count(1)


@dataclass
class Porch:
    """Stands where a function's door is: refuses the bodies in `unwanted`, and remembers who came."""

    unwanted: set[bytes] = field(default_factory=set)
    came: list[tuple[bytes, int]] = field(default_factory=list)
    changed: Condition = field(default_factory=Condition)

    def deliver(self, delivery: Delivery) -> bool:
        with self.changed:
            self.came.append((delivery.data, delivery.attempt))
            self.changed.notify_all()
            return delivery.data not in self.unwanted

    def close(self) -> None:
        """Nothing to hang up."""

    def wait_for(self, condition: Callable[[], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(condition, DEADLINE), self.came

    def attempts(self, body: bytes) -> list[int]:
        return [attempt for data, attempt in self.came if data == body]


@dataclass(frozen=True)
class Line:
    """One way from publishing to a porch, which is open while the context is."""

    inlet: RawPublisher
    letters: DeadLetters
    open: Callable[[Porch], AbstractContextManager[None]]


def of_sqlite(_request: pytest.FixtureRequest, folder: Path) -> Iterator[Line]:
    queue = SqliteQueue(folder / "queue.db", HOW.attempts)
    yield Line(queue, queue, lambda porch: relay.relay_queue(queue, {TOPIC: porch}, HOW))
    queue.close()


def of_pubsub(request: pytest.FixtureRequest, _folder: Path) -> Iterator[Line]:
    emulator = request.getfixturevalue("emulators").environment["PUBSUB_EMULATOR_HOST"]
    project, prefix = f"relay-{next(_worlds)}", "test-"
    pubsub_relay.create_topics(project, prefix, HOW)
    bus = PubSubBus(project, prefix, emulator=emulator)
    letters = PubSubDeadLetters(project, prefix + topology.DEAD_LETTERS)
    yield Line(bus, letters, lambda porch: pubsub_relay.relay_pubsub(project, prefix, {TOPIC: porch}))
    bus.close()
    letters.close()


@pytest.fixture(params=[of_sqlite, of_pubsub], ids=lambda kind: kind.__name__)
def line(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Line]:
    yield from request.param(request, tmp_path)


def test_each_message_is_delivered_and_what_is_taken_comes_once(line: Line) -> None:
    bodies = {f"boat {number}".encode() for number in range(50)}
    porch = Porch()
    with line.open(porch):
        line.inlet.publish_raw(TOPIC, bodies, {"from": "pier"})
        porch.wait_for(lambda: {body for body, _ in porch.came} == bodies)
        line.inlet.publish_raw(TOPIC, [b"last"])
        porch.wait_for(lambda: porch.came[-1] == (b"last", 1))
    assert sorted(porch.came) == sorted((body, 1) for body in {*bodies, b"last"})


def test_what_is_refused_comes_again_until_it_is_taken(line: Line) -> None:
    porch = Porch(unwanted={b"heron"})
    with line.open(porch):
        line.inlet.publish_raw(TOPIC, [b"heron"])
        porch.wait_for(lambda: porch.attempts(b"heron") == [1, 2, 3])
        porch.unwanted.clear()
        porch.wait_for(lambda: porch.attempts(b"heron")[-1] == 4 or len(porch.came) > 4)
    assert porch.attempts(b"heron")[:4] == [1, 2, 3, 4]
    assert line.letters.list_waiting() == []


def test_malformed_message_becomes_a_dead_letter_and_others_pass(line: Line) -> None:
    porch = Porch(unwanted={b"poison", b"venom"})
    with line.open(porch):
        line.inlet.publish_raw(TOPIC, [b"poison", b"venom", b"heron"], {"from": "pier"})
        poison, venom = sorted(dead(line, 2), key=lambda letter: letter.data)
        line.inlet.publish_raw(TOPIC, [b"egret"])
        porch.wait_for(lambda: {b"heron", b"egret"} <= {body for body, _ in porch.came})
        assert porch.attempts(b"poison") == porch.attempts(b"venom") == list(range(1, HOW.attempts + 1))
        assert (poison.data, poison.attempts, poison.attributes) == (b"poison", HOW.attempts, {"from": "pier"})
        assert poison.topic.endswith(TOPIC)
        line.letters.discard(venom)
        assert [letter.data for letter in line.letters.list_waiting()] == [b"poison"]
        porch.unwanted.clear()
        line.letters.replay(poison)
        porch.wait_for(lambda: len(porch.attempts(b"poison")) == HOW.attempts + 1)
    assert [porch.attempts(body) for body in (b"heron", b"egret")] == [[1], [1]]
    assert porch.attempts(b"poison")[-1] == 1
    assert len(porch.attempts(b"venom")) == HOW.attempts
    assert line.letters.list_waiting() == []


def dead(line: Line, count: int) -> Sequence[DeadLetter]:
    """The dead letters, once there are so many."""
    deadline = time.monotonic() + DEADLINE
    while len(letters := line.letters.list_waiting()) < count:
        assert time.monotonic() < deadline, letters
    return letters
