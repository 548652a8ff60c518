"""Every remote call of every story goes wrong, alone and beside a second worker: still exactly once.

The list of calls is not written down: each story is played once without faults, and what it called is the list. A call
goes wrong in every way in the first story that comes to it; a later story that begins with the same calls repeats them
in one way each, in turn. A fault and a second worker at once are tried in every way in the first story, in turn in the
others; with `PROVENFIX_EVERY_CASE=1` in all of them.
"""

import os
from collections.abc import Sequence
from functools import cache
from itertools import product, takewhile

import pytest

from tests.support.crash.faults import Fault, FaultPlan
from tests.support.crash.replay import play_story
from tests.support.crash.stories import STORIES, IncidentStory
from tests.support.crash.story_run import SecondWorker

CASES = [case for case in product(Fault, SecondWorker) if case != (Fault.NONE, SecondWorker.ALONE)]
"""All but the one without any fault, which is played first."""
TOGETHER = [(fault, beside) for fault, beside in CASES if fault is not Fault.NONE and beside is not SecondWorker.ALONE]
"""A fault while a second worker is at the same message."""
IS_EXHAUSTIVE = bool(os.environ.get("PROVENFIX_EVERY_CASE"))


@cache
def _play_undisturbed(position: int) -> tuple[str, ...]:
    """Returns the calls of the story at this position."""
    plan = FaultPlan()
    assert play_story(STORIES[position], plan, SecondWorker.ALONE) == []
    return tuple(plan.calls)


def _list_cases(position: int) -> list[tuple[int, list[tuple[Fault, SecondWorker]]]]:
    """Returns the number of each call that is to go wrong, and the ways."""
    story, calls = STORIES[position], _play_undisturbed(position)
    if story.list_faulty_calls is not None:
        return [(number, CASES[number % 4 :: 4]) for number in story.list_faulty_calls(calls)]
    if story.shares_ends_with_first:
        first = _play_undisturbed(0)
        begin = _count_alike(calls, first)
        end = len(calls) - _count_alike(calls[:begin:-1], first[:begin:-1])
        assert begin < end, "it is the first story"
        return [(number, _vary(position, number)) for number in range(begin, end)]
    whole = (earlier for earlier in range(position) if _is_played_whole(STORIES[earlier]))
    repeated = max((_count_alike(calls, _play_undisturbed(earlier)) for earlier in whole), default=0)
    in_turn = [(number, [CASES[number % len(CASES)]]) for number in range(repeated)]
    return in_turn + [(number, _vary(position, number)) for number in range(repeated, len(calls))]


def _vary(position: int, number: int) -> list[tuple[Fault, SecondWorker]]:
    """Returns each fault alone, a second worker without a fault, and of both together one case in turn."""
    if position == 0 or IS_EXHAUSTIVE:
        return CASES
    return [case for case in CASES if case not in TOGETHER or case == TOGETHER[number % len(TOGETHER)]]


def _is_played_whole(story: IncidentStory) -> bool:
    return story.list_faulty_calls is None and not story.shares_ends_with_first


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
