"""What could not be mended yet is looked at again when the branch has moved: then the fix is proposed, once."""

from datetime import timedelta

import pytest

from shared.proof.model.finding import CheckStatus, ActionKind, Reason
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.verify import BRANCH_CHECK_INTERVAL, MAX_UNFIXED_AGE
from tests.support.drivers import MINUTE, documents, opened, state, tick
from tests.support.harness import Setting
from tests.support.past import commit_id


@pytest.fixture
def setting() -> Setting:
    """A service that fails, and no fix is merged."""
    setting = Setting()
    setting.pasts.head = commit_id("attempt")
    setting.answer.kind, setting.answer.reason = ActionKind.NONE, Reason.NO_FIX
    return setting


def _unfixed(setting: Setting) -> str:
    incident = opened(setting)
    investigate_incident(setting.process(), incident)
    setting.bus.waiting.clear()
    return incident


def _merge(setting: Setting) -> None:
    setting.pasts.head = commit_id("later")
    setting.answer.kind, setting.answer.reason = ActionKind.REDEPLOY, Reason.FIX_NOT_DEPLOYED


def test_a_fix_that_is_merged_later_is_proposed(setting: Setting) -> None:
    incident = _unfixed(setting)
    _merge(setting)
    tick(setting, BRANCH_CHECK_INTERVAL)
    assert setting.bus.waiting == [("incident-opened", {"incident": incident})]
    assert investigate_incident(setting.process(), incident).name == "proposed"
    (issue,), (posted,) = setting.issues.all, setting.chat.all
    assert posted.message.proposal == f"{incident}-2"
    assert posted.message.commit == commit_id("later")
    assert len(issue.comments) == 1


def test_a_branch_that_has_not_moved_costs_no_second_proof(setting: Setting) -> None:
    incident = _unfixed(setting)
    for _ in range(100):
        tick(setting)
    assert (state(setting, incident), setting.answer.reports, setting.bus.waiting) == ("unfixed", 1, [])


def test_between_two_looks_nothing_is_asked(setting: Setting) -> None:
    incident = _unfixed(setting)
    _merge(setting)
    tick(setting, BRANCH_CHECK_INTERVAL - timedelta(seconds=1))
    assert state(setting, incident) == "unfixed"


def test_checks_that_turn_green_are_a_reason_to_look_again(setting: Setting) -> None:
    setting.answer.reason = Reason.CHECKS_RED
    setting.checks.states[commit_id("attempt")] = CheckStatus.PENDING
    incident = _unfixed(setting)
    setting.checks.states[commit_id("attempt")] = CheckStatus.GREEN
    tick(setting, BRANCH_CHECK_INTERVAL)
    assert state(setting, incident) == "opened"


def test_a_push_that_mends_nothing_bothers_nobody(setting: Setting) -> None:
    incident = _unfixed(setting)
    setting.issues.all[0].body += "- [x] ticked by a person"
    setting.pasts.head = commit_id("fixed")
    tick(setting, BRANCH_CHECK_INTERVAL)
    assert investigate_incident(setting.process(), incident).name == "unfixed"
    assert (setting.issues.all[0].comments, setting.chat.all) == ([], [])
    assert setting.issues.all[0].body.endswith("- [x] ticked by a person"), (
        "nothing new was found, nothing is rewritten"
    )
    assert len(documents(setting, "reports")) == 2


def test_after_a_week_it_is_left_to_people(setting: Setting) -> None:
    incident = _unfixed(setting)
    tick(setting, MAX_UNFIXED_AGE)
    assert state(setting, incident) == "reported"
    _merge(setting)
    tick(setting, BRANCH_CHECK_INTERVAL)
    assert setting.bus.waiting == []
    assert setting.issues.all[0].comments == [], "the issue said all along that nothing can be deployed"


@pytest.mark.parametrize("by_label", [True, False])
def test_a_person_ends_that_as_well(setting: Setting, by_label: bool) -> None:  # noqa: FBT001
    incident = _unfixed(setting)
    _merge(setting)
    if by_label:
        setting.issues.all[0].labels.add("provenfix:wrong")
    else:
        setting.issues.all[0].is_open = False
    tick(setting, BRANCH_CHECK_INTERVAL + MINUTE)
    assert state(setting, incident) == "muted"
    assert setting.chat.all == []
