"""`investigate`: evidence, issue, proposal and message, each made once; and what nobody is asked about."""

import inspect
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.errors import Reject, Retry
from shared.proof.model.recommendation import ActionKind, Reason
from shared.proposal.proposal import Label, split_label
from shared.report.report import Report
from shared.workflow.flow import IncidentState
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.ledger import RETRY_DELAY
from shared.workflow.record import record_log_entry
from shared.workflow.records import incident_record
from tests.support.commit_graph import commit_id
from tests.support.drivers import MINUTE, open_incident, propose_deployment, read_documents, read_incident, read_state
from tests.support.harness import Harness, watched_service
from tests.support.ticks import play_tick


def test_an_issue_is_opened_and_a_question_asked(harness: Harness) -> None:
    incident = open_incident(harness)
    assert investigate_incident(harness.start_process(), incident).name == "proposed"
    (issue,), (posted,) = harness.issues.issues, harness.chat.posted
    assert issue.body.startswith(f"<!-- provenfix:incident={incident} -->")
    assert "provenfix:fingerprint=" in issue.body
    assert posted.message.commit == commit_id("later")
    assert posted.message.issue_url.endswith("/issues/1")
    assert posted.channel == "C-TIDE"


def test_the_message_says_what_fails_what_is_proposed_and_what_ships(harness: Harness) -> None:
    propose_deployment(harness)
    message = harness.chat.posted[0].message
    assert re.match(r"tide\b.* SyntaxError .*/app/chat/greeting\.py\b.* 7\b", message.title)
    assert [words[:9] for label, words in map(split_label, message.lines) if label is Label.SHIPS] == ["2 commits"]


def test_a_secret_in_the_log_is_not_posted(harness: Harness) -> None:
    secret = "xoxb-" + "1234567890-" * 3
    text = f'  File "/app/chat/greeting.py", line 7\nSyntaxError: invalid syntax {secret}'
    incident = record_log_entry(harness.start_process(), harness.log_entry(text)).incident
    investigate_incident(harness.start_process(), incident)
    message = harness.chat.posted[0].message
    for shown in (message.title, *message.lines, harness.issues.issues[0].title, harness.issues.issues[0].body):
        assert secret not in shown


def test_the_proposal_is_bound_to_commit_evidence_revision_and_time(harness: Harness) -> None:
    incident = propose_deployment(harness)
    proposal = read_documents(harness, "proposals")[f"{incident}-1"]
    assert proposal["commit"] == commit_id("later")
    assert proposal["fix"] == commit_id("fixed")
    assert proposal["revision"] == "tide-00007-old"
    assert proposal["evidence_hash"] == read_documents(harness, "reports")[incident]["evidence_hash"]
    assert proposal["expires_at"] == "2026-04-07T14:00:00Z"


def test_three_hops_lead_from_the_entry_point_to_the_proof(harness: Harness) -> None:
    context = harness.start_process()
    hops: list[str] = []

    def prove(*arguments: Any) -> Report:
        names = [frame.function for frame in inspect.stack()]
        hops.extend(reversed(names[1 : names.index("investigate_incident") + 1]))
        return context.prover.prove_and_report(*arguments)

    incident = open_incident(harness)
    investigate_incident(replace(context, prover=replace(context.prover, prove_and_report=prove)), incident)
    assert hops == ["investigate_incident", "ensure_evidence", "prove_incident"]


def test_a_second_delivery_does_nothing(harness: Harness) -> None:
    incident = propose_deployment(harness)
    assert investigate_incident(harness.start_process(), incident).name == "duplicate"
    assert (len(harness.issues.issues), len(harness.chat.posted), harness.prover.report_count) == (1, 1, 1)


def test_a_failure_in_the_last_effect_repeats_only_the_last(harness: Harness) -> None:
    incident = open_incident(harness)
    demand = harness.chat.require_claim
    harness.chat.require_claim = _refusing  # type: ignore[assignment]
    with pytest.raises(Retry):
        investigate_incident(harness.start_process(), incident)
    harness.chat.require_claim = demand
    harness.clock.advance(RETRY_DELAY)
    assert investigate_incident(harness.start_process(), incident).name == "proposed"
    assert harness.prover.report_count == 1
    assert len(harness.issues.issues) == 1


def test_evidence_that_is_stored_is_not_contradicted_by_a_later_look(harness: Harness) -> None:
    incident = open_incident(harness)
    harness.chat.require_claim = _refusing  # type: ignore[assignment]
    with pytest.raises(Retry):
        investigate_incident(harness.start_process(), incident)
    harness.prover.kind, harness.prover.reason = ActionKind.NONE, Reason.NO_FIX
    harness.chat.require_claim = lambda _: None  # type: ignore[assignment]
    harness.clock.advance(RETRY_DELAY)
    assert investigate_incident(harness.start_process(), incident).name == "proposed"


def test_symptoms_and_counts_come_from_the_log(harness: Harness) -> None:
    incident = open_incident(harness)
    for _ in range(4):
        harness.clock.advance(timedelta(seconds=1))
        harness.log_entry()
    harness.log_entry("connection closed: received 1011 (internal error)")
    investigate_incident(harness.start_process(), incident)
    report = read_documents(harness, "reports")[incident]["report"]
    assert isinstance(report, dict)
    assert report["incident"]["occurrences"] == 5
    assert [symptom["signal"] for symptom in report["incident"]["symptoms"]] == ["close_1011"]
    assert report["incident"]["fingerprint"] == incident.removesuffix("-1")


def test_an_incident_outlives_its_log(harness: Harness) -> None:
    incident = open_incident(harness)
    harness.logs.kept.clear()
    assert investigate_incident(harness.start_process(), incident).name == "proposed"


def test_without_a_fix_there_is_an_issue_and_no_question(harness: Harness) -> None:
    harness.prover.kind, harness.prover.reason = ActionKind.NONE, Reason.NO_FIX
    incident = open_incident(harness)
    assert investigate_incident(harness.start_process(), incident).name == "unfixed"
    assert (len(harness.issues.issues), harness.chat.posted) == (1, [])
    assert read_state(harness, incident) == "unfixed"


@pytest.mark.parametrize(
    "reason", [Reason.CLOSE_1011_WITHOUT_CAUSE, Reason.NOT_CORROBORATED, Reason.HISTORY_NOT_AVAILABLE]
)
def test_what_no_push_can_change_is_reported_and_left(harness: Harness, reason: Reason) -> None:
    harness.prover.kind, harness.prover.reason = ActionKind.NONE, reason
    incident = open_incident(harness)
    assert investigate_incident(harness.start_process(), incident).name == "reported"


def test_a_file_that_no_history_holds_is_kept_without_an_issue(harness: Harness) -> None:
    harness.prover.kind, harness.prover.reason = ActionKind.NONE, Reason.FILE_NOT_FOUND
    incident = open_incident(harness)
    assert investigate_incident(harness.start_process(), incident).name == "reported"
    assert harness.issues.issues == []
    assert harness.issues.repositories_with_labels == [], "without an issue no label is needed"


def test_a_rollback_is_proposed_where_it_is_recommended(harness: Harness) -> None:
    harness.prover.kind, harness.prover.reason = ActionKind.ROLLBACK, Reason.EARLIER_COMMIT_GOOD
    propose_deployment(harness)
    assert harness.chat.posted[0].message.commit == commit_id("good")


def test_nothing_is_proposed_where_the_fix_serves_already(harness: Harness) -> None:
    incident = open_incident(harness)
    harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00008-hand", commit_id("fixed"))
    outcome = investigate_incident(harness.start_process(), incident)
    assert (outcome.name, outcome.detail) == ("reported", "already_deployed")
    assert harness.chat.posted == []


@pytest.mark.parametrize("commit", ["attempt", "good"])
def test_it_is_proposed_where_what_serves_has_no_fix_either(harness: Harness, commit: str) -> None:
    incident = open_incident(harness)
    harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00008-hand", commit_id(commit))
    assert investigate_incident(harness.start_process(), incident).name == "proposed"


def test_a_label_that_names_no_commit_is_not_believed(harness: Harness) -> None:
    harness.cloud.deploy_manually(harness.services["shore.tide"], "tide-00008-hand", "e" * 40)
    incident = record_log_entry(harness.start_process(), harness.log_entry(revision="tide-00008-hand")).incident
    assert investigate_incident(harness.start_process(), incident).name == "proposed"


def test_second_failing_revision_joins_the_evidence(harness: Harness) -> None:
    incident = open_incident(harness)
    harness.clock.advance(MINUTE)
    entry = harness.log_entry(revision="tide-00006-older")
    outcome = record_log_entry(harness.start_process(), entry)
    assert (outcome.name, outcome.incident) == ("attached", incident)
    stored = incident_record.require_incident(harness.start_process(), incident)
    assert stored.revisions == ("tide-00007-old", "tide-00006-older")
    assert [kept.revision for kept in stored.entries] == ["tide-00007-old", "tide-00006-older"]
    assert stored.last_seen == entry.timestamp


def test_the_log_is_read_from_before_the_first_of_its_entries(harness: Harness) -> None:
    incident = open_incident(harness)
    harness.log_entry()
    harness.clock.advance(60 * MINUTE)
    record_log_entry(harness.start_process(), harness.log_entry(revision="tide-00006-older"))
    investigate_incident(harness.start_process(), incident)
    report = read_documents(harness, "reports")[incident]["report"]
    assert isinstance(report, dict)
    assert report["incident"]["occurrences"] == 3


def test_an_entry_without_a_time_is_investigated_like_any_other(harness: Harness) -> None:
    entry = replace(harness.log_entry(), timestamp=None)
    incident = record_log_entry(harness.start_process(), entry).incident
    assert investigate_incident(harness.start_process(), incident).name == "proposed"


def test_an_unknown_incident_is_rejected(harness: Harness) -> None:
    with pytest.raises(Reject, match="unknown_incident"):
        investigate_incident(harness.start_process(), "0a1b-1")


def test_an_incident_of_a_service_that_is_watched_no_longer_is_rejected(harness: Harness) -> None:
    incident = open_incident(harness)
    context = replace(harness.start_process(), services={"shore.gull": watched_service("gull")})
    with pytest.raises(Reject, match="unknown_service"):
        investigate_incident(context, incident)


def _refusing(what: str) -> None:
    raise Retry(f"{what}: no connection")


def test_late_question_leaves_an_ended_incident_unchanged(harness: Harness) -> None:
    """A person ends it between the question and the writing down of who was asked."""
    incident = open_incident(harness)

    class Slow:
        def __getattr__(self, name: str) -> object:
            if name == "post":
                incident_record.end_incident(
                    harness.start_process(), incident, IncidentState.MUTED, "a person has ended it"
                )
                play_tick(harness.start_process())
            return getattr(harness.chat, name)

    slow = harness.start_process(lambda name, port: Slow() if name == "chat" else port)
    assert investigate_incident(slow, incident).name == "muted"
    document = read_incident(harness, incident)
    assert (document["state"], document["proposal"], document["message"]) == ("muted", "", "")
