"""Whether a person has put an end to the automation of an incident: by a label, or by closing its issue."""

from shared.ports import WRONG_LABEL
from shared.service import Service
from shared.workflow.context import Context
from shared.workflow.effects import close_effect_key
from shared.workflow.ledger import is_claimed
from shared.workflow.records.incident_record import IncidentRecord


def is_marked_as_wrong(context: Context, service: Service, record: IncidentRecord) -> bool:
    """Whether a person has said so of an incident at rest: the label holds for good, whenever it was set.

    A person who only closed the issue has called it resolved; what fails in a later revision is news all the same.
    """
    return record.issue is not None and WRONG_LABEL in context.issues.state(service, record.issue.number).labels


def is_automation_stopped(context: Context, service: Service, record: IncidentRecord) -> bool:
    """An issue that these functions have begun to close themselves was not closed by a person."""
    if record.issue is None:
        return False
    state = context.issues.state(service, record.issue.number)
    return WRONG_LABEL in state.labels or (not state.is_open and not is_claimed(context, close_effect_key(record.id)))
