"""The issue lives with its incident: one comment for each event, one part that says how it stands, one issue again."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

import pytest

from shared.errors import Reject, Retry
from shared.ports import WRONG_LABEL
from shared.proof.model.recommendation import ActionKind, Reason
from shared.proposal.consequences import summarise_rollout
from shared.proposal.decision import ClickKind
from shared.proposal.rollout import WATCH_DURATION, ProbeResult
from shared.report.links import Links
from shared.service import Service
from shared.text.escaping import escape_markdown
from shared.text.phrases import short_sha
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.record import record_log_entry
from shared.workflow.rollout.run_trial import BRANCH_CHECK_INTERVAL
from tests.support.commit_graph import commit_id
from tests.support.drivers import (
    MINUTE,
    approve_proposal,
    open_incident,
    press_button,
    propose_deployment,
    read_documents,
    read_state,
    redeploy_approved,
    run_tick,
    start_watching,
)
from tests.support.harness import Harness
from tests.support.issues import FakeIssue
from tests.support.ticks import play_tick


def resolved(harness: Harness) -> str:
    incident = start_watching(harness)
    harness.logs.request_counts[harness.cloud.operations[0].revision] = 480
    run_tick(harness, WATCH_DURATION + MINUTE)
    assert read_state(harness, incident) == "resolved"
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


def test_a_whole_life_is_four_comments_and_one_part_that_is_edited(harness: Harness) -> None:
    propose_deployment(harness)
    (issue,) = harness.issues.issues
    assert "[!IMPORTANT]" in standing(issue)
    assert shows(issue) == "proposed"
    assert f"`{short_sha(commit_id('later'))}`" in standing(issue)
    assert harness.chat.posted[0].message.kind is ActionKind.REDEPLOY
    press_button(harness)
    redeploy_approved(harness)
    run_tick(harness, 2 * MINUTE)
    assert shows(issue) == "watching"
    assert "2026-04-08T08:02:00Z" in standing(issue), "until when it is watched"
    report = issue.body.partition("<!-- /provenfix:state -->")[2]
    harness.logs.request_counts[harness.cloud.operations[0].revision] = 480
    run_tick(harness, WATCH_DURATION + MINUTE)
    assert parts(issue) == ["proposed", "approved", "deployed", "resolved"]
    assert "nora (`U-NORA`)" in issue.comments[1]
    assert harness.cloud.operations[0].revision in issue.comments[2]
    assert shows(issue) == "resolved"
    assert "480 requests" in standing(issue)
    assert issue.body.endswith(report), "nothing but the part was edited"
    assert not issue.is_open


def test_an_open_question_links_its_commit_and_says_what_each_answer_leads_to(harness: Harness) -> None:
    class Linked:
        asked: ClassVar[list[int]] = []

        def build_links(self, service: Service, commits: Sequence[str]) -> Links:
            self.asked.append(len(commits))
            return Links(commit=lambda commit: f"https://code.invalid/{service.repository}/commit/{commit}")

    incident = open_incident(harness)
    process = harness.start_process(lambda name, port: Linked() if name == "link_builder" else port)
    investigate_incident(process, incident)
    assert Linked.asked[-1] == 0, "asking for origins would be a request more for each update"
    commit, service = commit_id("later"), harness.services["shore.tide"]
    told = standing(harness.issues.issues[0])
    assert told.count(commit) == 1
    assert f"[`{short_sha(commit)}`](https://code.invalid/{service.repository}/commit/{commit})" in told
    assert escape_markdown(summarise_rollout(service, ActionKind.REDEPLOY)) in told
    proposal = read_documents(harness, "proposals")[f"{incident}-1"]
    assert str(proposal["expires_at"]) in told


def test_the_last_comment_tells_how_long_everything_took(harness: Harness) -> None:
    harness.clock.advance(timedelta(seconds=30))
    began = harness.clock.now()
    entry = harness.log_entry(at=began - timedelta(seconds=15))
    incident = record_log_entry(harness.start_process(), entry).incident
    harness.clock.advance(timedelta(seconds=40))
    investigate_incident(harness.start_process(), incident)
    harness.bus.waiting.clear()
    harness.clock.advance(4 * MINUTE)
    press_button(harness)
    redeploy_approved(harness)
    run_tick(harness, 3 * MINUTE)
    harness.logs.request_counts[harness.cloud.operations[0].revision] = 480
    run_tick(harness, WATCH_DURATION)
    told = harness.issues.issues[0].comments[-1].splitlines()[-1]
    assert re.findall(r"\w+ after \d[\w ]*?(?= and|[,.])", told) == [
        "detected after 15 s", "proposed after 55 s", "approved after 5 min", "deployed after 8 min",
        "verified after 24 h 8 min",
    ]  # fmt: skip
    assert "2026-04-07T08:00:15Z" in told


def test_what_nobody_has_to_act_on_is_no_alarm_and_gives_no_hint(harness: Harness) -> None:
    resolved(harness)
    told = standing(harness.issues.issues[0])
    assert "[!NOTE]" in told
    assert "<sub>" not in told
    assert WRONG_LABEL not in told


def test_who_tells_of_an_earlier_step_too_late_leaves_the_end_as_it_is(harness: Harness) -> None:
    """A person mutes it between the first comment and the part that it goes with."""

    class Slow(Away):
        def __getattr__(self, name: str) -> object:
            if name == "comment":
                harness.issues.issues[0].labels.add(WRONG_LABEL)
                run_tick(harness)
            return getattr(self._port, name)

    incident = open_incident(harness)
    investigate_incident(harness.start_process(lambda name, port: Slow(port) if name == "issues" else port), incident)
    assert read_state(harness, incident) == "muted"
    assert shows(harness.issues.issues[0]) == "muted"


def test_every_end_is_said_in_the_part(harness: Harness) -> None:
    propose_deployment(harness)
    press_button(harness, ClickKind.DENY)
    run_tick(harness)
    assert shows(harness.issues.issues[0]) == "denied"


def test_a_tick_without_news_writes_nothing(harness: Harness) -> None:
    start_watching(harness)
    before = (
        harness.issues.issues[0].body,
        list(harness.issues.issues[0].comments),
        dict(read_documents(harness, "effects")),
    )
    for _ in range(20):
        run_tick(harness)
    assert (
        harness.issues.issues[0].body,
        harness.issues.issues[0].comments,
        read_documents(harness, "effects"),
    ) == before


def test_another_look_rewrites_the_report(harness: Harness) -> None:
    harness.histories.head = commit_id("attempt")
    harness.prover.kind, harness.prover.reason = ActionKind.NONE, Reason.NO_FIX
    incident = open_incident(harness)
    investigate_incident(harness.start_process(), incident)
    (issue,) = harness.issues.issues
    assert shows(issue) == "unfixed"
    assert "**Nothing to deploy.**" in issue.body
    before = issue.title
    harness.histories.head = commit_id("later")
    harness.prover.kind, harness.prover.reason = ActionKind.REDEPLOY, Reason.FIX_NOT_DEPLOYED
    run_tick(harness, BRANCH_CHECK_INTERVAL)
    investigate_incident(harness.start_process(), incident)
    assert "**Nothing to deploy.**" not in issue.body
    assert issue.title != before
    assert shows(issue) == "proposed"
    assert parts(issue) == ["proposed2"]


def test_replacement_question_is_an_edit_and_no_comment(harness: Harness) -> None:
    incident = propose_deployment(harness)
    before = standing(harness.issues.issues[0])
    harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00008-hand", commit_id("attempt"))
    run_tick(harness)
    assert shows(harness.issues.issues[0]) == "opened"
    investigate_incident(harness.start_process(), incident)
    assert [posted.message.proposal for posted in harness.chat.posted] == [f"{incident}-1", f"{incident}-2"]
    assert shows(harness.issues.issues[0]) == "proposed"
    assert standing(harness.issues.issues[0]) != before
    assert parts(harness.issues.issues[0]) == ["proposed"]


def test_a_question_in_the_place_of_one_that_nobody_was_told_of_is_told(harness: Harness) -> None:
    """The code host was away when that one was asked."""

    class Silent(Away):
        def __getattr__(self, name: str) -> object:
            return super().__getattr__(name) if name == "comment" else getattr(self._port, name)

    incident = open_incident(harness)
    with pytest.raises(Retry):
        investigate_incident(
            harness.start_process(lambda name, port: Silent(port) if name == "issues" else port), incident
        )
    harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00008-hand", commit_id("attempt"))
    run_tick(harness)
    assert read_state(harness, incident) == "opened"
    investigate_incident(harness.start_process(), incident)
    assert parts(harness.issues.issues[0]) == ["proposed2"]
    harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00009-hand", commit_id("attempt"))
    run_tick(harness)
    investigate_incident(harness.start_process(), incident)
    assert parts(harness.issues.issues[0]) == ["proposed2"]


def test_a_true_regression_opens_the_issue_again(harness: Harness) -> None:
    first = resolved(harness)
    harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00011-new", commit_id("later"))
    second = record_log_entry(harness.start_process(), harness.log_entry(revision="tide-00011-new")).incident
    assert second != first
    harness.prover.kind, harness.prover.reason = ActionKind.NONE, Reason.NO_FIX
    investigate_incident(harness.start_process(), second)
    (issue,) = harness.issues.issues
    assert (issue.is_open, issue.reopen_count) == (True, 1)
    assert issue.body.startswith(f"<!-- provenfix:incident={second} -->")
    assert parts(issue)[-1] == "recurred"
    assert "revision tide-00011-new" in issue.comments[-1]
    issue.is_open = False
    run_tick(harness, BRANCH_CHECK_INTERVAL)
    assert read_state(harness, second) == "muted", "closed by hand, it is the second incident that ends"


def test_a_failure_of_unknown_origin_is_an_issue_of_its_own(harness: Harness) -> None:
    resolved(harness)
    harness.clock.advance(MINUTE)
    harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00011-new", None)
    second = record_log_entry(harness.start_process(), harness.log_entry(revision="tide-00011-new")).incident
    investigate_incident(harness.start_process(), second)
    assert [issue.is_open for issue in harness.issues.issues] == [False, True]


def test_what_was_deleted_is_not_opened_again(harness: Harness) -> None:
    resolved(harness)
    harness.issues.issues[0].body = ""
    harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00011-new", commit_id("later"))
    second = record_log_entry(harness.start_process(), harness.log_entry(revision="tide-00011-new")).incident
    investigate_incident(harness.start_process(), second)
    assert len(harness.issues.issues) == 2


def test_the_label_holds_for_good_whenever_it_was_set(harness: Harness) -> None:
    first = resolved(harness)
    harness.issues.issues[0].labels.add(WRONG_LABEL)
    harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00011-new", commit_id("later"))
    outcome = record_log_entry(harness.start_process(), harness.log_entry(revision="tide-00011-new"))
    assert (outcome.name, outcome.incident) == ("duplicate", first)
    assert list(read_documents(harness, "incidents")) == [first]


def test_an_issue_that_was_only_closed_does_not_silence_a_later_failure(harness: Harness) -> None:
    first = propose_deployment(harness)
    harness.issues.issues[0].is_open = False
    run_tick(harness)
    assert read_state(harness, first) == "muted"
    assert record_log_entry(harness.start_process(), harness.log_entry()).name == "duplicate"
    harness.clock.advance(MINUTE)
    harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00011-new", None)
    second = record_log_entry(harness.start_process(), harness.log_entry(revision="tide-00011-new"))
    assert (second.name, second.incident == first) == ("opened", False)


def away(name: str, port: object) -> object:
    return Away(port) if name == "issues" else port


def test_a_code_host_that_is_away_holds_up_no_deployment_and_no_rollback(harness: Harness) -> None:
    from shared.workflow.redeploy import redeploy  # noqa: PLC0415

    incident = approve_proposal(harness)
    _, message = harness.bus.waiting.pop()
    assert redeploy(harness.start_process(away), message["proposal"]).name == "deploying"
    harness.clock.advance(2 * MINUTE)
    with pytest.raises(Retry, match="away"):
        play_tick(harness.start_process(away))
    assert read_state(harness, incident) == "watching"
    harness.probe.result = ProbeResult(ok=False)
    for _ in range(2):
        harness.clock.advance(MINUTE)
        with pytest.raises(Retry, match=incident):
            play_tick(harness.start_process(away))
    assert harness.cloud.shifts[-1] == ("shore.tide", "tide-00007-old", 100)
    run_tick(harness, 15 * MINUTE)
    assert read_state(harness, incident) == "rolled_back"
    assert parts(harness.issues.issues[0]) == ["proposed", "approved", "deployed", "rolled_back"]


def test_labels_are_made_once_for_a_service(harness: Harness) -> None:
    resolved(harness)
    assert harness.issues.repositories_with_labels == ["harbour/tide"]


def test_where_no_labels_may_be_made_everything_else_goes_on(harness: Harness) -> None:
    class Refusing(Away):
        def __getattr__(self, name: str) -> object:
            return getattr(self._port, name)

        def create_labels(self, service: Service) -> None:
            raise Reject("github_refused", f"HTTP 403 for {service.repository}")

    incident = open_incident(harness)
    context = harness.start_process(lambda name, port: Refusing(port) if name == "issues" else port)
    assert investigate_incident(context, incident).name == "proposed"
    assert parts(harness.issues.issues[0]) == ["proposed"]
    result = read_documents(harness, "effects")["labels.shore.tide"]["result"]
    assert isinstance(result, dict)
    assert result["refused"].startswith("github_refused: ")
    assert "403" in result["refused"]
