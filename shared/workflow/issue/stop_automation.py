"""Whether a person has put an end to the automation of an incident: by a label, or by closing its issue."""

from shared.ports import WRONG_LABEL
from shared.service import Service
from shared.workflow.context import World
from shared.workflow.effects import close_key
from shared.workflow.ledger import begun
from shared.workflow.records.incident_record import Case


def marked_as_wrong(world: World, service: Service, case: Case) -> bool:
    """Whether a person has said so of an incident at rest: the label holds for good, whenever it was set.

    A person who only closed the issue has called it resolved; what fails in a later revision is news all the same.
    """
    return case.issue is not None and WRONG_LABEL in world.issues.state(service, case.issue.number).labels


def muted(world: World, service: Service, case: Case) -> bool:
    """An issue that these functions have begun to close themselves was not closed by a person."""
    if case.issue is None:
        return False
    state = world.issues.state(service, case.issue.number)
    return WRONG_LABEL in state.labels or (not state.is_open and not begun(world, close_key(case.id)))
