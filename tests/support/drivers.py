"""Takes an incident as far as a test wants it, without faults: a setting in, the id of the incident out."""

from dataclasses import replace
from datetime import timedelta

from shared.ports import Document
from shared.proposal.decision import ClickAnswer, ClickKind
from shared.workflow import flow
from shared.workflow.context import StepResult
from shared.workflow.decide import handle_click
from shared.workflow.investigate_incident import investigate_incident
from shared.workflow.record import record_log_entry
from shared.workflow.redeploy import redeploy
from tests.support.harness import Harness, button_click
from tests.support.memory import MemoryStore
from tests.support.ticks import play_tick

MINUTE = timedelta(minutes=1)


def open_incident(harness: Harness) -> str:
    """A syntax error was logged."""
    return record_log_entry(harness.start_process(), harness.log_entry()).incident


def propose_deployment(harness: Harness) -> str:
    """It was investigated as well, and a person is asked."""
    incident = open_incident(harness)
    investigate_incident(harness.start_process(), incident)
    harness.bus.waiting.clear()
    return incident


def press_button(harness: Harness, kind: ClickKind = ClickKind.APPROVE, **changes: str) -> ClickAnswer:
    """The last question is answered."""
    return handle_click(harness.start_process(), button_click(harness.chat.posted[-1].message, kind, **changes))


def press_alternative_button(harness: Harness, **changes: str) -> ClickAnswer:
    """The last question's other button: to go back instead."""
    message = harness.chat.posted[-1].message
    assert message.alternative is not None
    other = replace(message, proposal=message.alternative.proposal, commit=message.alternative.commit)
    return handle_click(harness.start_process(), button_click(other, ClickKind.APPROVE, **changes))


def approve_proposal(harness: Harness) -> str:
    """It was approved as well; the message to `redeploy` waits."""
    incident = propose_deployment(harness)
    press_button(harness)
    return incident


def redeploy_approved(harness: Harness) -> StepResult:
    """The last approval is acted on."""
    waiting = harness.bus.waiting
    number = max(number for number, (topic, _) in enumerate(waiting) if topic == flow.REDEPLOY_APPROVED)
    _, message = waiting.pop(number)
    result = redeploy(harness.start_process(), message["proposal"])
    waiting[:] = [message for message in waiting if message[0] != flow.INCIDENT_DUE]  # the next tick looks
    return result


def start_watching(harness: Harness) -> str:
    """It was deployed as well, and serves."""
    incident = approve_proposal(harness)
    redeploy_approved(harness)
    run_tick(harness, 2 * MINUTE)
    return incident


def run_tick(harness: Harness, after: timedelta = MINUTE) -> StepResult:
    """Some time later."""
    harness.clock.advance(after)
    return play_tick(harness.start_process())


def read_incident(harness: Harness, incident: str) -> Document:
    """As it is stored."""
    return read_documents(harness, "incidents")[incident]


def read_documents(harness: Harness, kind: str) -> dict[str, Document]:
    """All of a kind, by key."""
    assert isinstance(harness.store, MemoryStore)
    return harness.store.documents(kind)


def read_state(harness: Harness, incident: str) -> str:
    """Where it stands."""
    return str(read_incident(harness, incident)["state"])
