"""A failure that comes back after its incident was resolved: within thirty days a regression, later a new issue."""

from datetime import timedelta

from shared.proposal.rollout import REOPEN_WINDOW, WATCH_DURATION
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.record import record_log_entry
from tests.support.commit_graph import commit_id
from tests.support.drivers import read_incident, read_state, run_tick, start_watching
from tests.support.harness import Harness

SECOND = timedelta(seconds=1)


def _resolved(harness: Harness) -> str:
    incident = start_watching(harness)
    harness.logs.request_counts[harness.cloud.operations[0].revision] = 10
    run_tick(harness, WATCH_DURATION)
    assert read_state(harness, incident) == "resolved"
    return incident


def _back_again(harness: Harness) -> str:
    harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00011-new", commit_id("later"))
    return record_log_entry(harness.start_process(), harness.log_entry(revision="tide-00011-new")).incident


def test_on_the_thirtieth_day_it_opens_the_closed_issue_again(harness: Harness) -> None:
    first = _resolved(harness)
    harness.clock.advance(REOPEN_WINDOW)
    second = _back_again(harness)
    assert read_incident(harness, second)["regresses"] == first
    investigate_incident(harness.start_process(), second)
    assert [(issue.is_open, issue.reopen_count) for issue in harness.issues.issues] == [(True, 1)]


def test_after_it_the_closed_issue_stays_closed_and_there_is_a_new_one(harness: Harness) -> None:
    first = _resolved(harness)
    harness.clock.advance(REOPEN_WINDOW + SECOND)
    second = _back_again(harness)
    assert (second == first, read_incident(harness, second)["regresses"]) == (False, "")
    investigate_incident(harness.start_process(), second)
    assert [(issue.is_open, issue.reopen_count) for issue in harness.issues.issues] == [(False, 0), (True, 0)]


def test_the_thirty_days_count_from_the_close_and_not_from_the_failure(harness: Harness) -> None:
    first = _resolved(harness)
    opened_at = read_incident(harness, first)["opened_at"]
    harness.clock.advance(REOPEN_WINDOW - SECOND)
    second = _back_again(harness)
    assert read_incident(harness, second)["regresses"] == first
    assert harness.clock.now() - REOPEN_WINDOW > harness.clock.current_time.fromisoformat(str(opened_at))
