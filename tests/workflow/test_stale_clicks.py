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
from tests.support.drivers import documents, incident_document, pressed, pressed_back, proposed, redeployed, state, tick
from tests.support.harness import Setting, click
from tests.support.people import FakePeople

POSTED = "C-TIDE/1795000000.000000"
OTHER_MESSAGE = "C-TIDE/1795000000.000009"


@pytest.fixture
def setting() -> Setting:
    setting = Setting()
    setting.answer.back = True
    return setting


def _pressed_on(setting: Setting, reference: str, kind: ClickKind = ClickKind.APPROVE, *, back: bool = False) -> ClickResult:
    """A button of the last question, in the message that `reference` names."""
    message = setting.chat.all[-1].message
    if back:
        assert message.alternative is not None
        message = replace(message, proposal=message.alternative.proposal, commit=message.alternative.commit)
    return handle_click(setting.process(), replace(click(message, kind), message=reference)).result


@pytest.mark.parametrize("kind", ClickKind)
@pytest.mark.parametrize("back", [False, True])
def test_a_button_of_another_message_of_the_same_question_is_refused(
    setting: Setting, kind: ClickKind, *, back: bool
) -> None:
    proposed(setting)
    assert _pressed_on(setting, OTHER_MESSAGE, kind, back=back) is ClickResult.TAMPERED
    assert (documents(setting, "decisions"), setting.bus.waiting) == ({}, [])
    assert _pressed_on(setting, POSTED, kind, back=back) in {ClickResult.APPROVED, ClickResult.DENIED}


def test_it_is_refused_after_either_way_out_was_approved_as_well(setting: Setting) -> None:
    incident = proposed(setting)
    pressed_back(setting)
    assert incident_document(setting, incident)["proposal"] == f"{incident}-1-back"
    for back in (False, True):
        assert _pressed_on(setting, OTHER_MESSAGE, back=back) is ClickResult.TAMPERED
    assert _pressed_on(setting, POSTED, back=True) is ClickResult.ALREADY_APPROVED


def test_the_message_of_a_question_that_was_asked_anew_is_told_what_became_of_it(setting: Setting) -> None:
    """Its message is no longer the incident's, and yet nobody has tampered with it."""
    incident = proposed(setting)
    old = setting.chat.all[0].message
    setting.cloud.services["shore.tide"].etag += 1
    tick(setting)
    investigate_incident(setting.process(), incident)
    assert incident_document(setting, incident)["message"] != POSTED
    assert handle_click(setting.process(), replace(click(old), message=POSTED)).result is ClickResult.SUPERSEDED


def test_an_old_approval_that_is_handed_on_late_leaves_a_newer_question_alone(setting: Setting) -> None:
    """Its process stands still after the publication; meanwhile a gate refuses, and a person has it asked anew."""
    incident, objection = proposed(setting), "it does not compile"

    class Slow:
        def publish(self, topic: str, message: Mapping[str, str]) -> None:
            setting.bus.publish(topic, message)
            setting.clock.turn(LEASE)
            setting.answer.objection = objection
            tick(setting, timedelta(minutes=1))
            setting.answer.objection = ""
            wished = IssueEvent(IssueCommand.REINVESTIGATE, "d-1", "harbour/tide", 1, incident, "nora")
            assert handle_issue_command(setting.process(), FakePeople(), wished).name == "asked_again"
            investigate_incident(setting.process(), incident)

    slow = setting.process(lambda name, port: Slow() if name == "bus" else port)
    handle_click(slow, click(setting.chat.all[0].message))
    assert (state(setting, incident), incident_document(setting, incident)["proposal"]) == ("proposed", f"{incident}-2")
    assert list(documents(setting, "decisions")) == [f"{incident}-1"]
    setting.bus.waiting[:] = [each for each in setting.bus.waiting if each[0] == flow.REDEPLOY_APPROVED][:1]
    assert redeployed(setting).name == f"refused:gate: {objection}"
    assert setting.cloud.operations == []
    assert pressed(setting).result is ClickResult.APPROVED


def test_a_click_counts_although_nobody_has_noted_yet_which_message_was_posted(setting: Setting) -> None:
    """Who posted it died before that."""
    incident = proposed(setting)
    stored = setting.store.read("incidents", incident)
    assert stored is not None
    setting.store.replace("incidents", incident, {**stored.value, "message": ""}, stored.version)
    assert _pressed_on(setting, POSTED) is ClickResult.APPROVED


def test_a_message_about_a_question_that_was_denied_at_once_deploys_nothing(setting: Setting) -> None:
    incident = proposed(setting)
    pressed(setting, ClickKind.DENY)
    assert redeploy(setting.process(), f"{incident}-1").name == "refused:denied"
    assert redeploy(setting.process(), f"{incident}-1-back").name == "refused:denied"


@pytest.mark.parametrize("kind", ClickKind)
def test_a_very_long_name_is_cut_where_it_is_kept(setting: Setting, kind: ClickKind) -> None:
    incident = proposed(setting)
    pressed(setting, kind, user_name="n" * 500)
    assert documents(setting, "decisions")[f"{incident}-1"]["why"] == "n" * 80
