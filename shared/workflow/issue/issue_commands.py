"""Handles the commands that users give at an incident's issue, once for each delivery and only where they may.

An event never mutes an incident by itself: the state of the issue is read. So a forged or late event mutes nothing.
"""

from shared.errors import Reject
from shared.ports import WRONG_LABEL, Collaborators, IssueCommand, IssueEvent
from shared.service import Service
from shared.workflow import effects, requests
from shared.workflow.context import Context, StepResult
from shared.workflow.effects import close_effect_key
from shared.workflow.flow import IncidentState
from shared.workflow.ledger import is_claimed
from shared.workflow.records import incident_record
from shared.workflow.records.incident_record import IncidentRecord


def is_marked_as_wrong(context: Context, service: Service, record: IncidentRecord) -> bool:
    """Whether a user has said so of an incident at rest: the label holds for good, whenever it was set.

    A user who only closed the issue has called it resolved; what fails in a later revision is news all the same.
    """
    return record.issue is not None and WRONG_LABEL in context.issues.state(service, record.issue.number).labels


def is_automation_stopped(context: Context, service: Service, record: IncidentRecord) -> bool:
    """An issue that these functions have begun to close themselves was not closed by a user."""
    if record.issue is None:
        return False
    state = context.issues.state(service, record.issue.number)
    return WRONG_LABEL in state.labels or (not state.is_open and not is_claimed(context, close_effect_key(record.id)))


_KIND = "deliveries"


def request_issue_command(context: Context, command: IssueEvent) -> StepResult:
    """`requested` or `duplicate`. Asks nothing of the code host: who handles the command does. Raises Retry, Reject."""
    if _was_handled(context, command):
        return StepResult("duplicate", command.incident_id, command.delivery_id)
    _require_own_issue(context, command)
    requests.ask_for_command(context, command)
    return StepResult("requested", command.incident_id)


def _was_handled(context: Context, command: IssueEvent) -> bool:
    return context.store.read(_KIND, command.delivery_id) is not None


def _require_own_issue(context: Context, command: IssueEvent) -> tuple[IncidentRecord, Service]:
    record = incident_record.require_incident(context, command.incident_id)
    service = context.services.get(record.service)
    if service is None or service.repository.lower() != command.repository.lower():
        raise Reject("foreign_repository", f"{command.repository} for {record.id}")
    if record.issue is None or record.issue.number != command.issue_number:
        raise Reject("foreign_issue", f"{command.repository}#{command.issue_number} for {record.id}")
    return record, service


def handle_issue_command(context: Context, people: Collaborators, command: IssueEvent) -> StepResult:
    """`muted`, `asked_again`, `nothing` or `duplicate`. Raises Retry, Reject with a reason."""
    if _was_handled(context, command):
        return StepResult("duplicate", command.incident_id, command.delivery_id)
    record, service = _require_own_issue(context, command)
    if command.command is IssueCommand.REINVESTIGATE and not people.has_write_access(service, command.actor):
        raise Reject("not_a_collaborator", f"{command.actor} on {command.repository}")
    outcome = StepResult("nothing", record.id)
    if command.command is IssueCommand.REINVESTIGATE:
        outcome = _reinvestigate(context, service, record, command.actor)
        if outcome.name == "nothing":  # the user who asked gets a reply
            effects.post_comment(
                context, service, record, f"answer.{command.delivery_id}", (ANSWERS.get(outcome.detail, _BUSY_ANSWER),)
            )
    if command.command is IssueCommand.MUTE and is_automation_stopped(context, service, record):
        incident_record.end_incident(
            context, record.id, IncidentState.MUTED, f"{command.actor} closed the issue or marked it as wrong"
        )
        outcome = StepResult("muted", record.id)
    # Last: a delivery that was cut off before this is handled again, and all of the above may happen twice.
    context.store.create(_KIND, command.delivery_id, {"incident": record.id, "wish": command.command.value})
    return outcome


def _reinvestigate(context: Context, service: Service, record: IncidentRecord, person: str) -> StepResult:
    """Another look at an incident without a fix; one that is being decided, deployed or muted is left alone."""
    now = context.clock.now()
    if incident_record.load_incident(context, record.next_incident_id) is not None:
        return StepResult("nothing", record.id, _SUPERSEDED)
    if record.can_be_reinvestigated and is_automation_stopped(context, service, record):
        return StepResult("nothing", record.id, _ENDED)

    def looked(at: IncidentRecord) -> IncidentRecord:
        if at.look != record.look or not at.can_be_reinvestigated:
            return at
        return at.to_be_reinvestigated(now, f"{person} asked for it")

    record = incident_record.update_incident(context, record.id, looked)
    if record.state is not IncidentState.OPENED or record.ending is not None:
        return StepResult("nothing", record.id, (record.ending or record.state).value)
    effects.publish_incident_opened(context, record, _REPEAT_BY_COMMAND)
    return StepResult("asked_again", record.id)


_BUSY_ANSWER = "Not investigated again: this incident is in progress, or a fix for it was already deployed."
_SUPERSEDED = "superseded"
_ENDED = "ended"
"""By a user, whatever its state before: what it led to would be withdrawn at the next tick."""
ANSWERS = {
    _SUPERSEDED: "Not investigated again: the failure has recurred since then, and has a new incident.",
    _ENDED: (
        f"Not investigated again: this issue is closed or has the label `{WRONG_LABEL}`. Open it or remove the label, "
        "then comment again."
    ),
    IncidentState.PROPOSED: "Not investigated again: the question in the chat is still open. Decide it there first.",
    IncidentState.MUTED: "Not investigated again: a user stopped automation for this incident permanently.",
    IncidentState.RESOLVED: "Not investigated again: this incident is resolved.",
}
_REPEAT_BY_COMMAND = 1_000_000
"""A retry that a user requested; those of the clock count from 0."""
