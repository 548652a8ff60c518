"""`investigate`: evidence, issue, proposal and message, each made once; and what nobody is asked about."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.errors import Reject, Retry
from shared.proof.model.finding import ActionKind, Reason
from shared.proposal.question import Label, split_label
from shared.workflow.flow import IncidentState
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.ledger import RETRY_DELAY
from shared.workflow.record import record_log_entry
from shared.workflow.records import incident_records
from shared.workflow.verify import verify
from tests.support.drivers import MINUTE, documents, incident_document, opened, proposed, state
from tests.support.harness import Setting, service
from tests.support.past import commit_id


@pytest.fixture
def setting() -> Setting:
    return Setting()


def test_an_issue_is_opened_and_a_question_asked(setting: Setting) -> None:
    incident = opened(setting)
    assert investigate_incident(setting.process(), incident).name == "proposed"
    (issue,), (posted,) = setting.issues.all, setting.chat.all
    assert issue.body.startswith(f"<!-- provenfix:incident={incident} -->")
    assert "provenfix:fingerprint=" in issue.body
    assert posted.message.commit == commit_id("later")
    assert posted.message.issue_url.endswith("/issues/1")
    assert posted.channel == "C-TIDE"


def test_the_message_says_what_fails_what_is_proposed_and_what_ships(setting: Setting) -> None:
    proposed(setting)
    message = setting.chat.all[0].message
    assert re.match(r"tide\b.* SyntaxError .*/app/chat/greeting\.py\b.* 7\b", message.title)
    assert [words[:9] for label, words in map(split_label, message.lines) if label is Label.SHIPS] == ["2 commits"]


def test_a_secret_in_the_log_is_not_posted(setting: Setting) -> None:
    secret = "xoxb-" + "1234567890-" * 3
    text = f'  File "/app/chat/greeting.py", line 7\nSyntaxError: invalid syntax {secret}'
    incident = record_log_entry(setting.process(), setting.entry(text)).incident
    investigate_incident(setting.process(), incident)
    message = setting.chat.all[0].message
    for shown in (message.title, *message.lines, setting.issues.all[0].title, setting.issues.all[0].body):
        assert secret not in shown


def test_the_proposal_is_bound_to_commit_evidence_revision_and_time(setting: Setting) -> None:
    incident = proposed(setting)
    proposal = documents(setting, "proposals")[f"{incident}-1"]
    assert proposal["commit"] == commit_id("later")
    assert proposal["fix"] == commit_id("fixed")
    assert proposal["revision"] == "tide-00007-old"
    assert proposal["evidence_hash"] == documents(setting, "reports")[incident]["evidence_hash"]
    assert proposal["expires_at"] == "2026-04-07T14:00:00Z"


def test_a_second_delivery_does_nothing(setting: Setting) -> None:
    incident = proposed(setting)
    assert investigate_incident(setting.process(), incident).name == "duplicate"
    assert (len(setting.issues.all), len(setting.chat.all), setting.answer.reports) == (1, 1, 1)


def test_a_failure_in_the_last_effect_repeats_only_the_last(setting: Setting) -> None:
    incident = opened(setting)
    demand = setting.chat.demand
    setting.chat.demand = _refusing  # type: ignore[assignment]
    with pytest.raises(Retry):
        investigate_incident(setting.process(), incident)
    setting.chat.demand = demand
    setting.clock.turn(RETRY_DELAY)
    assert investigate_incident(setting.process(), incident).name == "proposed"
    assert setting.answer.reports == 1
    assert len(setting.issues.all) == 1


def test_evidence_that_is_stored_is_not_contradicted_by_a_later_look(setting: Setting) -> None:
    incident = opened(setting)
    setting.chat.demand = _refusing  # type: ignore[assignment]
    with pytest.raises(Retry):
        investigate_incident(setting.process(), incident)
    setting.answer.kind, setting.answer.reason = ActionKind.NONE, Reason.NO_FIX
    setting.chat.demand = lambda _: None  # type: ignore[assignment]
    setting.clock.turn(RETRY_DELAY)
    assert investigate_incident(setting.process(), incident).name == "proposed"


def test_symptoms_and_counts_come_from_the_log(setting: Setting) -> None:
    incident = opened(setting)
    for _ in range(4):
        setting.clock.turn(timedelta(seconds=1))
        setting.entry()
    setting.entry("connection closed: received 1011 (internal error)")
    investigate_incident(setting.process(), incident)
    report = documents(setting, "reports")[incident]["report"]
    assert isinstance(report, dict)
    assert report["incident"]["occurrences"] == 5
    assert [symptom["signal"] for symptom in report["incident"]["symptoms"]] == ["close_1011"]
    assert report["incident"]["fingerprint"] == incident.removesuffix("-1")


def test_an_incident_outlives_its_log(setting: Setting) -> None:
    incident = opened(setting)
    setting.logs.all.clear()
    assert investigate_incident(setting.process(), incident).name == "proposed"


def test_without_a_fix_there_is_an_issue_and_no_question(setting: Setting) -> None:
    setting.answer.kind, setting.answer.reason = ActionKind.NONE, Reason.NO_FIX
    incident = opened(setting)
    assert investigate_incident(setting.process(), incident).name == "unfixed"
    assert (len(setting.issues.all), setting.chat.all) == (1, [])
    assert state(setting, incident) == "unfixed"


@pytest.mark.parametrize("reason", [Reason.CLOSE_1011_WITHOUT_CAUSE, Reason.NOT_CORROBORATED, Reason.HISTORY_NOT_AVAILABLE])
def test_what_no_push_can_change_is_reported_and_left(setting: Setting, reason: Reason) -> None:
    setting.answer.kind, setting.answer.reason = ActionKind.NONE, reason
    incident = opened(setting)
    assert investigate_incident(setting.process(), incident).name == "reported"


def test_a_file_that_no_history_holds_is_kept_without_an_issue(setting: Setting) -> None:
    setting.answer.kind, setting.answer.reason = ActionKind.NONE, Reason.FILE_NOT_FOUND
    incident = opened(setting)
    assert investigate_incident(setting.process(), incident).name == "reported"
    assert setting.issues.all == []
    assert setting.issues.prepared == [], "without an issue no label is needed"


def test_a_rollback_is_proposed_where_it_is_recommended(setting: Setting) -> None:
    setting.answer.kind, setting.answer.reason = ActionKind.ROLLBACK, Reason.EARLIER_COMMIT_GOOD
    proposed(setting)
    assert setting.chat.all[0].message.commit == commit_id("good")


def test_nothing_is_proposed_where_the_fix_serves_already(setting: Setting) -> None:
    incident = opened(setting)
    setting.cloud.deploy_by_hand(setting.services["shore.tide"], "tide-00008-hand", commit_id("fixed"))
    outcome = investigate_incident(setting.process(), incident)
    assert (outcome.name, outcome.detail) == ("reported", "already_deployed")
    assert setting.chat.all == []


@pytest.mark.parametrize("commit", ["attempt", "good"])
def test_it_is_proposed_where_what_serves_has_no_fix_either(setting: Setting, commit: str) -> None:
    incident = opened(setting)
    setting.cloud.deploy_by_hand(setting.services["shore.tide"], "tide-00008-hand", commit_id(commit))
    assert investigate_incident(setting.process(), incident).name == "proposed"


def test_a_label_that_names_no_commit_is_not_believed(setting: Setting) -> None:
    setting.cloud.deploy_by_hand(setting.services["shore.tide"], "tide-00008-hand", "e" * 40)
    incident = record_log_entry(setting.process(), setting.entry(revision="tide-00008-hand")).incident
    assert investigate_incident(setting.process(), incident).name == "proposed"


def test_a_second_revision_that_fails_before_anybody_looked_joins_the_evidence(setting: Setting) -> None:
    incident = opened(setting)
    setting.clock.turn(MINUTE)
    outcome = record_log_entry(setting.process(), setting.entry(revision="tide-00006-older"))
    assert (outcome.name, outcome.incident) == ("attached", incident)
    assert incident_document(setting, incident)["revisions"] == ["tide-00007-old", "tide-00006-older"]


def test_an_unknown_incident_is_rejected(setting: Setting) -> None:
    with pytest.raises(Reject, match="unknown_incident"):
        investigate_incident(setting.process(), "0a1b-1")


def test_an_incident_of_a_service_that_is_watched_no_longer_is_rejected(setting: Setting) -> None:
    incident = opened(setting)
    world = replace(setting.process(), services={"shore.gull": service("gull")})
    with pytest.raises(Reject, match="unknown_service"):
        investigate_incident(world, incident)


def _refusing(what: str) -> None:
    raise Retry(f"{what}: no connection")


def test_who_asks_too_late_leaves_an_incident_that_was_ended_meanwhile_as_it_is(setting: Setting) -> None:
    """A person ends it between the question and the writing down of who was asked."""
    incident = opened(setting)

    class Slow:
        def __getattr__(self, name: str) -> object:
            if name == "post":
                incident_records.end_incident(setting.process(), incident, IncidentState.MUTED, "a person has ended it")
                verify(setting.process())
            return getattr(setting.chat, name)

    slow = setting.process(lambda name, port: Slow() if name == "chat" else port)
    assert investigate_incident(slow, incident).name == "muted"
    document = incident_document(setting, incident)
    assert (document["state"], document["proposal"], document["message"]) == ("muted", "", "")
