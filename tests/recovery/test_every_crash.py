"""Every remote call of every story goes wrong, alone and beside a second worker: still exactly once.

The list of calls is not written down: each story is played once without faults, and what it called is the list. A call
goes wrong in every way in the first story that comes to it; a later story that begins with the same calls, or makes a
call between the same two calls as an earlier story, repeats it in one way, in turn. A fault and a second worker at once
are tried in every way in the first story, in turn in the others; with `PROVENFIX_EVERY_CASE=1` in all of them.
"""

from collections.abc import Sequence
from functools import cache
from itertools import islice, takewhile

import pytest

from tests.support.crash.cases import CASES, IS_EXHAUSTIVE, Case, vary_call
from tests.support.crash.faults import FaultPlan
from tests.support.crash.replay import play_story
from tests.support.crash.stories import STORIES
from tests.support.crash.story_run import SecondWorker


@cache
def _play_undisturbed(position: int) -> tuple[str, ...]:
    """Returns the calls of the story at this position."""
    plan = FaultPlan()
    assert play_story(STORIES[position], plan, SecondWorker.ALONE) == []
    return tuple(plan.calls)


def _list_cases(position: int) -> list[tuple[int, list[Case]]]:
    """Returns the number of each call that is to go wrong, and the ways."""
    story, calls = STORIES[position], _play_undisturbed(position)
    if position == 0:
        return [(number, CASES) for number in range(len(calls))]
    if story.list_faulty_calls is not None:
        return [(number, CASES[number % 4 :: 4]) for number in story.list_faulty_calls(calls)]
    earlier_stories = [
        _play_undisturbed(earlier) for earlier in range(position) if STORIES[earlier].list_faulty_calls is None
    ]
    known = set() if IS_EXHAUSTIVE else set().union(*map(_list_neighbours, earlier_stories))
    begin, repeated, end = 0, 0, len(calls)
    if story.shares_ends_with_first:
        first = earlier_stories[0]
        begin = repeated = _count_alike(calls, first)
        end -= _count_alike(calls[:begin:-1], first[:begin:-1])
        assert begin < end, "it is the first story"
    else:
        repeated = max((_count_alike(calls, earlier) for earlier in earlier_stories), default=0)
    return [
        (number, [CASES[number % len(CASES)]] if number < repeated or neighbours in known else vary_call(number))
        for number, neighbours in islice(enumerate(_list_neighbours(calls)), begin, end)
    ]


def _list_neighbours(calls: Sequence[str]) -> list[tuple[str, ...]]:
    """Returns each call with the one before it and the one after it."""
    return [tuple(calls[max(number - 1, 0) : number + 2]) for number in range(len(calls))]


def _count_alike(calls: Sequence[str], others: Sequence[str]) -> int:
    """How many calls they have in common at their beginning."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(calls, others, strict=False)))


@pytest.mark.parametrize("position", range(len(STORIES)), ids=[story.name for story in STORIES])
def test_whatever_call_goes_wrong_everything_happens_exactly_once(
    position: int, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = _play_undisturbed(position)
    wrong, count = [], 0
    for number, cases in _list_cases(position):
        for fault, beside in cases:
            count += 1
            violations = play_story(STORIES[position], FaultPlan(number, fault), beside)
            wrong += [f"call {number} {calls[number]}, {fault.value}, {beside.value}: {it}" for it in violations]
    with capsys.disabled():
        print(f"\n{STORIES[position].name}: {len(calls)} calls, {count} cases", end="")
    assert wrong == []
