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
from shared.workflow.verify import verify
from tests.support.harness import Setting, click
from tests.support.memory import MemoryStore

MINUTE = timedelta(minutes=1)


def opened(setting: Setting) -> str:
    """A syntax error was logged."""
    return record_log_entry(setting.process(), setting.entry()).incident


def proposed(setting: Setting) -> str:
    """It was investigated as well, and a person is asked."""
    incident = opened(setting)
    investigate_incident(setting.process(), incident)
    setting.bus.waiting.clear()
    return incident


def pressed(setting: Setting, kind: ClickKind = ClickKind.APPROVE, **changes: str) -> ClickAnswer:
    """The last question is answered."""
    return handle_click(setting.process(), click(setting.chat.all[-1].message, kind, **changes))


def pressed_back(setting: Setting, **changes: str) -> ClickAnswer:
    """The last question's other button: to go back instead."""
    message = setting.chat.all[-1].message
    assert message.alternative is not None
    other = replace(message, proposal=message.alternative.proposal, commit=message.alternative.commit)
    return handle_click(setting.process(), click(other, ClickKind.APPROVE, **changes))


def approved(setting: Setting) -> str:
    """It was approved as well; the message to `redeploy` waits."""
    incident = proposed(setting)
    pressed(setting)
    return incident


def redeployed(setting: Setting) -> StepResult:
    """The last approval is acted on."""
    topic, message = setting.bus.waiting.pop()
    assert topic == flow.REDEPLOY_APPROVED
    return redeploy(setting.process(), message["proposal"])


def watching(setting: Setting) -> str:
    """It was deployed as well, and serves."""
    incident = approved(setting)
    redeployed(setting)
    tick(setting, 2 * MINUTE)
    return incident


def tick(setting: Setting, after: timedelta = MINUTE) -> StepResult:
    """Some time later."""
    setting.clock.turn(after)
    return verify(setting.process())


def incident_document(setting: Setting, incident: str) -> Document:
    """As it is stored."""
    return documents(setting, "incidents")[incident]


def documents(setting: Setting, kind: str) -> dict[str, Document]:
    """All of a kind, by key."""
    assert isinstance(setting.store, MemoryStore)
    return setting.store.all(kind)


def state(setting: Setting, incident: str) -> str:
    """Where it stands."""
    return str(incident_document(setting, incident)["state"])
