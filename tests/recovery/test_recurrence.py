"""A resolved incident comes back: whatever call goes wrong then, its one issue is open again, once, and says so."""

from tests.support.crash.cases import vary_call
from tests.support.crash.faults import FaultPlan
from tests.support.crash.replay import play_recurrence
from tests.support.crash.story_run import SecondWorker


def test_recurrence_reopens_its_issue_exactly_once() -> None:
    plain = FaultPlan()
    assert play_recurrence(plain, SecondWorker.ALONE) == []
    assert "issues.reopen" in plain.calls
    wrong = []
    for number, call in enumerate(plain.calls):
        for fault, beside in vary_call(number):
            violations = play_recurrence(FaultPlan(number, fault), beside)
            wrong += [f"call {number} {call}, {fault.value}, {beside.value}: {it}" for it in violations]
    assert wrong == []
