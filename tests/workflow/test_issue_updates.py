"""The issue lives with its incident: one comment for each event, one part that says how it stands, one issue again."""

import re
from datetime import timedelta

import pytest

from shared.errors import Reject, Retry
from shared.ports import WRONG_LABEL
from shared.proof.model.finding import ActionKind, Reason
from shared.proposal.decision import ClickKind
from shared.proposal.verdict import WATCH_DURATION, ProbeResult
from shared.service import Service
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.record import record_log_entry
from shared.workflow.verify import BRANCH_CHECK_INTERVAL
from tests.support.drivers import (
    MINUTE,
    approved,
    documents,
    opened,
    pressed,
    proposed,
    redeployed,
    state,
    tick,
    watching,
)
from tests.support.harness import Setting
from tests.support.issues import FakeIssue
from tests.support.past import commit_id


@pytest.fixture
def setting() -> Setting:
    return Setting()


def resolved(setting: Setting) -> str:
    incident = watching(setting)
    setting.logs.answered[setting.cloud.operations[0].revision] = 480
    tick(setting, WATCH_DURATION + MINUTE)
    assert state(setting, incident) == "resolved"
    return incident


def standing(issue: FakeIssue) -> str:
    """The part that is edited."""
    found = re.search(r"<!-- provenfix:state -->\n(.*?)\n<!-- /provenfix:state -->", issue.body, re.DOTALL)
    assert found is not None
    return found[1]


def shows(issue: FakeIssue) -> str:
    """The state that the part tells of, by name."""
    [named] = re.findall(r"<!-- provenfix:stands=(\S+) -->", issue.body)
    return str(named)


def parts(issue: FakeIssue) -> list[str]:
    """What the comments are about, in their order."""
    return re.findall(r" part=(\S+) -->", "\n".join(issue.comments))


class Away:
    """A code host that answers nothing but how an issue stands."""

    def __init__(self, port: object) -> None:
        self._port = port

    def __getattr__(self, name: str) -> object:
        if name == "state":
            return getattr(self._port, name)
        raise Retry("the code host is away")


def test_a_whole_life_is_four_comments_and_one_part_that_is_edited(setting: Setting) -> None:
    proposed(setting)
    (issue,) = setting.issues.all
    assert "[!IMPORTANT]" in standing(issue)
    assert shows(issue) == "proposed"
    assert commit_id("later") in standing(issue)
    assert setting.chat.all[0].message.kind is ActionKind.REDEPLOY
    pressed(setting)
    redeployed(setting)
    tick(setting, 2 * MINUTE)
    assert shows(issue) == "watching"
    assert "2026-04-08T08:02:00Z" in standing(issue), "until when it is watched"
    report = issue.body.partition("<!-- /provenfix:state -->")[2]
    setting.logs.answered[setting.cloud.operations[0].revision] = 480
    tick(setting, WATCH_DURATION + MINUTE)
    assert parts(issue) == ["proposed", "approved", "deployed", "resolved"]
    assert "nora (`U-NORA`)" in issue.comments[1]
    assert setting.cloud.operations[0].revision in issue.comments[2]
    assert shows(issue) == "resolved"
    assert "480 requests" in standing(issue)
    assert issue.body.endswith(report), "nothing but the part was edited"
    assert not issue.is_open


def test_the_last_comment_tells_how_long_everything_took(setting: Setting) -> None:
    setting.clock.turn(timedelta(seconds=30))
    began = setting.clock.now()
    entry = setting.entry(at=began - timedelta(seconds=15))
    incident = record_log_entry(setting.process(), entry).incident
    setting.clock.turn(timedelta(seconds=40))
    investigate_incident(setting.process(), incident)
    setting.bus.waiting.clear()
    setting.clock.turn(4 * MINUTE)
    pressed(setting)
    redeployed(setting)
    tick(setting, 3 * MINUTE)
    setting.logs.answered[setting.cloud.operations[0].revision] = 480
    tick(setting, WATCH_DURATION)
    told = setting.issues.all[0].comments[-1].splitlines()[-1]
    assert re.findall(r"\w+ after \d[\w ]*?(?= and|[,.])", told) == [
        "detected after 15 s", "proposed after 55 s", "approved after 5 min", "deployed after 8 min",
        "verified after 24 h 8 min",
    ]  # fmt: skip
    assert "2026-04-07T08:00:15Z" in told


def test_what_nobody_has_to_act_on_is_no_alarm_and_gives_no_hint(setting: Setting) -> None:
    resolved(setting)
    told = standing(setting.issues.all[0])
    assert "[!NOTE]" in told
    assert "<sub>" not in told
    assert WRONG_LABEL not in told


def test_who_tells_of_an_earlier_step_too_late_leaves_the_end_as_it_is(setting: Setting) -> None:
    """A person mutes it between the first comment and the part that it goes with."""

    class Slow(Away):
        def __getattr__(self, name: str) -> object:
            if name == "comment":
                setting.issues.all[0].labels.add(WRONG_LABEL)
                tick(setting)
            return getattr(self._port, name)

    incident = opened(setting)
    investigate_incident(setting.process(lambda name, port: Slow(port) if name == "issues" else port), incident)
    assert state(setting, incident) == "muted"
    assert shows(setting.issues.all[0]) == "muted"


def test_every_end_is_said_in_the_part(setting: Setting) -> None:
    proposed(setting)
    pressed(setting, ClickKind.DENY)
    tick(setting)
    assert shows(setting.issues.all[0]) == "denied"


def test_a_tick_without_news_writes_nothing(setting: Setting) -> None:
    watching(setting)
    before = (setting.issues.all[0].body, list(setting.issues.all[0].comments), dict(documents(setting, "effects")))
    for _ in range(20):
        tick(setting)
    assert (setting.issues.all[0].body, setting.issues.all[0].comments, documents(setting, "effects")) == before


def test_another_look_rewrites_the_report(setting: Setting) -> None:
    setting.pasts.head = commit_id("attempt")
    setting.answer.kind, setting.answer.reason = ActionKind.NONE, Reason.NO_FIX
    incident = opened(setting)
    investigate_incident(setting.process(), incident)
    (issue,) = setting.issues.all
    assert shows(issue) == "unfixed"
    assert "**Nothing to deploy.**" in issue.body
    before = issue.title
    setting.pasts.head = commit_id("later")
    setting.answer.kind, setting.answer.reason = ActionKind.REDEPLOY, Reason.FIX_NOT_DEPLOYED
    tick(setting, BRANCH_CHECK_INTERVAL)
    investigate_incident(setting.process(), incident)
    assert "**Nothing to deploy.**" not in issue.body
    assert issue.title != before
    assert shows(issue) == "proposed"
    assert parts(issue) == ["proposed2"]


def test_a_question_that_takes_the_place_of_an_open_one_is_an_edit_and_no_comment(setting: Setting) -> None:
    incident = proposed(setting)
    before = standing(setting.issues.all[0])
    setting.cloud.deploy_by_hand(setting.services["shore.tide"], "tide-00008-hand", commit_id("attempt"))
    tick(setting)
    assert shows(setting.issues.all[0]) == "opened"
    investigate_incident(setting.process(), incident)
    assert [posted.message.proposal for posted in setting.chat.all] == [f"{incident}-1", f"{incident}-2"]
    assert shows(setting.issues.all[0]) == "proposed"
    assert standing(setting.issues.all[0]) != before
    assert parts(setting.issues.all[0]) == ["proposed"]


def test_a_question_in_the_place_of_one_that_nobody_was_told_of_is_told(setting: Setting) -> None:
    """The code host was away when that one was asked."""

    class Silent(Away):
        def __getattr__(self, name: str) -> object:
            return super().__getattr__(name) if name == "comment" else getattr(self._port, name)

    incident = opened(setting)
    with pytest.raises(Retry):
        investigate_incident(setting.process(lambda name, port: Silent(port) if name == "issues" else port), incident)
    setting.cloud.deploy_by_hand(setting.services["shore.tide"], "tide-00008-hand", commit_id("attempt"))
    tick(setting)
    assert state(setting, incident) == "opened"
    investigate_incident(setting.process(), incident)
    assert parts(setting.issues.all[0]) == ["proposed2"]
    setting.cloud.deploy_by_hand(setting.services["shore.tide"], "tide-00009-hand", commit_id("attempt"))
    tick(setting)
    investigate_incident(setting.process(), incident)
    assert parts(setting.issues.all[0]) == ["proposed2"]


def test_a_true_regression_opens_the_issue_again(setting: Setting) -> None:
    first = resolved(setting)
    setting.cloud.deploy_by_hand(setting.services["shore.tide"], "tide-00011-new", commit_id("later"))
    second = record_log_entry(setting.process(), setting.entry(revision="tide-00011-new")).incident
    assert second != first
    setting.answer.kind, setting.answer.reason = ActionKind.NONE, Reason.NO_FIX
    investigate_incident(setting.process(), second)
    (issue,) = setting.issues.all
    assert (issue.is_open, issue.reopens) == (True, 1)
    assert issue.body.startswith(f"<!-- provenfix:incident={second} -->")
    assert parts(issue)[-1] == "recurred"
    assert "revision tide-00011-new" in issue.comments[-1]
    issue.is_open = False
    tick(setting, BRANCH_CHECK_INTERVAL)
    assert state(setting, second) == "muted", "closed by hand, it is the second incident that ends"


def test_a_failure_of_unknown_origin_is_an_issue_of_its_own(setting: Setting) -> None:
    resolved(setting)
    setting.clock.turn(MINUTE)
    setting.cloud.deploy_by_hand(setting.services["shore.tide"], "tide-00011-new", None)
    second = record_log_entry(setting.process(), setting.entry(revision="tide-00011-new")).incident
    investigate_incident(setting.process(), second)
    assert [issue.is_open for issue in setting.issues.all] == [False, True]


def test_what_was_deleted_is_not_opened_again(setting: Setting) -> None:
    resolved(setting)
    setting.issues.all[0].body = ""
    setting.cloud.deploy_by_hand(setting.services["shore.tide"], "tide-00011-new", commit_id("later"))
    second = record_log_entry(setting.process(), setting.entry(revision="tide-00011-new")).incident
    investigate_incident(setting.process(), second)
    assert len(setting.issues.all) == 2


def test_the_label_holds_for_good_whenever_it_was_set(setting: Setting) -> None:
    first = resolved(setting)
    setting.issues.all[0].labels.add(WRONG_LABEL)
    setting.cloud.deploy_by_hand(setting.services["shore.tide"], "tide-00011-new", commit_id("later"))
    outcome = record_log_entry(setting.process(), setting.entry(revision="tide-00011-new"))
    assert (outcome.name, outcome.incident) == ("duplicate", first)
    assert list(documents(setting, "incidents")) == [first]


def test_an_issue_that_was_only_closed_does_not_silence_a_later_failure(setting: Setting) -> None:
    first = proposed(setting)
    setting.issues.all[0].is_open = False
    tick(setting)
    assert state(setting, first) == "muted"
    assert record_log_entry(setting.process(), setting.entry()).name == "duplicate"
    setting.clock.turn(MINUTE)
    setting.cloud.deploy_by_hand(setting.services["shore.tide"], "tide-00011-new", None)
    second = record_log_entry(setting.process(), setting.entry(revision="tide-00011-new"))
    assert (second.name, second.incident == first) == ("opened", False)


def away(name: str, port: object) -> object:
    return Away(port) if name == "issues" else port


def test_a_code_host_that_is_away_holds_up_no_deployment_and_no_rollback(setting: Setting) -> None:
    from shared.workflow.redeploy import redeploy  # noqa: PLC0415
    from shared.workflow.verify import verify  # noqa: PLC0415

    incident = approved(setting)
    _, message = setting.bus.waiting.pop()
    assert redeploy(setting.process(away), message["proposal"]).name == "deploying"
    setting.clock.turn(2 * MINUTE)
    with pytest.raises(Retry, match="away"):
        verify(setting.process(away))
    assert state(setting, incident) == "watching"
    setting.probe.answer = ProbeResult(ok=False)
    for _ in range(2):
        setting.clock.turn(MINUTE)
        with pytest.raises(Retry, match=incident):
            verify(setting.process(away))
    assert setting.cloud.shifts[-1] == ("shore.tide", "tide-00007-old", 100)
    tick(setting, 15 * MINUTE)
    assert state(setting, incident) == "rolled_back"
    assert parts(setting.issues.all[0]) == ["proposed", "approved", "deployed", "rolled_back"]


def test_labels_are_made_once_for_a_service(setting: Setting) -> None:
    resolved(setting)
    assert setting.issues.prepared == ["harbour/tide"]


def test_where_no_labels_may_be_made_everything_else_goes_on(setting: Setting) -> None:
    class Refusing(Away):
        def __getattr__(self, name: str) -> object:
            return getattr(self._port, name)

        def prepare(self, service: Service) -> None:
            raise Reject("github_refused", f"HTTP 403 for {service.repository}")

    incident = opened(setting)
    world = setting.process(lambda name, port: Refusing(port) if name == "issues" else port)
    assert investigate_incident(world, incident).name == "proposed"
    assert parts(setting.issues.all[0]) == ["proposed"]
    result = documents(setting, "effects")["labels.shore.tide"]["result"]
    assert isinstance(result, dict)
    assert result["refused"].startswith("github_refused: ")
    assert "403" in result["refused"]
