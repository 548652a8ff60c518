"""The memory of one process: keys and times in, whether they were recorded lately out; it is bounded."""

from datetime import timedelta

from shared.workflow.context import _MAX_THROTTLE_KEYS, THROTTLE_PERIOD, Throttle
from tests.support.clock import MORNING

SECOND = timedelta(seconds=1)


def test_a_key_is_recent_for_its_period_and_no_longer() -> None:
    throttle = Throttle()
    throttle.mark_recorded("a", MORNING)
    assert throttle.is_recent("a", MORNING + THROTTLE_PERIOD - SECOND) is True
    assert throttle.is_recent("a", MORNING + THROTTLE_PERIOD) is False
    assert throttle.is_recent("b", MORNING) is False


def test_of_more_keys_than_it_keeps_the_oldest_are_forgotten() -> None:
    throttle = Throttle()
    for number in range(_MAX_THROTTLE_KEYS):
        throttle.mark_recorded(number, MORNING)
    throttle.mark_recorded(0, MORNING)
    throttle.mark_recorded("one more", MORNING)
    assert [throttle.is_recent(key, MORNING) for key in (0, 1, 2, "one more")] == [True, False, True, True]


def test_what_is_costly_is_looked_at_ever_more_rarely_while_a_storm_lasts() -> None:
    throttle = Throttle()
    looks = []
    for second in range(200):
        now = MORNING + second * SECOND
        if not throttle.is_spent("storm", now):
            looks.append(second)
            throttle.mark_recorded("storm", now)
    assert looks == [0, 1, 2, 7, 17, 32, 52, 77, 107, 137, 167, 197]
    assert throttle.is_spent("storm", MORNING + 200 * SECOND + 2 * THROTTLE_PERIOD) is False


def test_a_kind_that_stays_away_for_two_periods_is_a_new_one() -> None:
    throttle = Throttle()
    for second in range(9):
        throttle.mark_recorded("storm", MORNING + second * SECOND)
    again = MORNING + 8 * SECOND + 2 * THROTTLE_PERIOD
    throttle.mark_recorded("storm", again)
    assert throttle.is_spent("storm", again) is False
    throttle.mark_recorded("storm", again + 2 * THROTTLE_PERIOD - SECOND)
    throttle.mark_recorded("storm", again + 2 * THROTTLE_PERIOD - SECOND)
    assert throttle.is_spent("storm", again + 2 * THROTTLE_PERIOD - SECOND) is True
