"""Pushes are checked: whatever call goes wrong, each commit gets exactly one check run."""

from tests.support.crash.cases import CASES
from tests.support.crash.faults import FaultPlan
from tests.support.crash.push_story import play_pushes
from tests.support.crash.story_run import SecondWorker


def test_each_commit_gets_exactly_one_check_run() -> None:
    plain = FaultPlan()
    assert play_pushes(plain, SecondWorker.ALONE) == []
    assert "check_runs.create_run" in plain.calls
    wrong = []
    for number, call in enumerate(plain.calls):
        for fault, beside in CASES:
            violations = play_pushes(FaultPlan(number, fault), beside)
            wrong += [f"call {number} {call}, {fault.value}, {beside.value}: {it}" for it in violations]
    assert wrong == []
