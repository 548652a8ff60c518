"""What could not be fixed yet is looked at again when the branch has moved: then the fix is proposed, once."""

from datetime import timedelta

import pytest

from shared.proof.model.recommendation import ActionKind, Reason
from shared.proof.model.target import CheckStatus, ImageCheck, ImageStatus
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.rollout.run_trial import BRANCH_CHECK_INTERVAL, MAX_UNFIXED_AGE
from tests.support.commit_graph import commit_id
from tests.support.drivers import MINUTE, open_incident, read_documents, read_state, run_tick
from tests.support.harness import Harness


@pytest.fixture
def harness() -> Harness:
    """A service that fails, and no fix is merged."""
    setting = Harness()
    setting.histories.head = commit_id("attempt")
    setting.prover.kind, setting.prover.reason = ActionKind.NONE, Reason.NO_FIX
    return setting


def _unfixed(harness: Harness) -> str:
    incident = open_incident(harness)
    investigate_incident(harness.start_process(), incident)
    harness.bus.waiting.clear()
    return incident


def _merge(harness: Harness) -> None:
    harness.histories.head = commit_id("later")
    harness.prover.kind, harness.prover.reason = ActionKind.REDEPLOY, Reason.FIX_NOT_DEPLOYED


def test_a_fix_that_is_merged_later_is_proposed(harness: Harness) -> None:
    incident = _unfixed(harness)
    _merge(harness)
    run_tick(harness, BRANCH_CHECK_INTERVAL)
    assert harness.bus.waiting == [("incident-opened", {"incident": incident})]
    assert investigate_incident(harness.start_process(), incident).name == "proposed"
    (issue,), (posted,) = harness.issues.issues, harness.chat.posted
    assert posted.message.proposal == f"{incident}-2"
    assert posted.message.commit == commit_id("later")
    assert len(issue.comments) == 1


def test_a_branch_that_has_not_moved_costs_no_second_proof(harness: Harness) -> None:
    incident = _unfixed(harness)
    for _ in range(100):
        run_tick(harness)
    assert (read_state(harness, incident), harness.prover.report_count, harness.bus.waiting) == ("unfixed", 1, [])


def test_between_two_looks_nothing_is_asked(harness: Harness) -> None:
    incident = _unfixed(harness)
    _merge(harness)
    run_tick(harness, BRANCH_CHECK_INTERVAL - timedelta(seconds=1))
    assert read_state(harness, incident) == "unfixed"


def test_checks_that_turn_green_are_a_reason_to_look_again(harness: Harness) -> None:
    harness.prover.reason = Reason.CHECKS_RED
    harness.checks.states[commit_id("attempt")] = CheckStatus.PENDING
    incident = _unfixed(harness)
    harness.checks.states[commit_id("attempt")] = CheckStatus.GREEN
    run_tick(harness, BRANCH_CHECK_INTERVAL)
    assert read_state(harness, incident) == "opened"


def test_an_image_that_is_built_is_a_reason_to_look_again(harness: Harness) -> None:
    harness.prover.reason = Reason.NO_IMAGE
    harness.cloud.images[commit_id("attempt")] = ImageCheck(ImageStatus.MISSING, "never built")
    incident = _unfixed(harness)
    run_tick(harness, BRANCH_CHECK_INTERVAL)
    assert read_state(harness, incident) == "unfixed"
    harness.cloud.images[commit_id("attempt")] = ImageCheck(ImageStatus.BUILT)
    run_tick(harness, BRANCH_CHECK_INTERVAL)
    assert read_state(harness, incident) == "opened"


def test_a_push_that_mends_nothing_bothers_nobody(harness: Harness) -> None:
    incident = _unfixed(harness)
    harness.issues.issues[0].body += "- [x] ticked by a person"
    harness.histories.head = commit_id("fixed")
    run_tick(harness, BRANCH_CHECK_INTERVAL)
    assert investigate_incident(harness.start_process(), incident).name == "unfixed"
    assert (harness.issues.issues[0].comments, harness.chat.posted) == ([], [])
    assert harness.issues.issues[0].body.endswith("- [x] ticked by a person"), (
        "nothing new was found, nothing is rewritten"
    )
    assert len(read_documents(harness, "reports")) == 2


def test_after_a_week_it_is_left_to_people(harness: Harness) -> None:
    incident = _unfixed(harness)
    run_tick(harness, MAX_UNFIXED_AGE)
    assert read_state(harness, incident) == "reported"
    _merge(harness)
    run_tick(harness, BRANCH_CHECK_INTERVAL)
    assert harness.bus.waiting == []
    assert harness.issues.issues[0].comments == [], "the issue said all along that nothing can be deployed"


@pytest.mark.parametrize("by_label", [True, False])
def test_a_person_ends_that_as_well(harness: Harness, by_label: bool) -> None:  # noqa: FBT001
    incident = _unfixed(harness)
    _merge(harness)
    if by_label:
        harness.issues.issues[0].labels.add("provenfix:wrong")
    else:
        harness.issues.issues[0].is_open = False
    run_tick(harness, BRANCH_CHECK_INTERVAL + MINUTE)
    assert read_state(harness, incident) == "muted"
    assert harness.chat.posted == []
