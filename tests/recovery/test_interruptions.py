"""At every remote call of the whole way, something else happens: no rule is broken by it, and nothing is stuck.

Where a crash repeats what was going on anyway, this is another wish at the worst moment: a denial while the deployment
begins, a tick within a tick, a person who closes the issue while it is being closed.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial

import pytest

from shared.errors import Reject, Retry
from shared.proposal.decision import ClickKind, ClickResult
from shared.proposal.rollout import MAX_WATCH_DURATION, WATCH_DURATION, ProbeResult
from shared.workflow.context import Context
from shared.workflow.decide import handle_click
from shared.workflow.ledger import LEASE
from shared.workflow.record import record_log_entry
from tests.support.crash.faults import FaultPlan
from tests.support.crash.invariants import find_rule_violations
from tests.support.crash.story_run import MINUTE, step_for
from tests.support.drivers import read_documents
from tests.support.harness import Harness, button_click
from tests.support.ticks import play_tick

TTL = timedelta(hours=6)


class Way:
    """The whole way from the first entry to the closed issue, as far as it goes once something else has happened."""

    def __init__(self, plan: FaultPlan) -> None:
        self.setting = Harness()
        self.denied: set[str] = set()
        self._plan = plan

    def walk(self) -> None:
        entry = self.setting.log_entry()
        self.attempt(lambda world: record_log_entry(world, entry))
        self._drain()
        self.press(ClickKind.APPROVE)
        self._drain()
        for wait in (2 * MINUTE, WATCH_DURATION, LEASE, WATCH_DURATION, MAX_WATCH_DURATION, LEASE, TTL, LEASE):
            for operation in self.setting.cloud.operations:
                self.setting.logs.request_counts[operation.revision] = 60
            self.setting.clock.advance(wait)
            self._drain()
            self.attempt(play_tick)
        self._plan.at = -1  # what was begun at the very end has its time as well
        for wait in (MINUTE, TTL, LEASE):
            self._drain()
            self.setting.clock.advance(wait)
            self.attempt(play_tick)

    def press(self, kind: ClickKind) -> None:
        if not self.setting.chat.posted:
            return
        pressed = button_click(self.setting.chat.posted[-1].message, kind)
        told: list[ClickResult] = []
        self.attempt(lambda world: told.append(handle_click(world, pressed).result))
        if told in ([ClickResult.DENIED], [ClickResult.ALREADY_DENIED]):
            self.denied.add(pressed.proposal)

    def attempt(self, what: Callable[[Context], object]) -> bool:
        try:
            what(self.setting.start_process(self._plan.tap()))
        except Retry:
            return False
        except Reject:
            return True
        return True

    def _drain(self) -> None:
        """Each message up to three times, with the leases over before the last one."""
        while self.setting.bus.waiting:
            topic, message = self.setting.bus.waiting.pop(0)
            for _ in range(3):
                if self.attempt(step_for(topic, dict(message))):
                    break
                self.setting.clock.advance(LEASE)


def _recur(way: Way) -> None:
    revisions = list(way.setting.cloud.services["shore.tide"].revisions)
    entry = way.setting.log_entry(revision=revisions[-1])
    way.attempt(lambda world: record_log_entry(world, entry))


def _late(way: Way) -> None:
    entry = way.setting.log_entry(revision="tide-00007-old")
    way.attempt(lambda world: record_log_entry(world, entry))


def _deploy_by_hand(way: Way) -> None:
    way.setting.cloud.deploy_manually(way.setting.services["shore.tide"], "tide-00077-hand", None)


def _close(way: Way) -> None:
    for issue in way.setting.issues.issues:
        issue.is_open = False


def _label(way: Way) -> None:
    for issue in way.setting.issues.issues:
        issue.labels.add("provenfix:wrong")


def _break_the_probe(way: Way) -> None:
    way.setting.probe.result = ProbeResult(ok=False)


def _kill(way: Way) -> None:
    way.setting.kill_switch = True


INTRUDERS: Mapping[str, Callable[[Way], object]] = {
    "a denial": lambda way: way.press(ClickKind.DENY),
    "an approval": lambda way: way.press(ClickKind.APPROVE),
    "a tick": lambda way: way.attempt(play_tick),
    "an entry of the newest revision": _recur,
    "an entry of the old revision": _late,
    "a deployment by hand": _deploy_by_hand,
    "the issue closed by a person": _close,
    "the issue marked as wrong": _label,
    "a probe that fails from now on": _break_the_probe,
    "the kill switch": _kill,
}


@pytest.mark.parametrize("intruder", INTRUDERS)
def test_whatever_else_happens_at_any_moment_no_rule_is_broken(
    intruder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = FaultPlan()
    undisturbed = Way(plain)
    undisturbed.walk()
    assert _wrong(undisturbed) == []
    wrong = []
    for number, call in enumerate(plain.calls):
        plan = FaultPlan(number)
        way = Way(plan)
        plan.meanwhile_before = partial(INTRUDERS[intruder], way)
        way.walk()
        wrong += [f"at call {number}, {call}: {each}" for each in _wrong(way)]
    with capsys.disabled():
        print(f"\n{intruder}: {len(plain.calls)} moments", end="")
    assert wrong == []


def _wrong(way: Way) -> list[str]:
    stuck = [
        f"{key} is still {each['state']}"
        for key, each in read_documents(way.setting, "incidents").items()
        if each["active_for"]
    ]
    return [*find_rule_violations(way.setting, way.denied), *stuck]
