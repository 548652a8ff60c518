"""Pushes and a broken revision are checked: whatever call goes wrong, each leads to exactly one of everything."""

from collections.abc import Callable

from tests.support.crash.cases import CASES, vary_call
from tests.support.crash.faults import FaultPlan
from tests.support.crash.push_story import play_broken_revision, play_pushes
from tests.support.crash.story_run import SecondWorker

Play = Callable[[FaultPlan, SecondWorker], list[str]]


def list_violations(play: Play, *, in_every_way: bool) -> list[str]:
    """What is wrong after each call went wrong."""
    plain = FaultPlan()
    assert play(plain, SecondWorker.ALONE) == []
    wrong = []
    for number, call in enumerate(plain.calls):
        for fault, beside in CASES if in_every_way else vary_call(number):
            violations = play(FaultPlan(number, fault), beside)
            wrong += [f"call {number} {call}, {fault.value}, {beside.value}: {it}" for it in violations]
    return wrong


def test_each_commit_gets_exactly_one_check_run() -> None:
    assert list_violations(play_pushes, in_every_way=True) == []


def test_a_broken_revision_opens_exactly_one_incident() -> None:
    assert list_violations(play_broken_revision, in_every_way=False) == []
