"""Every remote call of every story goes wrong in every way, alone and beside a second worker: still exactly once.

The list of calls is not written down: each story is played once without faults, and what it called is the list.
"""

from itertools import product, takewhile

import pytest

from tests.support.crash.faults import Fault, FaultPlan
from tests.support.crash.replay import play_story
from tests.support.crash.stories import STORIES, IncidentStory
from tests.support.crash.story_run import SecondWorker


def _own(story: IncidentStory, calls: list[str]) -> list[tuple[int, str]]:
    """The calls that are to go wrong, by number."""
    numbered = list(enumerate(calls))
    if story.list_faulty_calls is not None:
        return [numbered[number] for number in story.list_faulty_calls(calls)]
    if not story.shares_ends_with_first:
        return numbered
    first = FaultPlan()
    play_story(STORIES[0], first, SecondWorker.ALONE)
    begin = _alike(calls, first.calls)
    end = _alike(calls[:begin:-1], first.calls[:begin:-1])
    assert begin < len(calls) - end, "it is the first story"
    return numbered[begin : len(calls) - end]


def _list_cases(story: IncidentStory, number: int) -> list[tuple[Fault, SecondWorker]]:
    """All but the one without any fault, which is played first; of a story with chosen calls a quarter, in turn."""
    cases = [case for case in product(Fault, SecondWorker) if case != (Fault.NONE, SecondWorker.ALONE)]
    return cases if story.list_faulty_calls is None else cases[number % 4 :: 4]


def _alike(ones: list[str], others: list[str]) -> int:
    """How many calls they have in common at their beginning."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(ones, others, strict=False)))


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_whatever_call_goes_wrong_everything_happens_exactly_once(
    story: IncidentStory, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = FaultPlan()
    assert play_story(story, plain, SecondWorker.ALONE) == []
    wrong, cases = [], 0
    for number, call in _own(story, plain.calls):
        for fault, beside in _list_cases(story, number):
            cases += 1
            found = play_story(story, FaultPlan(number, fault), beside)
            wrong += [f"call {number} {call}, {fault.value}, {beside.value}: {each}" for each in found]
    with capsys.disabled():
        print(f"\n{story.name}: {len(plain.calls)} calls, {cases} cases", end="")
    assert wrong == []
