"""What a stop leaves behind: the approved commit has not failed, nobody is asked anything, and nothing begins late."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.proposal.decision import DecisionState
from shared.proposal.rollout import ProbeResult
from shared.workflow.records import decisions
from shared.workflow.records.decisions import Decision
from shared.workflow.redeploy import redeploy
from tests.support.drivers import approve_proposal, read_incident, read_state, redeploy_approved, run_tick
from tests.support.harness import Harness, watched_service


def _under_way() -> tuple[Harness, str]:
    harness = Harness({"shore.tide": watched_service(traffic_steps=(10, 50, 100))})
    harness.prover.offers_rollback = True
    incident = approve_proposal(harness)
    redeploy_approved(harness)
    while not harness.cloud.shifts:
        run_tick(harness)
    return harness, incident


def test_stopped_rollout_is_no_failure_and_asks_nothing_next() -> None:
    harness, incident = _under_way()
    harness.kill_switch = True
    for _ in range(4):
        run_tick(harness)
    assert read_state(harness, incident) == "rolled_back"
    assert read_incident(harness, incident)["failed_commits"] == []
    assert len(harness.chat.posted) == 1


def test_a_failed_probe_of_the_same_rollout_does_lead_to_one() -> None:
    harness, incident = _under_way()
    harness.probe.result = ProbeResult(ok=False)
    for _ in range(6):
        run_tick(harness)
    assert read_state(harness, incident) == "opened"
    assert read_incident(harness, incident)["failed_commits"] != []


def _decide_and_die(harness: Harness, question: str) -> None:
    """As a worker of `redeploy` that has decided to act, and ended before it acted."""
    etag = harness.start_process().revisions.get_service_state(harness.services["shore.tide"]).etag
    decisions.store_decision(harness.start_process(), question, Decision(DecisionState.ACTING, "redeploy", etag=etag))


def _expire(harness: Harness) -> None:
    harness.clock.advance(timedelta(days=25))


def _stop(harness: Harness) -> None:
    harness.kill_switch = True


@pytest.mark.parametrize(("change", "reason"), [(_expire, "approval_expired"), (_stop, "kill_switch")])
def test_a_worker_that_died_before_the_deployment_lets_none_begin_late(
    change: Callable[[Harness], None], reason: str
) -> None:
    harness = Harness()
    incident = approve_proposal(harness)
    question = f"{incident}-1"
    _decide_and_die(harness, question)
    change(harness)
    assert redeploy(harness.start_process(), question).name == f"refused:{reason}"
    assert harness.cloud.operations == []
    run_tick(harness)
    assert read_state(harness, incident) == "refused"


def test_a_deployment_that_has_begun_is_found_again_however_late() -> None:
    harness = Harness()
    incident = approve_proposal(harness)
    redeploy_approved(harness)
    (operation,) = harness.cloud.operations
    _expire(harness)
    assert redeploy(harness.start_process(), f"{incident}-1").name == "deploying"
    assert harness.cloud.operations == [operation]


def test_what_did_not_begin_does_not_begin_after_the_stop_either() -> None:
    harness = Harness()
    incident = approve_proposal(harness)
    _decide_and_die(harness, f"{incident}-1")
    harness.kill_switch = True
    redeploy(harness.start_process(), f"{incident}-1")
    harness.kill_switch = False
    assert redeploy(harness.start_process(), f"{incident}-1").name == "refused:kill_switch"
    assert harness.cloud.operations == []
