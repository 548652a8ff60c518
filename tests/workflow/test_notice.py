"""What the chat gets where nothing is proposed: once, without a button, and of failures that users notice."""

from typing import Any

import pytest

from shared.adapters.slack.message_layout import build_message_body
from shared.errors import Reject, Retry
from shared.proof.model.recommendation import ActionKind, Reason
from shared.proposal.notice import build_notice, format_notice_id
from shared.proposal.proposal import Message
from shared.workflow import effects
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.record import record_log_entry
from shared.workflow.records.incident_record import require_incident
from tests.support.drivers import MINUTE, open_incident, read_documents, read_state, run_tick
from tests.support.harness import Harness

CLOSES = [
    "WebSocket /ws closed: code=1011",
    "received 1011 (internal error) keepalive ping timeout",
    "received 1011 (internal error) unavailable; then sent 1011 (internal error) unavailable",
]


@pytest.fixture
def harness() -> Harness:
    setting = Harness()
    setting.prover.kind, setting.prover.reason = ActionKind.NONE, Reason.CLOSE_1011_UNPROVEN
    return setting


def open_close(harness: Harness, text: str = CLOSES[0]) -> str:
    incident = record_log_entry(harness.start_process(), harness.log_entry(text)).incident
    run_tick(harness, 2 * MINUTE)
    return incident


@pytest.mark.parametrize("text", CLOSES)
def test_a_failure_without_a_proposal_is_told_once(harness: Harness, text: str) -> None:
    incident = open_close(harness, text)
    for _ in range(2):
        investigate_incident(harness.start_process(), incident)
    [posted] = harness.chat.posted
    assert read_state(harness, incident) == "reported"
    assert (posted.marker, posted.message.incident) == (format_notice_id(incident), incident)
    assert (posted.message.kind, posted.message.commit) == (ActionKind.NONE, "")
    assert read_documents(harness, "proposals") == {}


def test_it_has_no_button_and_no_deadline(harness: Harness) -> None:
    incident = open_close(harness)
    investigate_incident(harness.start_process(), incident)
    message: Message = harness.chat.posted[0].message
    service = harness.services["shore.tide"]
    body: dict[str, Any] = build_message_body(service, message)
    assert [block["type"] for block in body["blocks"]] == ["header", "rich_text", "rich_text"]
    assert message.lines[0].startswith("Proposal: nothing to deploy")


def test_a_delivery_that_was_interrupted_posts_no_second_one(harness: Harness) -> None:
    incident = open_close(harness)
    process = harness.start_process()
    investigate_incident(process, incident)
    record = require_incident(process, incident)
    notice = build_notice(record.id, "", (), "", record.opened_at)
    effects.post_notice(harness.start_process(), harness.services["shore.tide"], notice)
    assert len(harness.chat.posted) == 1


def test_a_chat_that_refuses_it_keeps_nothing_from_being_reported(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> str:
        raise Reject("channel_not_found", "C-TIDE")

    incident = open_close(harness)
    monkeypatch.setattr(type(harness.chat), "post", refuse)
    assert investigate_incident(harness.start_process(), incident).name == "reported"
    assert harness.issues.issues
    assert [document["reason"] for document in read_documents(harness, "rejections").values()] == ["channel_not_found"]


def test_a_chat_that_does_not_answer_is_asked_again(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> str:
        raise Retry("no answer")

    incident = open_close(harness)
    with monkeypatch.context() as patched:
        patched.setattr(type(harness.chat), "post", fail)
        with pytest.raises(Retry):
            investigate_incident(harness.start_process(), incident)
    harness.clock.advance(30 * MINUTE)
    investigate_incident(harness.start_process(), incident)
    assert (read_state(harness, incident), len(harness.chat.posted)) == ("reported", 1)


def test_a_syntax_error_without_a_proposal_is_told_in_the_issue_alone(harness: Harness) -> None:
    incident = open_incident(harness)
    investigate_incident(harness.start_process(), incident)
    assert harness.issues.issues
    assert harness.chat.posted == []
