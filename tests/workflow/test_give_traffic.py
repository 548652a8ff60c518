"""Looking and acting are apart: `verify` moves nothing, and `redeploy` moves only what the stored incident wants."""

from datetime import timedelta

import pytest

from shared.errors import Reject, Retry
from shared.proposal.rollout import ProbeResult
from shared.service import Service
from shared.workflow import flow
from shared.workflow.ledger import RETRY_DELAY
from shared.workflow.redeploy import redeploy
from shared.workflow.rollout.give_traffic import give_traffic
from shared.workflow.rollout.rollout_effects import TrafficOrder
from shared.workflow.schedule import schedule_looks
from shared.workflow.verify import verify
from tests.support.drivers import MINUTE, approve_proposal, read_incident, read_state, redeploy_approved, run_tick
from tests.support.harness import OLD_REVISION, Harness, watched_service
from tests.support.ticks import follow_request


class _Looking:
    """The platform for an account that may only look."""

    def __init__(self, platform: object) -> None:
        self._platform = platform

    def __getattr__(self, name: str) -> object:
        assert name not in {"start", "shift_traffic"}, "whoever looks may not act"
        return getattr(self._platform, name)


def _look_only(name: str, port: object) -> object:
    return _Looking(port) if name == "deployer" else port


@pytest.fixture
def deployed() -> tuple[Harness, str]:
    """A rollout in steps; the new revision has no traffic yet."""
    harness = Harness({"shore.tide": watched_service(traffic_steps=(10, 100))})
    incident = approve_proposal(harness)
    redeploy_approved(harness)
    harness.clock.advance(2 * MINUTE)
    return harness, incident


def _take_orders(harness: Harness) -> list[TrafficOrder]:
    """What `verify` has asked for, in a process that may only look."""
    harness.bus.waiting.clear()
    schedule_looks(harness.start_process())
    for topic, message in list(harness.bus.waiting):
        assert topic == flow.INCIDENT_DUE
        verify(harness.start_process(_look_only), message["incident"])
    return [
        TrafficOrder(message["proposal"], message["revision"], int(message["percent"]))
        for topic, message in harness.bus.waiting
        if topic == flow.REDEPLOY_APPROVED
    ]


def test_a_whole_rollout_is_looked_at_by_an_account_that_may_not_deploy(deployed: tuple[Harness, str]) -> None:
    harness, incident = deployed
    for share in (10, 100):
        (order,) = _take_orders(harness)
        assert order.percent == share
        assert give_traffic(harness.start_process(), order).name == "shifted"
        assert read_incident(harness, incident)["rollout"]["share"] == share  # type: ignore[index]
        harness.clock.advance(MINUTE)
    assert read_state(harness, incident) == "watching"
    assert [share for _, _, share in harness.cloud.shifts] == [10, 100]


def test_an_approval_is_acted_on_by_redeploy_alone() -> None:
    harness = Harness()
    approve_proposal(harness)
    harness.bus.waiting.clear()  # lost
    harness.clock.advance(MINUTE)
    schedule_looks(harness.start_process())
    verify(harness.start_process(_look_only), harness.bus.waiting.pop()[1]["incident"])
    assert harness.cloud.operations == []
    topic, message = harness.bus.waiting.pop()
    assert follow_request(harness.start_process(), topic, message).name == "deploying"


@pytest.mark.parametrize(("revision", "percent"), [("tide-00099-hand", 10), ("", 100), ("", 50), (OLD_REVISION, 100)])
def test_a_message_that_the_incident_does_not_want_moves_nothing(
    deployed: tuple[Harness, str], revision: str, percent: int
) -> None:
    harness, _ = deployed
    (order,) = _take_orders(harness)
    forged = TrafficOrder(order.proposal, revision or order.revision, percent)
    with pytest.raises(Reject) as refused:
        give_traffic(harness.start_process(), forged)
    assert (refused.value.reason, harness.cloud.shifts) == ("not_wanted", [])


def test_the_kill_switch_holds_a_share_that_was_asked_for_and_no_return(deployed: tuple[Harness, str]) -> None:
    harness, incident = deployed
    (order,) = _take_orders(harness)
    harness.kill_switch = True
    with pytest.raises(Reject):
        give_traffic(harness.start_process(), order)
    run_tick(harness)
    assert harness.cloud.shifts == [("shore.tide", OLD_REVISION, 100)]
    assert read_state(harness, incident) == "rolled_back"


class _EndsFirst:
    """Before anything moves, another look ends the rollout."""

    def __init__(self, harness: Harness, incident: str, store: object) -> None:
        self._harness, self._incident, self._store = harness, incident, store

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def create(self, kind: str, key: str, value: object) -> object:
        if kind == "effects" and key.startswith("shift."):
            self._harness.kill_switch = True
            verify(self._harness.start_process(_look_only), self._incident)
            self._harness.kill_switch = False
        return self._store.create(kind, key, value)  # type: ignore[attr-defined]


def test_a_share_that_comes_late_is_not_given_to_what_was_ended(deployed: tuple[Harness, str]) -> None:
    harness, incident = deployed
    (order,) = _take_orders(harness)
    world = harness.start_process(lambda name, port: _EndsFirst(harness, incident, port) if name == "store" else port)
    with pytest.raises(Reject):
        give_traffic(world, order)
    run_tick(harness)
    assert harness.cloud.shifts == [("shore.tide", OLD_REVISION, 100)]


class _DyingPlatform(_Looking):
    """Dies in the middle of a share."""

    def __getattr__(self, name: str) -> object:
        return getattr(self._platform, name)

    def shift_traffic(self, _service: Service, _revision: str, _percent: int) -> None:
        raise KeyboardInterrupt


def test_a_return_waits_for_a_share_under_way_and_not_for_ever(deployed: tuple[Harness, str]) -> None:
    harness, incident = deployed
    (order,) = _take_orders(harness)
    world = harness.start_process(lambda name, port: _DyingPlatform(port) if name == "deployer" else port)
    with pytest.raises(KeyboardInterrupt):
        give_traffic(world, order)
    harness.kill_switch = True
    harness.clock.advance(timedelta(seconds=30))
    (back,) = _take_orders(harness)
    assert (back.revision, back.percent) == (OLD_REVISION, 100)
    with pytest.raises(Retry):
        give_traffic(harness.start_process(), back)
    harness.clock.advance(RETRY_DELAY)
    assert give_traffic(harness.start_process(), back).name == "shifted"
    assert read_state(harness, incident) == "deploying"  # the effects of the end follow, by the look that was asked for
    harness.probe.result = ProbeResult(ok=False)
    run_tick(harness)
    assert read_state(harness, incident) == "rolled_back"


def test_a_second_copy_of_a_message_moves_nothing_twice(deployed: tuple[Harness, str]) -> None:
    harness, _ = deployed
    (order,) = _take_orders(harness)
    give_traffic(harness.start_process(), order)
    with pytest.raises(Reject):
        give_traffic(harness.start_process(), order)
    with pytest.raises(Reject):
        redeploy(harness.start_process(), "nothing")
    assert len(harness.cloud.shifts) == 1


def test_order_of_an_incident_that_rolls_nothing_out_is_refused(harness: Harness) -> None:
    incident = approve_proposal(harness)
    with pytest.raises(Reject) as refused:
        give_traffic(harness.start_process(), TrafficOrder(f"{incident}-1", OLD_REVISION, 10))
    assert (refused.value.reason, harness.cloud.shifts) == ("not_wanted", [])


def test_the_address_is_given_to_the_new_revision_alone(deployed: tuple[Harness, str]) -> None:
    harness, incident = deployed
    new = harness.cloud.operations[0].revision
    with pytest.raises(Reject) as refused:
        give_traffic(harness.start_process(), TrafficOrder(f"{incident}-1", OLD_REVISION, 0))
    assert (refused.value.reason, harness.cloud.shifts) == ("not_wanted", [])
    assert give_traffic(harness.start_process(), TrafficOrder(f"{incident}-1", new, 0)).name == "shifted"
    assert harness.cloud.shifts == [("shore.tide", new, 0)]
