"""A click or an approval of another message or of an earlier question: a setting in, nothing changed out."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.ports import IssueCommand, IssueEvent
from shared.proposal.decision import ClickKind, ClickResult
from shared.workflow import flow
from shared.workflow.decide import handle_click
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.issue.issue_commands import handle_issue_command
from shared.workflow.ledger import LEASE
from shared.workflow.redeploy import redeploy
from tests.support.drivers import (
    press_alternative_button,
    press_button,
    propose_deployment,
    read_documents,
    read_incident,
    read_state,
    redeploy_approved,
    run_tick,
)
from tests.support.harness import Harness, button_click
from tests.support.people import FakePeople

POSTED = "C-TIDE/1795000000.000000"
OTHER_MESSAGE = "C-TIDE/1795000000.000009"
_RESULTS = {
    ClickKind.APPROVE: ClickResult.APPROVED,
    ClickKind.DENY: ClickResult.DENIED,
    ClickKind.SNOOZE: ClickResult.SNOOZED,
}


@pytest.fixture
def harness() -> Harness:
    setting = Harness()
    setting.prover.offers_rollback = True
    return setting


def _pressed_on(
    harness: Harness, reference: str, kind: ClickKind = ClickKind.APPROVE, *, back: bool = False
) -> ClickResult:
    """A button of the last question, in the message that `reference` names."""
    message = harness.chat.posted[-1].message
    if back:
        assert message.alternative is not None
        message = replace(message, proposal=message.alternative.proposal, commit=message.alternative.commit)
    return handle_click(harness.start_process(), replace(button_click(message, kind), message=reference)).result


@pytest.mark.parametrize("kind", _RESULTS)
@pytest.mark.parametrize("back", [False, True])
def test_a_button_of_another_message_of_the_same_question_is_refused(
    harness: Harness, kind: ClickKind, *, back: bool
) -> None:
    propose_deployment(harness)
    assert _pressed_on(harness, OTHER_MESSAGE, kind, back=back) is ClickResult.TAMPERED
    assert (read_documents(harness, "decisions"), harness.bus.waiting) == ({}, [])
    assert _pressed_on(harness, POSTED, kind, back=back) is _RESULTS[kind]


def test_it_is_refused_after_either_way_out_was_approved_as_well(harness: Harness) -> None:
    incident = propose_deployment(harness)
    press_alternative_button(harness)
    assert read_incident(harness, incident)["proposal"] == f"{incident}-1-back"
    for back in (False, True):
        assert _pressed_on(harness, OTHER_MESSAGE, back=back) is ClickResult.TAMPERED
    assert _pressed_on(harness, POSTED, back=True) is ClickResult.ALREADY_APPROVED


def test_message_of_a_replaced_question_shows_its_outcome(harness: Harness) -> None:
    """Its message is no longer the incident's, and yet nobody has tampered with it."""
    incident = propose_deployment(harness)
    old = harness.chat.posted[0].message
    harness.cloud.services["shore.tide"].etag += 1
    run_tick(harness)
    investigate_incident(harness.start_process(), incident)
    assert read_incident(harness, incident)["message"] != POSTED
    assert (
        handle_click(harness.start_process(), replace(button_click(old), message=POSTED)).result
        is ClickResult.SUPERSEDED
    )


def test_late_old_approval_leaves_a_newer_question_alone(harness: Harness) -> None:
    """Its process stands still after the publication; meanwhile a gate refuses, and a person has it asked anew."""
    incident, objection = propose_deployment(harness), "it does not compile"

    class Slow:
        def publish(self, topic: str, message: Mapping[str, str]) -> None:
            harness.bus.publish(topic, message)
            harness.clock.advance(LEASE)
            harness.prover.objection = objection
            run_tick(harness, timedelta(minutes=1))
            harness.prover.objection = ""
            wished = IssueEvent(IssueCommand.REINVESTIGATE, "d-1", "harbour/tide", 1, incident, "nora")
            assert handle_issue_command(harness.start_process(), FakePeople(), wished).name == "asked_again"
            investigate_incident(harness.start_process(), incident)

    slow = harness.start_process(lambda name, port: Slow() if name == "bus" else port)
    handle_click(slow, button_click(harness.chat.posted[0].message))
    assert (read_state(harness, incident), read_incident(harness, incident)["proposal"]) == (
        "proposed",
        f"{incident}-2",
    )
    assert list(read_documents(harness, "decisions")) == [f"{incident}-1"]
    harness.bus.waiting[:] = [each for each in harness.bus.waiting if each[0] == flow.REDEPLOY_APPROVED][:1]
    assert redeploy_approved(harness).name == f"refused:gate: {objection}"
    assert harness.cloud.operations == []
    assert press_button(harness).result is ClickResult.APPROVED


def test_click_counts_before_its_message_is_recorded(harness: Harness) -> None:
    """Who posted it died before that."""
    incident = propose_deployment(harness)
    stored = harness.store.read("incidents", incident)
    assert stored is not None
    harness.store.replace("incidents", incident, {**stored.value, "message": ""}, stored.version)
    assert _pressed_on(harness, POSTED) is ClickResult.APPROVED


def test_message_for_an_immediately_denied_question_deploys_nothing(harness: Harness) -> None:
    incident = propose_deployment(harness)
    press_button(harness, ClickKind.DENY)
    assert redeploy(harness.start_process(), f"{incident}-1").name == "refused:denied"
    assert redeploy(harness.start_process(), f"{incident}-1-back").name == "refused:denied"


@pytest.mark.parametrize("kind", [ClickKind.APPROVE, ClickKind.DENY])
def test_a_very_long_name_is_cut_where_it_is_kept(harness: Harness, kind: ClickKind) -> None:
    incident = propose_deployment(harness)
    press_button(harness, kind, user_name="n" * 500)
    assert read_documents(harness, "decisions")[f"{incident}-1"]["why"] == "n" * 80
