"""`redeploy`: everything is checked once more, each objection has a name, and only then something happens."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.errors import Reject, Retry
from shared.ports import IssueCommand, IssueEvent
from shared.proof.model.finding import CheckStatus
from shared.workflow.decide import handle_click
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.issue.issue_commands import handle_issue_command
from shared.workflow.ledger import LEASE
from shared.workflow.record import record_log_entry
from shared.workflow.redeploy import redeploy
from tests.support.drivers import approved, documents, incident_document, pressed, proposed, redeployed, state, tick
from tests.support.harness import Setting, click, service, syntax_error
from tests.support.past import commit, commit_id
from tests.support.people import FakePeople


@pytest.fixture
def setting() -> Setting:
    return Setting()


def test_an_approved_commit_is_deployed_without_traffic(setting: Setting) -> None:
    incident = approved(setting)
    assert redeployed(setting).name == "deploying"
    (operation,) = setting.cloud.operations
    assert (operation.commit, operation.marker) == (commit_id("later"), f"{incident}-1")
    assert setting.cloud.shifts == []


def test_a_copy_of_the_message_deploys_nothing_more(setting: Setting) -> None:
    incident = approved(setting)
    redeployed(setting)
    assert redeploy(setting.process(), f"{incident}-1").name == "deploying"
    assert len(setting.cloud.operations) == 1


def _deploy_by_hand(setting: Setting) -> None:
    setting.cloud.deploy_by_hand(setting.services["shore.tide"], "tide-00008-hand", None)


def _kill(setting: Setting) -> None:
    setting.killed = True


def _object(setting: Setting) -> None:
    setting.answer.objection = "buoy.py, line 3 compiled when it was deployed, and no longer does"


def _checks_red(setting: Setting) -> None:
    setting.checks.states[commit_id("later")] = CheckStatus.RED


def _label(setting: Setting) -> None:
    setting.issues.all[0].labels.add("provenfix:wrong")


def _close(setting: Setting) -> None:
    setting.issues.all[0].is_open = False


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
    setting: Setting, change: Callable[[Setting], None], reason: str, end: str
) -> None:
    incident = approved(setting)
    change(setting)
    assert redeployed(setting).name == f"refused:{reason}"
    assert documents(setting, "decisions")[f"{incident}-1"]["why"] == reason
    tick(setting)
    assert state(setting, incident) == end
    assert setting.cloud.operations == []
    assert setting.chat.all[0].message.standing == end


def test_a_refused_approval_is_refused_for_good(setting: Setting) -> None:
    incident = approved(setting)
    setting.killed = True
    redeployed(setting)
    setting.killed = False
    assert redeploy(setting.process(), f"{incident}-1").name == "refused:kill_switch"
    assert setting.cloud.operations == []


def test_a_service_that_changes_at_the_last_moment_is_not_deployed_over(setting: Setting) -> None:
    incident = approved(setting)
    known = setting.services["shore.tide"]

    def then_somebody_deploys(name: str, port: object) -> object:
        return (
            _Racing(port, lambda: setting.cloud.deploy_by_hand(known, "tide-00008-hand", None))
            if name == "deployer"
            else port
        )

    outcome = redeploy(setting.process(then_somebody_deploys), f"{incident}-1")
    assert outcome.name == "refused:stale"
    tick(setting)
    assert state(setting, incident) == "refused"
    assert setting.cloud.operations == []


def test_the_daily_cap_holds_and_ends_with_the_day() -> None:
    setting = Setting({"shore.tide": service(daily_cap=1)})
    approved(setting)
    redeployed(setting)
    tick(setting, timedelta(minutes=2))
    setting.cloud.deploy_by_hand(setting.services["shore.tide"], "tide-00009-hand", commit_id("attempt"))
    second = _another(setting, "/app/chat/farewell.py")
    assert redeploy(setting.process(), f"{second}-1").name == "refused:daily_cap"
    tick(setting)
    setting.clock.turn(timedelta(days=1))
    third = _another(setting, "/app/chat/silence.py")
    assert redeploy(setting.process(), f"{third}-1").name == "deploying"


def test_a_cap_of_zero_deploys_nothing() -> None:
    setting = Setting({"shore.tide": service(daily_cap=0)})
    approved(setting)
    assert redeployed(setting).name == "refused:daily_cap"


def test_a_second_rollout_waits_for_the_first_and_is_stale_after_it(setting: Setting) -> None:
    first = approved(setting)
    assert redeploy(setting.process(), f"{first}-1").name == "deploying"
    second = _another(setting, "/app/chat/farewell.py")
    assert redeploy(setting.process(), f"{second}-1").name == "waiting:another_rollout"
    tick(setting, timedelta(minutes=2))
    tick(setting)
    assert (state(setting, first), state(setting, second)) == ("watching", "refused")
    assert len(setting.cloud.operations) == 1


def test_a_second_approval_on_the_same_evidence_is_stale_once_the_first_has_begun(setting: Setting) -> None:
    first = approved(setting)
    second = _another(setting, "/app/chat/farewell.py")
    assert redeploy(setting.process(), f"{first}-1").name == "deploying"
    assert redeploy(setting.process(), f"{second}-1").name == "refused:stale"
    assert len(setting.cloud.operations) == 1


def test_a_change_that_leaves_the_serving_revision_alone_makes_an_approval_stale_as_well(setting: Setting) -> None:
    approved(setting)
    setting.cloud.services["shore.tide"].etag += 1
    assert redeployed(setting).name == "refused:stale"
    assert setting.cloud.operations == []


def test_a_newer_revision_is_not_silently_replaced_by_an_older_one(setting: Setting) -> None:
    known = setting.services["shore.tide"]
    setting.pasts.graph[commit_id("newer")] = commit("newer", "later")
    setting.cloud.deploy_by_hand(known, "tide-00008-new", commit_id("newer"))
    setting.cloud.services["shore.tide"].traffic = {"tide-00007-old": 90, "tide-00008-new": 10}
    approved(setting)
    refused = redeployed(setting).name
    assert refused.startswith("refused:downgrade: ")
    named = re.findall(r"\btide-[\w-]+|\b[0-9a-f]{40}\b", refused)
    assert named == ["tide-00008-new", commit_id("newer"), commit_id("later")]
    assert setting.cloud.operations == []


def test_services_do_not_wait_for_each_other() -> None:
    setting = Setting({f"shore.{name}": service(name) for name in ("tide", "gull")})
    first = approved(setting)
    second = _another(setting, "/app/chat/greeting.py", "gull")
    for incident in (first, second):
        assert redeploy(setting.process(), f"{incident}-1").name == "deploying"


def test_a_message_that_arrives_before_the_question_is_on_record_comes_again(setting: Setting) -> None:
    incident = approved(setting)
    stored = setting.store.read("incidents", incident)
    assert stored is not None
    setting.store.replace("incidents", incident, {**stored.value, "state": "opened"}, stored.version)
    with pytest.raises(Retry, match="still being investigated"):
        redeployed(setting)


def test_nothing_is_deployed_without_a_decision(setting: Setting) -> None:
    incident = proposed(setting)
    with pytest.raises(Reject, match="undecided"):
        redeploy(setting.process(), f"{incident}-1")


def test_an_unknown_proposal_is_rejected(setting: Setting) -> None:
    with pytest.raises(Reject, match="unknown_proposal"):
        redeploy(setting.process(), "0a1b-1-1")


def test_a_forged_message_for_a_denied_proposal_deploys_nothing(setting: Setting) -> None:
    incident = approved(setting)
    tick(setting, timedelta(seconds=1))
    assert incident_document(setting, incident)["state"] == "deploying"
    assert redeploy(setting.process(), f"{incident}-1").name == "deploying"
    assert len(setting.cloud.operations) == 1


@pytest.mark.parametrize("last_moment", [False, True])
def test_a_rollout_that_came_to_nothing_holds_up_no_other_question_of_its_incident(last_moment: bool) -> None:  # noqa: FBT001
    """The cap refuses, or the platform does, when the rollout is held already; then a person has it looked at again."""
    setting = Setting({"shore.tide": service(daily_cap=2 if last_moment else 0)})
    incident, known = approved(setting), setting.services["shore.tide"]

    def change() -> None:
        setting.cloud.deploy_by_hand(known, "tide-00008-hand", None)

    def racing(name: str, port: object) -> object:
        return _Racing(port, change) if last_moment and name == "deployer" else port

    assert redeploy(setting.process(racing), f"{incident}-1").name.startswith("refused:")
    tick(setting)
    assert state(setting, incident) == "refused"
    setting.clock.turn(timedelta(days=1))
    setting.services = {"shore.tide": service(daily_cap=2)}
    wished = IssueEvent(IssueCommand.REINVESTIGATE, "d-1", "harbour/tide", 1, incident, "nora")
    assert handle_issue_command(setting.process(), FakePeople(), wished).name == "asked_again"
    assert investigate_incident(setting.process(), incident).name == "proposed"
    setting.bus.waiting.clear()
    pressed(setting)
    assert redeployed(setting).name == "deploying"


@pytest.mark.parametrize("has_started", [False, True])
def test_who_died_at_the_start_is_made_up_for_by_the_next_delivery(setting: Setting, has_started: bool) -> None:  # noqa: FBT001
    incident = approved(setting)

    def dying(name: str, port: object) -> object:
        return _DiesAtTheStart(port, has_started=has_started) if name == "deployer" else port

    with pytest.raises(_Died):
        redeploy(setting.process(dying), f"{incident}-1")
    assert len(setting.cloud.operations) == has_started
    setting.clock.turn(LEASE)
    assert redeploy(setting.process(), f"{incident}-1").name == "deploying"
    assert [each.commit for each in setting.cloud.operations] == [commit_id("later")]


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
    """Somebody else is faster than the deployer's `start`."""

    def __init__(self, port: object, first: Callable[[], None]) -> None:
        self._port, self._first = port, first

    def __getattr__(self, method: str) -> object:
        if method == "start":
            self._first()
        return getattr(self._port, method)


def _another(setting: Setting, path: str, name: str = "tide") -> str:
    """Another incident, approved as well, while nothing else was delivered."""
    incident = record_log_entry(setting.process(), setting.entry(syntax_error(path), name=name)).incident
    investigate_incident(setting.process(), incident)
    posted = setting.chat.all[-1]
    handle_click(setting.process(), click(posted.message, channel=posted.channel))
    return incident
