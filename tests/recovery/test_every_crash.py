"""Every remote call of every story goes wrong in every way, alone and beside a second worker: still exactly once.

The list of calls is not written down: each story is played once without faults, and what it called is the list.
"""

from itertools import takewhile

import pytest

from tests.support.crash.faults import Fault, Plan
from tests.support.crash.run import MINUTE, Beside, Run, Stuck
from tests.support.crash.stories import STORIES, Story, violations


def played(story: Story, plan: Plan, beside: Beside) -> list[str]:
    """Tells the story under a plan, lets two more ticks pass, and says what is wrong then."""
    run = Run(story.setting(), plan, beside)
    try:
        story.told(run)
        for _ in range(2):
            run.drain()
            run.setting.clock.turn(MINUTE)
            run.tick()
        run.drain()
    except (Stuck, AssertionError) as wrong:
        return [str(wrong)]
    return violations(story, run.setting)


def _own(story: Story, calls: list[str]) -> list[tuple[int, str]]:
    """The calls that are to go wrong, by number."""
    numbered = list(enumerate(calls))
    if not story.as_first:
        return numbered
    first = Plan()
    played(STORIES[0], first, Beside.ALONE)
    begin = _alike(calls, first.calls)
    end = _alike(calls[:begin:-1], first.calls[:begin:-1])
    assert begin < len(calls) - end, "it is the first story"
    return numbered[begin : len(calls) - end]


def _alike(ones: list[str], others: list[str]) -> int:
    """How many calls they have in common at their beginning."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(ones, others, strict=False)))


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_whatever_call_goes_wrong_everything_happens_exactly_once(
    story: Story, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = Plan()
    assert played(story, plain, Beside.ALONE) == []
    wrong, cases = [], 0
    for number, call in _own(story, plain.calls):
        for fault in Fault:
            for beside in Beside:
                if fault is Fault.NONE and beside is Beside.ALONE:
                    continue  # played above
                cases += 1
                found = played(story, Plan(number, fault), beside)
                wrong += [f"call {number} {call}, {fault.value}, {beside.value}: {each}" for each in found]
    with capsys.disabled():
        print(f"\n{story.name}: {len(plain.calls)} calls, {cases} cases", end="")
    assert wrong == []
