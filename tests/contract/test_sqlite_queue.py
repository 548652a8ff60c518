"""The queue of one machine delivers at least once, counts its attempts, and gives up after the last."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier

import pytest

from shared.adapters.sqlite.sqlite_queue import SqliteQueue


@dataclass
class Hands:
    """A clock that stands still until it is moved."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def queue(tmp_path: Path, clock: Hands) -> Iterator[SqliteQueue]:
    opened = SqliteQueue(tmp_path / "queue.db", attempts=3, clock=clock)
    yield opened
    opened.close()


def test_a_delivery_carries_body_attributes_and_time(queue: SqliteQueue) -> None:
    queue.publish_raw("boats", [b"\x00raw"], {"from": "pier 7"})
    [delivery] = queue.lease("boats", 10, 60)
    assert (delivery.topic, delivery.data, delivery.attributes, delivery.attempt) == (
        "boats",
        b"\x00raw",
        {"from": "pier 7"},
        1,
    )
    assert delivery.published_at.timestamp() == 1_000.0


def test_pending_is_what_is_neither_acknowledged_nor_dead(queue: SqliteQueue, clock: Hands) -> None:
    for boat in ("heron", "tern", "gull"):
        queue.publish("boats", {"boat": boat})
    queue.publish("buoys", {"buoy": "red"})
    first, second = queue.lease("boats", 2, 60)
    queue.acknowledge(first)
    assert queue.count_pending("boats") == 2
    for _ in range(3):
        queue.release(second)
        clock.now += 3_600
        [second] = queue.lease("boats", 1, 60)
    assert queue.count_pending("boats") + len(queue.list_waiting()) == 2


def test_what_is_held_is_not_delivered_to_anybody_else(queue: SqliteQueue) -> None:
    queue.publish("boats", {"boat": "heron"})
    assert len(queue.lease("boats", 10, 60)) == 1
    assert queue.lease("boats", 10, 60) == []


def test_what_is_acknowledged_never_comes_again(queue: SqliteQueue, clock: Hands) -> None:
    queue.publish("boats", {"boat": "heron"})
    [delivery] = queue.lease("boats", 10, 60)
    assert queue.acknowledge(delivery)
    clock.now += 3_600
    assert queue.lease("boats", 10, 60) == []
    assert queue.list_waiting() == []


def test_a_lease_that_ran_out_brings_the_message_again(queue: SqliteQueue, clock: Hands) -> None:
    queue.publish("boats", {"boat": "heron"})
    [first] = queue.lease("boats", 10, 60)
    clock.now += 59.9
    assert queue.lease("boats", 10, 60) == []
    clock.now += 0.1
    [second] = queue.lease("boats", 10, 60)
    assert (second.id, second.attempt) == (first.id, 2)


def test_only_the_latest_delivery_can_settle_a_message(queue: SqliteQueue, clock: Hands) -> None:
    queue.publish("boats", {"boat": "heron"})
    [late] = queue.lease("boats", 10, 60)
    clock.now += 60
    [latest] = queue.lease("boats", 10, 60)
    assert not queue.acknowledge(late)
    assert not queue.release(late)
    assert queue.acknowledge(latest)


def test_what_is_released_comes_again_after_the_pause(queue: SqliteQueue, clock: Hands) -> None:
    queue.publish("boats", {"boat": "heron"})
    [delivery] = queue.lease("boats", 10, 60)
    assert queue.release(delivery, 5)
    clock.now += 4.9
    assert queue.lease("boats", 10, 60) == []
    clock.now += 0.1
    assert [again.attempt for again in queue.lease("boats", 10, 60)] == [2]


def test_what_is_held_by_nobody_any_more_comes_again_at_once(queue: SqliteQueue) -> None:
    queue.publish("boats", {"boat": "heron"})
    queue.lease("boats", 1, 600)
    queue.release_all()
    assert [again.attempt for again in queue.lease("boats", 10, 60)] == [2]


def test_after_the_last_attempt_it_is_a_dead_letter(queue: SqliteQueue) -> None:
    queue.publish("boats", {"boat": "heron"})
    attempts = []
    while taken := queue.lease("boats", 10, 60):
        attempts.append(taken[0].attempt)
        queue.release(taken[0])
    assert attempts == [1, 2, 3]
    [letter] = queue.list_waiting()
    assert (letter.topic, json.loads(letter.data), letter.attempts) == ("boats", {"boat": "heron"}, 3)


def test_the_last_attempt_may_still_succeed(queue: SqliteQueue) -> None:
    queue.publish("boats", {"boat": "heron"})
    for _ in range(2):
        queue.release(queue.lease("boats", 1, 60)[0])
    assert queue.acknowledge(queue.lease("boats", 1, 60)[0])
    assert queue.lease("boats", 1, 60) == []
    assert queue.list_waiting() == []


def test_a_replayed_letter_has_all_its_attempts_again(queue: SqliteQueue) -> None:
    given_up(queue, "heron")
    [letter] = queue.list_waiting()
    queue.replay(letter)
    assert queue.list_waiting() == []
    assert [delivery.attempt for delivery in queue.lease("boats", 10, 60)] == [1]


def test_a_dropped_letter_is_gone(queue: SqliteQueue) -> None:
    given_up(queue, "heron")
    given_up(queue, "egret")
    queue.discard(queue.list_waiting()[0])
    assert [json.loads(letter.data)["boat"] for letter in queue.list_waiting()] == ["egret"]
    assert queue.lease("boats", 10, 60) == []


def test_a_poisoned_message_does_not_hold_up_the_next(queue: SqliteQueue) -> None:
    given_up(queue, "heron")
    queue.publish("boats", {"boat": "egret"})
    assert [json.loads(delivery.data)["boat"] for delivery in queue.lease("boats", 10, 60)] == ["egret"]


def test_the_age_is_that_of_the_oldest_message_under_way(queue: SqliteQueue, clock: Hands) -> None:
    assert queue.oldest_age("boats") == 0
    queue.publish("boats", {"boat": "heron"})
    clock.now += 90
    queue.publish("boats", {"boat": "egret"})
    assert queue.oldest_age("boats") == 90
    queue.acknowledge(queue.lease("boats", 1, 60)[0])
    assert queue.oldest_age("boats") == 0


def test_of_many_takers_each_gets_messages_of_its_own(tmp_path: Path) -> None:
    queues = [SqliteQueue(tmp_path / "queue.db") for _ in range(8)]
    queues[0].publish_raw("boats", [str(number).encode() for number in range(200)])
    start = Barrier(len(queues))

    def take_all(queue: SqliteQueue) -> list[str]:
        start.wait()
        mine: list[str] = []
        while taken := queue.lease("boats", 7, 60):
            mine += [delivery.id for delivery in taken]
        return mine

    with ThreadPoolExecutor(len(queues)) as pool:
        taken = [identity for mine in pool.map(take_all, queues) for identity in mine]
    for queue in queues:
        queue.close()
    assert len(taken) == 200
    assert len(set(taken)) == 200


def given_up(queue: SqliteQueue, boat: str) -> None:
    queue.publish("boats", {"boat": boat})
    while taken := queue.lease("boats", 1, 60):
        queue.release(taken[0])
