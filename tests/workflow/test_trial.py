"""Where nothing is proven, a possible fix is tried without traffic; only an experiment leads to traffic."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.ports import WRONG_LABEL
from shared.proof.model.recommendation import ActionKind, Reason
from shared.proposal.decision import ClickKind, ClickResult
from shared.proposal.rollout import ProbeOutcome, ProbeResult
from shared.proposal.state_words import PINNED
from shared.proposal.states import ProposalStatus
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.record import record_log_entry
from shared.workflow.records import incident_record
from shared.workflow.records.incident_record import EndCause, IncidentRecord
from shared.workflow.rollout.new_revision import MAX_DEPLOYMENT_TIME
from shared.workflow.rollout.run_trial import BRANCH_CHECK_INTERVAL, MAX_UNFIXED_AGE
from tests.support.chat import PostedMessage
from tests.support.commit_graph import commit_id, make_commit
from tests.support.drivers import (
    MINUTE,
    press_button,
    read_documents,
    read_state,
    redeploy_approved,
    run_tick,
)
from tests.support.harness import APPROVER, OLD_REVISION, SECOND_APPROVER, Harness
from tests.support.trials import (
    CLOSE_1011,
    FAILS,
    HOLDS,
    SERVING_URL,
    TRIED_URL,
    UNREACHABLE,
    finish_trial,
    harness_with_trial,
    investigate_close,
    start_trial,
)


@pytest.fixture
def harness() -> Harness:
    return harness_with_trial()


def _record(harness: Harness, incident: str) -> IncidentRecord:
    return incident_record.require_incident(harness.start_process(), incident)


def _traffic(harness: Harness) -> dict[str, int]:
    return harness.cloud.services["shore.tide"].traffic


def _report(harness: Harness, key: str) -> dict[str, Any]:
    return dict(read_documents(harness, "reports")[key])


def _questions(harness: Harness) -> list[PostedMessage]:
    """What asks something: a notice does not."""
    return [posted for posted in harness.chat.posted if posted.message.standing is not ProposalStatus.NOTICE]


def _standing(harness: Harness) -> ProposalStatus:
    """Of the first question."""
    return harness.chat.posted[0].message.standing


def _assert_nothing_moved(harness: Harness) -> None:
    assert _traffic(harness) == {OLD_REVISION: 100}
    assert {(revision, share) for _, revision, share in harness.cloud.shifts} <= {(OLD_REVISION, 100)}


class TestQuestion:
    def test_it_asks_for_a_trial_where_the_probe_shows_the_failure(self, harness: Harness) -> None:
        incident = investigate_close(harness)
        assert read_state(harness, incident) == "proposed"
        message = harness.chat.posted[-1].message
        assert (message.kind, message.commit, message.alternative) == (ActionKind.TRIAL, commit_id("later"), None)
        assert _report(harness, incident)["reason"] == Reason.TRIAL_POSSIBLE
        assert harness.probe.probed_services == [SERVING_URL]
        assert read_documents(harness, "trials")[message.proposal]["rounds"] == []

    @pytest.mark.parametrize(
        "seen",
        [
            HOLDS,
            UNREACHABLE,
            replace(FAILS, code=1012),
            ProbeResult(ok=False, detail="answered 403", outcome=ProbeOutcome.ANSWERED, code=403),
        ],
    )
    def test_it_asks_for_nothing_where_the_probe_shows_something_else(
        self, harness: Harness, seen: ProbeResult
    ) -> None:
        harness.probe.results_by_url[SERVING_URL] = seen
        incident = investigate_close(harness)
        assert (_questions(harness), read_documents(harness, "trials")) == ([], {})
        assert _report(harness, incident)["kind"] == ActionKind.NONE
        assert seen.detail in str(_report(harness, incident)["detail"])

    @pytest.mark.parametrize("changes", [{"trial": False}, {"probe_url": "https://tide.invalid/health"}])
    def test_it_is_off_unless_it_is_configured_and_has_a_websocket(self, changes: dict[str, object]) -> None:
        harness = harness_with_trial(**changes)
        incident = investigate_close(harness)
        assert (read_state(harness, incident), _questions(harness)) == ("reported", [])
        assert harness.probe.probed_services == []

    def test_without_a_candidate_it_waits_for_one(self, harness: Harness) -> None:
        harness.prover.trial_commit = ""
        incident = investigate_close(harness)
        assert (read_state(harness, incident), harness.probe.probed_services) == ("unfixed", [])
        harness.prover.trial_commit = "later"
        harness.histories.head = commit_id("fixed")
        run_tick(harness, 20 * MINUTE)
        investigate_incident(harness.start_process(), incident)
        assert read_state(harness, incident) == "proposed"

    def test_what_serves_already_is_not_tried(self, harness: Harness) -> None:
        harness.prover.trial_commit = "attempt"
        investigate_close(harness)
        assert _questions(harness) == []

    def test_nobody_is_asked_about_an_incident_without_an_issue_of_its_own(self) -> None:
        harness = harness_with_trial(uncorroborated_issues=0)
        incident = investigate_close(harness)
        assert (read_state(harness, incident), harness.chat.posted) == ("reported", [])

    def test_its_author_may_not_approve_it_where_that_is_configured(self) -> None:
        harness = harness_with_trial(not_author=True, authors={APPROVER: ("Kim Reed",)})
        investigate_close(harness)
        assert press_button(harness).result is ClickResult.OWN_FIX

    def test_a_newer_merge_supersedes_it(self, harness: Harness) -> None:
        harness.histories.head = commit_id("fixed")
        harness.prover.trial_commit = "fixed"
        incident = investigate_close(harness)
        harness.histories.head, harness.prover.trial_commit = commit_id("later"), "later"
        run_tick(harness, timedelta(hours=2))
        assert harness.chat.posted[0].message.standing is ProposalStatus.SUPERSEDED
        investigate_incident(harness.start_process(), incident)
        assert harness.chat.posted[-1].message.commit == commit_id("later")


class TestProof:
    def test_the_second_question_comes_after_the_experiment_and_only_then(self, harness: Harness) -> None:
        incident = start_trial(harness)
        assert read_state(harness, incident) == "trying"
        assert _standing(harness) == ProposalStatus.TRYING
        finish_trial(harness, 2)
        assert (read_state(harness, incident), len(harness.chat.posted)) == ("trying", 1)
        finish_trial(harness, 1)
        assert read_state(harness, incident) == "opened"
        assert _standing(harness) == ProposalStatus.HELD
        _assert_nothing_moved(harness)
        investigate_incident(harness.start_process(), incident)
        second = harness.chat.posted[-1].message
        assert (second.kind, second.commit) == (ActionKind.REDEPLOY, commit_id("later"))
        report = _report(harness, f"{incident}.2")
        assert report["reason"] == Reason.PROVEN_BY_TRIAL
        assert len(report["report"]["trial"]["experiment"]["rounds"]) == 3
        assert [entry["kind"] for entry in report["report"]["evidence"]].count("probe") == 3

    def test_both_are_probed_side_by_side_in_every_round(self, harness: Harness) -> None:
        start_trial(harness)
        finish_trial(harness)
        assert harness.probe.probed_services == [SERVING_URL, *([SERVING_URL, TRIED_URL] * 3)]

    def test_the_second_approval_leads_to_the_usual_rollout(self, harness: Harness) -> None:
        incident = start_trial(harness)
        finish_trial(harness)
        harness.bus.waiting.clear()
        investigate_incident(harness.start_process(), incident)
        assert press_button(harness, token="t2").result is ClickResult.APPROVED
        assert redeploy_approved(harness).name == "deploying"
        harness.probe.results_by_url[SERVING_URL] = HOLDS
        run_tick(harness, 2 * MINUTE)
        assert read_state(harness, incident) == "watching"
        harness.logs.request_counts[harness.cloud.operations[-1].revision] = 480
        run_tick(harness, timedelta(hours=24, minutes=1))
        assert read_state(harness, incident) == "resolved"
        assert [operation.commit for operation in harness.cloud.operations] == [commit_id("later")] * 2
        assert _record(harness, incident).fix == commit_id("later")

    def test_the_issue_has_one_comment_about_what_was_seen(self, harness: Harness) -> None:
        incident = start_trial(harness)
        finish_trial(harness)
        run_tick(harness)
        [issue] = harness.issues.issues
        names = [comment.partition("\n")[0] for comment in issue.comments]
        assert [name for name in names if "part=held" in name] == [
            f"<!-- provenfix:incident={incident} part=held.{incident}-1 -->"
        ]

    def test_a_newer_merge_does_not_supersede_what_was_tried(self, harness: Harness) -> None:
        incident = start_trial(harness)
        finish_trial(harness)
        investigate_incident(harness.start_process(), incident)
        harness.histories.head = commit_id("fixed")
        run_tick(harness, timedelta(hours=2))
        assert harness.chat.posted[-1].message.standing is ProposalStatus.OPEN

    def test_another_serving_revision_makes_the_experiment_void(self, harness: Harness) -> None:
        incident = start_trial(harness)
        finish_trial(harness)
        investigate_incident(harness.start_process(), incident)
        harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00009-hand", commit_id("attempt"))
        run_tick(harness)
        assert harness.chat.posted[-1].message.standing is ProposalStatus.SUPERSEDED
        investigate_incident(harness.start_process(), incident)
        assert harness.chat.posted[-1].message.kind is ActionKind.TRIAL

    def test_a_change_that_leaves_the_serving_revision_keeps_the_experiment(self, harness: Harness) -> None:
        incident = start_trial(harness)
        finish_trial(harness)
        investigate_incident(harness.start_process(), incident)
        harness.cloud.services["shore.tide"].etag += 1
        run_tick(harness)
        investigate_incident(harness.start_process(), incident)
        assert harness.chat.posted[-1].message.kind is ActionKind.REDEPLOY
        assert len(harness.chat.posted) == 3

    def test_an_unreachable_revision_is_probed_once_more(self, harness: Harness) -> None:
        incident = start_trial(harness)
        harness.probe.results_by_url[TRIED_URL] = UNREACHABLE
        finish_trial(harness, 2)
        harness.probe.results_by_url[TRIED_URL] = HOLDS
        finish_trial(harness, 3)
        assert read_state(harness, incident) == "opened"


ENDS = {
    EndCause.NO_DIFFERENCE: (FAILS, FAILS),
    EndCause.REVISION_FAILS: (FAILS, replace(FAILS, code=1002, detail="closed with 1002")),
    EndCause.SERVING_HOLDS: (HOLDS, HOLDS),
    EndCause.UNCLEAR: (FAILS, UNREACHABLE),
}


class TestWithoutProof:
    @pytest.mark.parametrize("cause", ENDS)
    def test_it_stays_without_traffic_and_the_issue_says_what_was_seen(self, harness: Harness, cause: EndCause) -> None:
        serving, tried = ENDS[cause]
        incident = start_trial(harness)
        harness.probe.results_by_url |= {SERVING_URL: serving, TRIED_URL: tried}
        finish_trial(harness)
        record = _record(harness, incident)
        assert (record.state, record.ending_cause) == ("tried", cause)
        _assert_nothing_moved(harness)
        assert len(harness.chat.posted) == 1
        assert harness.chat.posted[0].message.standing is ProposalStatus.TRIED
        [issue] = harness.issues.issues
        assert issue.is_open
        assert serving.detail in issue.comments[-1]
        assert tried.detail in issue.comments[-1]

    def test_it_fails_in_the_last_round(self, harness: Harness) -> None:
        """Twice it held; once is enough."""
        incident = start_trial(harness)
        finish_trial(harness, 2)
        harness.probe.results_by_url[TRIED_URL] = FAILS
        finish_trial(harness, 1)
        assert _record(harness, incident).ending_cause is EndCause.NO_DIFFERENCE

    def test_the_tried_revision_logs_the_failure(self, harness: Harness) -> None:
        incident = start_trial(harness)
        finish_trial(harness, 2)
        harness.log_entry(CLOSE_1011, revision=harness.cloud.operations[0].revision)
        finish_trial(harness, 1)
        assert _record(harness, incident).ending_cause is EndCause.RECURRED_BEFORE_TRAFFIC
        _assert_nothing_moved(harness)

    def test_what_the_tried_revision_logs_is_no_other_incident(self, harness: Harness) -> None:
        incident = start_trial(harness)
        harness.probe.results_by_url[TRIED_URL] = FAILS
        finish_trial(harness, 1)
        entry = harness.log_entry(CLOSE_1011, revision=harness.cloud.operations[0].revision)
        assert record_log_entry(harness.start_process(), entry).name == "duplicate"
        assert list(read_documents(harness, "incidents")) == [incident]

    @pytest.mark.parametrize(("cause", "offered"), [(EndCause.NO_DIFFERENCE, False), (EndCause.SERVING_HOLDS, True)])
    def test_a_person_may_have_it_investigated_again(self, harness: Harness, cause: EndCause, *, offered: bool) -> None:
        incident = start_trial(harness)
        harness.probe.results_by_url |= dict(zip((SERVING_URL, TRIED_URL), ENDS[cause], strict=True))
        finish_trial(harness)
        harness.probe.results_by_url |= {SERVING_URL: FAILS, TRIED_URL: HOLDS}
        record = _record(harness, incident)
        assert record.can_be_reinvestigated
        assert (commit_id("later") in record.failed_commits) is not offered

    def test_the_deployment_fails(self, harness: Harness) -> None:
        harness.cloud.failure_reason = "the build failed"
        incident = start_trial(harness)
        finish_trial(harness, 1)
        record = _record(harness, incident)
        assert (record.state, record.ending_cause) == ("tried", EndCause.DEPLOYMENT_FAILED)
        _assert_nothing_moved(harness)

    def test_the_deployment_does_not_end(self, harness: Harness) -> None:
        harness.cloud.deployment_time = timedelta(hours=5)
        incident = start_trial(harness)
        run_tick(harness, MAX_DEPLOYMENT_TIME)
        assert _record(harness, incident).ending_cause is EndCause.DEPLOYMENT_LATE

    def test_a_revision_without_an_address_of_its_own_cannot_be_tried(self, harness: Harness) -> None:
        harness.cloud.address = ""
        incident = start_trial(harness)
        finish_trial(harness, 1)
        assert _record(harness, incident).ending_cause is EndCause.NO_ADDRESS

    def test_traffic_that_a_pipeline_gave_ends_it_and_is_taken_back(self, harness: Harness) -> None:
        incident = start_trial(harness)
        tried = harness.cloud.operations[0].revision
        harness.cloud.services["shore.tide"].traffic = {OLD_REVISION: 60, tried: 40}
        finish_trial(harness, 1)
        assert _record(harness, incident).ending_cause is EndCause.GOT_TRAFFIC
        assert _traffic(harness) == {OLD_REVISION: 100}

    def test_somebody_deploys_meanwhile(self, harness: Harness) -> None:
        incident = start_trial(harness)
        harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00009-hand", commit_id("attempt"))
        finish_trial(harness, 1)
        assert _record(harness, incident).ending_cause is EndCause.OTHER_REVISION_SERVES
        assert (_traffic(harness), harness.cloud.shifts) == ({"tide-00009-hand": 100}, [])

    def test_somebody_splits_the_traffic_meanwhile(self, harness: Harness) -> None:
        incident = start_trial(harness)
        harness.probe.results_by_url[TRIED_URL] = FAILS
        harness.cloud.manual_change = "the traffic was split anew"
        finish_trial(harness, 1)
        record = _record(harness, incident)
        assert record.state == "tried"
        assert harness.cloud.manual_change in record.ending_why


class TestNewerCommit:
    """A trial that has proven nothing stands until the branch moves."""

    def _try_in_vain(self, harness: Harness) -> str:
        incident = start_trial(harness)
        harness.probe.results_by_url[TRIED_URL] = FAILS
        finish_trial(harness, 1)
        harness.bus.waiting.clear()
        assert read_state(harness, incident) == "tried"
        return incident

    def test_a_commit_that_is_merged_later_is_asked_about(self, harness: Harness) -> None:
        incident = self._try_in_vain(harness)
        newest = make_commit("newest", "later")
        harness.histories.graph[newest.id] = newest
        harness.histories.head, harness.prover.trial_commit = newest.id, "newest"
        run_tick(harness, BRANCH_CHECK_INTERVAL)
        assert harness.bus.waiting == [("incident-opened", {"incident": incident})]
        assert investigate_incident(harness.start_process(), incident).name == "proposed"
        asked = harness.chat.posted[-1].message
        assert (asked.kind, asked.commit, asked.proposal) == (ActionKind.TRIAL, commit_id("newest"), f"{incident}-2")
        assert commit_id("later") in _record(harness, incident).failed_commits
        _assert_nothing_moved(harness)

    def test_a_branch_that_stays_as_it_is_costs_nothing(self, harness: Harness) -> None:
        incident = self._try_in_vain(harness)
        looks = harness.prover.report_count
        for _ in range(30):
            run_tick(harness)
        assert (read_state(harness, incident), harness.prover.report_count, harness.bus.waiting) == ("tried", looks, [])

    @pytest.mark.parametrize("end", ["reported", "muted"])
    def test_it_is_given_up_after_a_week_or_by_a_person(self, harness: Harness, end: str) -> None:
        incident = self._try_in_vain(harness)
        if end == "muted":
            harness.issues.issues[0].labels.add(WRONG_LABEL)
        run_tick(harness, MAX_UNFIXED_AGE if end == "reported" else BRANCH_CHECK_INTERVAL)
        record = _record(harness, incident)
        assert (record.state, record.is_visited, record.ending_cause) == (end, False, EndCause.NO_DIFFERENCE)

    def test_a_failure_of_another_deployment_is_told_by_its_own_incident(self, harness: Harness) -> None:
        incident = self._try_in_vain(harness)
        harness.clock.advance(MINUTE)
        harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00009-hand", None)
        entry = harness.log_entry(CLOSE_1011, revision="tide-00009-hand")
        assert record_log_entry(harness.start_process(), entry).incident != incident
        run_tick(harness)
        assert read_state(harness, incident) == "reported"

    def test_it_does_not_hold_up_another_rollout(self, harness: Harness) -> None:
        self._try_in_vain(harness)
        harness.prover.trial_commit = ""
        harness.prover.kind, harness.prover.reason = ActionKind.REDEPLOY, Reason.FIX_NOT_DEPLOYED
        other = record_log_entry(harness.start_process(), harness.log_entry()).incident
        investigate_incident(harness.start_process(), other)
        press_button(harness, token="t2")
        assert redeploy_approved(harness).name == "deploying"


class TestRules:
    """What holds for a redeployment holds for a trial."""

    def test_denied(self, harness: Harness) -> None:
        incident = investigate_close(harness)
        assert press_button(harness, ClickKind.DENY).result is ClickResult.DENIED
        run_tick(harness)
        assert (read_state(harness, incident), harness.cloud.operations) == ("denied", [])

    def test_expired(self, harness: Harness) -> None:
        incident = investigate_close(harness)
        run_tick(harness, timedelta(hours=7))
        assert (read_state(harness, incident), harness.cloud.operations) == ("expired", [])
        assert press_button(harness).result is ClickResult.EXPIRED

    def test_an_approval_that_is_too_old_begins_nothing(self, harness: Harness) -> None:
        incident = investigate_close(harness)
        press_button(harness)
        harness.clock.advance(timedelta(hours=7))
        assert redeploy_approved(harness).name == "refused:approval_expired"
        run_tick(harness)
        assert (read_state(harness, incident), harness.cloud.operations) == ("refused", [])

    def test_only_approvers_decide_and_all_who_have_to(self) -> None:
        harness = harness_with_trial(approvers=(APPROVER, SECOND_APPROVER), quorum=2)
        incident = investigate_close(harness)
        assert press_button(harness, user="U-STRANGER").result is ClickResult.FOREIGN_USER
        assert press_button(harness).result is ClickResult.COUNTED
        assert press_button(harness, user=SECOND_APPROVER, token="t2").result is ClickResult.APPROVED
        assert redeploy_approved(harness).name == "trying"
        assert read_state(harness, incident) == "trying"

    def test_the_kill_switch_keeps_it_from_beginning(self, harness: Harness) -> None:
        incident = investigate_close(harness)
        press_button(harness)
        harness.kill_switch = True
        assert redeploy_approved(harness).name == "refused:kill_switch"
        run_tick(harness)
        assert (read_state(harness, incident), harness.cloud.operations) == ("refused", [])

    def test_the_kill_switch_ends_it(self, harness: Harness) -> None:
        incident = start_trial(harness)
        finish_trial(harness, 1)
        harness.kill_switch = True
        finish_trial(harness, 1)
        record = _record(harness, incident)
        assert (record.state, record.ending_cause) == ("tried", EndCause.STOPPED)
        _assert_nothing_moved(harness)

    def test_a_gate_keeps_it_from_beginning(self, harness: Harness) -> None:
        investigate_close(harness)
        press_button(harness)
        harness.prover.objection = "its checks are red"
        assert redeploy_approved(harness).name.startswith("refused:gate")
        assert harness.cloud.operations == []

    def test_a_commit_that_does_not_contain_what_serves_is_not_tried(self, harness: Harness) -> None:
        harness.prover.trial_commit = "good"
        investigate_close(harness)
        press_button(harness)
        assert redeploy_approved(harness).name.startswith("refused:downgrade")

    def test_it_counts_as_a_rollout_of_the_day(self) -> None:
        harness = harness_with_trial(daily_cap=1)
        incident = start_trial(harness)
        finish_trial(harness)
        harness.bus.waiting.clear()
        investigate_incident(harness.start_process(), incident)
        press_button(harness, token="t2")
        assert redeploy_approved(harness).name == "refused:daily_cap"

    def test_it_is_the_one_rollout_of_its_service(self, harness: Harness) -> None:
        start_trial(harness)
        harness.prover.trial_commit = ""
        harness.prover.kind, harness.prover.reason = ActionKind.REDEPLOY, Reason.FIX_NOT_DEPLOYED
        other = record_log_entry(harness.start_process(), harness.log_entry()).incident
        investigate_incident(harness.start_process(), other)
        press_button(harness)
        assert redeploy_approved(harness).name == "waiting:another_rollout"

    @pytest.mark.parametrize("mute", ["label", "close"])
    def test_a_person_ends_it_at_the_issue(self, harness: Harness, mute: str) -> None:
        incident = start_trial(harness)
        [issue] = harness.issues.issues
        if mute == "label":
            issue.labels.add(WRONG_LABEL)
        else:
            issue.is_open = False
        finish_trial(harness, 1)
        assert read_state(harness, incident) == "muted"
        _assert_nothing_moved(harness)

    @pytest.mark.parametrize("end", ["denied", "expired"])
    def test_a_trial_whose_traffic_is_declined_says_that_the_traffic_is_tied(self, harness: Harness, end: str) -> None:
        incident = start_trial(harness)
        finish_trial(harness)
        investigate_incident(harness.start_process(), incident)
        if end == "denied":
            press_button(harness, ClickKind.DENY, token="t2")
        run_tick(harness, timedelta(hours=7))
        assert read_state(harness, incident) == end
        assert PINNED in harness.issues.issues[0].comments[-1]

    def test_the_approval_of_the_trial_is_none_of_the_traffic(self, harness: Harness) -> None:
        incident = start_trial(harness)
        first = harness.chat.posted[0].message
        finish_trial(harness)
        investigate_incident(harness.start_process(), incident)
        assert harness.chat.posted[-1].message.proposal != first.proposal
        run_tick(harness)
        assert (read_state(harness, incident), len(harness.cloud.operations)) == ("proposed", 1)
