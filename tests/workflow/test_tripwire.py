"""A failure that comes back after its incident was resolved: within thirty days a regression, later a new issue."""

from datetime import timedelta

import pytest

from shared.proposal.verdict import REOPEN_WINDOW, WATCH_DURATION
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.record import record_log_entry
from tests.support.drivers import incident_document, state, tick, watching
from tests.support.harness import Setting
from tests.support.past import commit_id

SECOND = timedelta(seconds=1)


@pytest.fixture
def setting() -> Setting:
    return Setting()


def _resolved(setting: Setting) -> str:
    incident = watching(setting)
    setting.logs.answered[setting.cloud.operations[0].revision] = 10
    tick(setting, WATCH_DURATION)
    assert state(setting, incident) == "resolved"
    return incident


def _back_again(setting: Setting) -> str:
    setting.cloud.deploy_by_hand(setting.services["shore.tide"], "tide-00011-new", commit_id("later"))
    return record_log_entry(setting.process(), setting.entry(revision="tide-00011-new")).incident


def test_on_the_thirtieth_day_it_opens_the_closed_issue_again(setting: Setting) -> None:
    first = _resolved(setting)
    setting.clock.turn(REOPEN_WINDOW)
    second = _back_again(setting)
    assert incident_document(setting, second)["regresses"] == first
    investigate_incident(setting.process(), second)
    assert [(issue.is_open, issue.reopens) for issue in setting.issues.all] == [(True, 1)]


def test_after_it_the_closed_issue_stays_closed_and_there_is_a_new_one(setting: Setting) -> None:
    first = _resolved(setting)
    setting.clock.turn(REOPEN_WINDOW + SECOND)
    second = _back_again(setting)
    assert (second == first, incident_document(setting, second)["regresses"]) == (False, "")
    investigate_incident(setting.process(), second)
    assert [(issue.is_open, issue.reopens) for issue in setting.issues.all] == [(False, 0), (True, 0)]


def test_the_thirty_days_count_from_the_close_and_not_from_the_failure(setting: Setting) -> None:
    first = _resolved(setting)
    opened_at = incident_document(setting, first)["opened_at"]
    setting.clock.turn(REOPEN_WINDOW - SECOND)
    second = _back_again(setting)
    assert incident_document(setting, second)["regresses"] == first
    assert setting.clock.now() - REOPEN_WINDOW > setting.clock.moment.fromisoformat(str(opened_at))
