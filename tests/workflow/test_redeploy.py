"""`redeploy`: everything is checked once more, each objection has a name, and only then something happens."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.errors import Reject, Retry
from shared.ports import IssueCommand, IssueEvent
from shared.proof.model.target import CheckStatus
from shared.workflow.decide import handle_click
from shared.workflow.flow import IncidentState
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.issue.issue_commands import handle_issue_command
from shared.workflow.ledger import LEASE
from shared.workflow.record import record_log_entry
from shared.workflow.records.incident_record import end_incident
from shared.workflow.redeploy import redeploy
from tests.support.commit_graph import commit_id, make_commit
from tests.support.drivers import (
    approve_proposal,
    press_button,
    propose_deployment,
    read_documents,
    read_incident,
    read_state,
    redeploy_approved,
    run_tick,
)
from tests.support.harness import Harness, button_click, syntax_error, watched_service
from tests.support.people import FakePeople


def test_an_approved_commit_is_deployed_without_traffic(harness: Harness) -> None:
    incident = approve_proposal(harness)
    assert redeploy_approved(harness).name == "deploying"
    (operation,) = harness.cloud.operations
    assert (operation.commit, operation.marker) == (commit_id("later"), f"{incident}-1")
    assert harness.cloud.shifts == []


def test_a_copy_of_the_message_deploys_nothing_more(harness: Harness) -> None:
    incident = approve_proposal(harness)
    redeploy_approved(harness)
    assert redeploy(harness.start_process(), f"{incident}-1").name == "deploying"
    assert len(harness.cloud.operations) == 1


def _deploy_by_hand(harness: Harness) -> None:
    harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00008-hand", None)


def _kill(harness: Harness) -> None:
    harness.kill_switch = True


def _object(harness: Harness) -> None:
    harness.prover.objection = "buoy.py, line 3 compiled when it was deployed, and no longer does"


def _checks_red(harness: Harness) -> None:
    harness.checks.states[commit_id("later")] = CheckStatus.RED


def _label(harness: Harness) -> None:
    harness.issues.issues[0].labels.add("provenfix:wrong")


def _close(harness: Harness) -> None:
    harness.issues.issues[0].is_open = False


@pytest.mark.parametrize(
    ("change", "reason", "end"),
    [
        (_deploy_by_hand, "stale", "refused"),
        (_kill, "kill_switch", "refused"),
        (_object, "gate: buoy.py, line 3 compiled when it was deployed, and no longer does", "refused"),
        (_checks_red, "gate: its checks are red", "refused"),
        (_label, "muted", "muted"),
        (_close, "muted", "muted"),
    ],
)
def test_what_has_changed_since_the_approval_refuses_it_with_a_reason(
    harness: Harness, change: Callable[[Harness], None], reason: str, end: str
) -> None:
    incident = approve_proposal(harness)
    change(harness)
    assert redeploy_approved(harness).name == f"refused:{reason}"
    assert read_documents(harness, "decisions")[f"{incident}-1"]["why"] == reason
    run_tick(harness)
    assert read_state(harness, incident) == end
    assert harness.cloud.operations == []
    assert harness.chat.posted[0].message.standing == end


@pytest.mark.parametrize("end", [IncidentState.REPORTED, IncidentState.EXPIRED])
@pytest.mark.parametrize("is_at_rest", [False, True])
def test_what_has_ended_meanwhile_is_refused_by_its_end(
    harness: Harness, end: IncidentState, *, is_at_rest: bool
) -> None:
    incident = approve_proposal(harness)
    end_incident(harness.start_process(), incident, end, "the test says so")
    if is_at_rest:
        harness.bus.waiting.clear()
        run_tick(harness)
        assert read_state(harness, incident) == end
    assert redeploy(harness.start_process(), f"{incident}-1").name == f"refused:{end.value}"
    assert harness.cloud.operations == []


def test_no_gate_is_asked_about_what_is_stale_already(harness: Harness) -> None:
    approve_proposal(harness)
    _deploy_by_hand(harness)
    _object(harness)
    assert redeploy_approved(harness).name == "refused:stale"


def test_a_refused_approval_is_refused_for_good(harness: Harness) -> None:
    incident = approve_proposal(harness)
    harness.kill_switch = True
    redeploy_approved(harness)
    harness.kill_switch = False
    assert redeploy(harness.start_process(), f"{incident}-1").name == "refused:kill_switch"
    assert harness.cloud.operations == []


def test_a_service_that_changes_at_the_last_moment_is_not_deployed_over(harness: Harness) -> None:
    incident = approve_proposal(harness)
    known = harness.services["shore.tide"]

    def then_somebody_deploys(name: str, port: object) -> object:
        return (
            _Racing(port, lambda: harness.cloud.deploy_manually(known, "tide-00008-hand", None))
            if name == "deployer"
            else port
        )

    outcome = redeploy(harness.start_process(then_somebody_deploys), f"{incident}-1")
    assert outcome.name == "refused:stale"
    run_tick(harness)
    assert read_state(harness, incident) == "refused"
    assert harness.cloud.operations == []


def test_the_daily_cap_holds_and_ends_with_the_day() -> None:
    setting = Harness({"shore.tide": watched_service(daily_cap=1)})
    approve_proposal(setting)
    redeploy_approved(setting)
    run_tick(setting, timedelta(minutes=2))
    setting.cloud.deploy_manually(setting.services["shore.tide"], "tide-00009-hand", commit_id("attempt"))
    second = _another(setting, "/app/chat/farewell.py")
    assert redeploy(setting.start_process(), f"{second}-1").name == "refused:daily_cap"
    run_tick(setting)
    setting.clock.advance(timedelta(days=1))
    third = _another(setting, "/app/chat/silence.py")
    assert redeploy(setting.start_process(), f"{third}-1").name == "deploying"


def test_a_cap_of_zero_deploys_nothing() -> None:
    setting = Harness({"shore.tide": watched_service(daily_cap=0)})
    approve_proposal(setting)
    assert redeploy_approved(setting).name == "refused:daily_cap"


def test_a_second_rollout_waits_for_the_first_and_is_stale_after_it(harness: Harness) -> None:
    first = approve_proposal(harness)
    assert redeploy(harness.start_process(), f"{first}-1").name == "deploying"
    second = _another(harness, "/app/chat/farewell.py")
    assert redeploy(harness.start_process(), f"{second}-1").name == "waiting:another_rollout"
    run_tick(harness, timedelta(minutes=2))
    run_tick(harness)
    assert (read_state(harness, first), read_state(harness, second)) == ("watching", "refused")
    assert len(harness.cloud.operations) == 1


def test_second_approval_is_stale_once_the_first_rollout_began(harness: Harness) -> None:
    first = approve_proposal(harness)
    second = _another(harness, "/app/chat/farewell.py")
    assert redeploy(harness.start_process(), f"{first}-1").name == "deploying"
    assert redeploy(harness.start_process(), f"{second}-1").name == "refused:stale"
    assert len(harness.cloud.operations) == 1


def test_any_service_change_makes_an_approval_stale(harness: Harness) -> None:
    approve_proposal(harness)
    harness.cloud.services["shore.tide"].etag += 1
    assert redeploy_approved(harness).name == "refused:stale"
    assert harness.cloud.operations == []


def test_a_newer_revision_is_not_silently_replaced_by_an_older_one(harness: Harness) -> None:
    known = harness.services["shore.tide"]
    harness.histories.graph[commit_id("newer")] = make_commit("newer", "later")
    harness.cloud.deploy_manually(known, "tide-00008-new", commit_id("newer"))
    harness.cloud.services["shore.tide"].traffic = {"tide-00007-old": 90, "tide-00008-new": 10}
    approve_proposal(harness)
    refused = redeploy_approved(harness).name
    assert refused.startswith("refused:downgrade: ")
    named = re.findall(r"\btide-[\w-]+|\b[0-9a-f]{40}\b", refused)
    assert named == ["tide-00008-new", commit_id("newer"), commit_id("later")]
    assert harness.cloud.operations == []


def test_services_do_not_wait_for_each_other() -> None:
    setting = Harness({f"shore.{name}": watched_service(name) for name in ("tide", "gull")})
    first = approve_proposal(setting)
    second = _another(setting, "/app/chat/greeting.py", "gull")
    for incident in (first, second):
        assert redeploy(setting.start_process(), f"{incident}-1").name == "deploying"


def test_message_before_its_question_is_stored_is_redelivered(harness: Harness) -> None:
    incident = approve_proposal(harness)
    stored = harness.store.read("incidents", incident)
    assert stored is not None
    harness.store.replace("incidents", incident, {**stored.value, "state": "opened"}, stored.version)
    with pytest.raises(Retry, match="still being investigated"):
        redeploy_approved(harness)


def test_nothing_is_deployed_without_a_decision(harness: Harness) -> None:
    incident = propose_deployment(harness)
    with pytest.raises(Reject, match="undecided"):
        redeploy(harness.start_process(), f"{incident}-1")


def test_an_unknown_proposal_is_rejected(harness: Harness) -> None:
    with pytest.raises(Reject, match="unknown_proposal"):
        redeploy(harness.start_process(), "0a1b-1-1")


def test_a_forged_message_for_a_denied_proposal_deploys_nothing(harness: Harness) -> None:
    incident = approve_proposal(harness)
    run_tick(harness, timedelta(seconds=1))
    assert read_incident(harness, incident)["state"] == "deploying"
    assert redeploy(harness.start_process(), f"{incident}-1").name == "deploying"
    assert len(harness.cloud.operations) == 1


@pytest.mark.parametrize("last_moment", [False, True])
def test_aborted_rollout_does_not_block_other_questions(last_moment: bool) -> None:  # noqa: FBT001
    """The cap refuses, or the platform does, when the rollout is held already; then a person has it looked at again."""
    setting = Harness({"shore.tide": watched_service(daily_cap=2 if last_moment else 0)})
    incident, known = approve_proposal(setting), setting.services["shore.tide"]

    def change() -> None:
        setting.cloud.deploy_manually(known, "tide-00008-hand", None)

    def racing(name: str, port: object) -> object:
        return _Racing(port, change) if last_moment and name == "deployer" else port

    assert redeploy(setting.start_process(racing), f"{incident}-1").name.startswith("refused:")
    run_tick(setting)
    assert read_state(setting, incident) == "refused"
    setting.clock.advance(timedelta(days=1))
    setting.services = {"shore.tide": watched_service(daily_cap=2)}
    wished = IssueEvent(IssueCommand.REINVESTIGATE, "d-1", "harbour/tide", 1, incident, "nora")
    assert handle_issue_command(setting.start_process(), FakePeople(), wished).name == "asked_again"
    assert investigate_incident(setting.start_process(), incident).name == "proposed"
    setting.bus.waiting.clear()
    press_button(setting)
    assert redeploy_approved(setting).name == "deploying"


@pytest.mark.parametrize("has_started", [False, True])
def test_who_died_at_the_start_is_made_up_for_by_the_next_delivery(harness: Harness, has_started: bool) -> None:  # noqa: FBT001
    incident = approve_proposal(harness)

    def dying(name: str, port: object) -> object:
        return _DiesAtTheStart(port, has_started=has_started) if name == "deployer" else port

    with pytest.raises(_Died):
        redeploy(harness.start_process(dying), f"{incident}-1")
    assert len(harness.cloud.operations) == has_started
    harness.clock.advance(LEASE)
    assert redeploy(harness.start_process(), f"{incident}-1").name == "deploying"
    assert [each.commit for each in harness.cloud.operations] == [commit_id("later")]


class _Died(BaseException):
    pass


class _DiesAtTheStart:
    """A platform whose caller does not live to hear that the deployment has begun; or to begin it."""

    def __init__(self, port: object, *, has_started: bool) -> None:
        self._port = port
        self._has_started = has_started

    def __getattr__(self, method: str) -> object:
        return self._start if method == "start" else getattr(self._port, method)

    def _start(self, *given: object) -> None:
        if self._has_started:
            self._port.start(*given)  # type: ignore[attr-defined]
        raise _Died


class _Racing:
    """Another user is faster than the deployer's `start`."""

    def __init__(self, port: object, first: Callable[[], None]) -> None:
        self._port, self._first = port, first

    def __getattr__(self, method: str) -> object:
        if method == "start":
            self._first()
        return getattr(self._port, method)


def _another(harness: Harness, path: str, name: str = "tide") -> str:
    """Another incident, approved as well, while nothing else was delivered."""
    incident = record_log_entry(harness.start_process(), harness.log_entry(syntax_error(path), name=name)).incident
    investigate_incident(harness.start_process(), incident)
    posted = harness.chat.posted[-1]
    handle_click(harness.start_process(), button_click(posted.message, channel=posted.channel))
    return incident
