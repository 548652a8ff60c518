"""Claim, do, record: each way in which an effect can be asked for twice, and the one result that everybody gets."""

from datetime import timedelta

import pytest

from shared.errors import Reject, Retry
from shared.ports import Document
from shared.text.timestamps import format_rfc3339
from shared.workflow.context import Context
from shared.workflow.ledger import LEASE, RETRY_DELAY, is_claimed, read_current_claim, read_result, run_once
from tests.support.drivers import read_documents
from tests.support.harness import Harness
from tests.support.memory import MemoryStore

KEY = "issue.0a1b-1"


class Bell:
    """An effect that counts, and may fail before it is done or lose its answer."""

    def __init__(self) -> None:
        self.rung = 0
        self.held: list[str] = []
        self.goes_wrong: Exception | None = None
        self.does_it_first = False

    def ring(self) -> Document:
        self.held.append(read_current_claim())
        if self.goes_wrong is not None and not self.does_it_first:
            raise self.goes_wrong
        self.rung += 1
        if self.goes_wrong is not None:
            raise self.goes_wrong
        return {"rung": self.rung}

    def find(self) -> Document | None:
        return {"rung": self.rung} if self.rung else None


@pytest.fixture
def world(harness: Harness) -> Context:
    return harness.start_process()


def test_it_is_done_once_and_everybody_gets_its_result(harness: Harness, world: Context) -> None:
    bell = Bell()
    assert run_once(world, KEY, bell.ring) == {"rung": 1}
    assert run_once(world, KEY, bell.ring) == {"rung": 1}
    assert bell.rung == 1
    assert read_result(world, KEY) == {"rung": 1}
    assert read_documents(harness, "effects")[KEY]["at"] == format_rfc3339(harness.clock.now())


def test_the_claim_is_held_while_it_is_done_and_not_after(world: Context) -> None:
    bell = Bell()
    run_once(world, KEY, bell.ring)
    assert bell.held == [KEY]
    assert read_current_claim() == ""


def test_what_somebody_else_is_doing_is_asked_for_again_later(harness: Harness, world: Context) -> None:
    bell = Bell()

    def interrupted() -> Document:
        with pytest.raises(Retry) as refused:
            run_once(harness.start_process(), KEY, bell.ring)
        assert refused.value.reason == "claimed"
        return bell.ring()

    assert run_once(world, KEY, interrupted) == {"rung": 1}
    assert bell.rung == 1


def test_after_a_lost_answer_nobody_acts_until_the_other_side_has_settled(harness: Harness, world: Context) -> None:
    bell = Bell()
    bell.goes_wrong, bell.does_it_first = Retry("the answer was lost"), True
    with pytest.raises(Retry) as lost:
        run_once(world, KEY, bell.ring, bell.find)
    assert lost.value is bell.goes_wrong
    harness.clock.advance(RETRY_DELAY - timedelta(seconds=1))
    with pytest.raises(Retry) as refused:
        run_once(world, KEY, bell.ring, bell.find)
    assert refused.value.reason == "claimed"
    harness.clock.advance(timedelta(seconds=1))
    assert run_once(world, KEY, bell.ring, bell.find) == {"rung": 1}
    assert bell.rung == 1


def test_what_failed_before_it_was_done_is_done_by_the_next_one(harness: Harness, world: Context) -> None:
    bell = Bell()
    bell.goes_wrong = Retry("no connection")
    with pytest.raises(Retry):
        run_once(world, KEY, bell.ring, bell.find)
    bell.goes_wrong = None
    harness.clock.advance(RETRY_DELAY)
    assert run_once(world, KEY, bell.ring, bell.find) == {"rung": 1}


def test_a_refusal_ends_the_claim_at_once(world: Context) -> None:
    bell = Bell()
    bell.goes_wrong = Reject("stale")
    with pytest.raises(Reject):
        run_once(world, KEY, bell.ring, bell.find)
    bell.goes_wrong = None
    assert run_once(world, KEY, bell.ring, bell.find) == {"rung": 1}


def test_claim_of_a_dead_process_is_taken_over_after_its_lease(harness: Harness, world: Context) -> None:
    harness.store.create("effects", KEY, _claimed_by_the_dead(harness))
    bell = Bell()
    with pytest.raises(Retry):
        run_once(world, KEY, bell.ring, bell.find)
    harness.clock.advance(LEASE)
    assert run_once(world, KEY, bell.ring, bell.find) == {"rung": 1}


def test_who_takes_over_looks_first_at_what_was_done(harness: Harness, world: Context) -> None:
    harness.store.create("effects", KEY, _claimed_by_the_dead(harness))
    bell = Bell()
    bell.rung = 1
    harness.clock.advance(LEASE)
    assert run_once(world, KEY, bell.ring, bell.find) == {"rung": 1}
    assert bell.rung == 1


def test_a_lost_look_at_the_other_side_leaves_the_claim_to_the_next_one(harness: Harness, world: Context) -> None:
    harness.store.create("effects", KEY, _claimed_by_the_dead(harness))
    harness.clock.advance(LEASE)
    bell = Bell()

    def unreachable() -> Document | None:
        raise Retry("no connection")

    with pytest.raises(Retry, match="no connection"):
        run_once(world, KEY, bell.ring, unreachable)
    assert run_once(world, KEY, bell.ring, bell.find) == {"rung": 1}


def test_late_claimant_takes_the_result_of_its_successor(harness: Harness, world: Context) -> None:
    def slow() -> Document:
        harness.clock.advance(LEASE)
        run_once(harness.start_process(), KEY, lambda: {"by": "the second"}, lambda: None)
        return {"by": "the first"}

    assert run_once(world, KEY, slow) == {"by": "the second"}


@pytest.mark.parametrize(("seconds", "acts"), [(10, False), (29, False), (30, True), (60, True)])
def test_nobody_acts_on_the_last_seconds_of_a_lease(harness: Harness, seconds: int, *, acts: bool) -> None:
    class Slow(MemoryStore):
        """A store whose answer to a claim takes almost the whole lease."""

        def create(self, kind: str, key: str, value: Document) -> bool:
            created = super().create(kind, key, value)
            harness.clock.advance(LEASE - timedelta(seconds=seconds))
            return created

    harness.store = Slow()
    bell = Bell()
    if acts:
        run_once(harness.start_process(), KEY, bell.ring)
    else:
        with pytest.raises(Retry) as refused:
            run_once(harness.start_process(), KEY, bell.ring)
        assert refused.value.reason == "lease_almost_over"
    assert bell.rung == acts


def test_a_claim_that_the_client_wrote_twice_is_known_as_ones_own(harness: Harness) -> None:
    class Repeating(MemoryStore):
        """Writes, loses the answer, writes again, and reports the second attempt: it exists already."""

        def create(self, kind: str, key: str, value: Document) -> bool:
            super().create(kind, key, value)
            return False

    harness.store = Repeating()
    bell = Bell()
    assert run_once(harness.start_process(), KEY, bell.ring) == {"rung": 1}


def test_an_unknown_error_is_no_less_an_error(world: Context) -> None:
    def surprising() -> Document:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_once(world, KEY, surprising)
    assert is_claimed(world, KEY)
    assert read_result(world, KEY) is None


def _claimed_by_the_dead(harness: Harness) -> Document:
    until = (harness.clock.now() + LEASE).isoformat()
    return {"state": "claimed", "owner": "the dead", "attempt": 1, "lease_until": until}
