"""Incidents are loaded and changed here: by compare-and-set only, so that no change is ever lost to another one."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from shared.errors import Reject, Retry
from shared.ports import Store, StoredDocument
from shared.workflow.context import Context
from shared.workflow.flow import IncidentState
from shared.workflow.records.incident_record import EndReason, IncidentRecord, record_from_document, record_to_document

KIND = "incidents"
MAX_PER_STATE = 500
_MAX_ATTEMPTS = 20


def load_incident(context: Context, incident: str) -> IncidentRecord | None:
    """The incident as of now."""
    stored = context.store.read(KIND, incident)
    return record_from_document(stored.value) if stored else None


def require_incident(context: Context, incident: str) -> IncidentRecord:
    """The incident; Reject where there is none."""
    case = load_incident(context, incident)
    if case is None:
        raise Reject("unknown_incident", incident)
    return case


def create_incident(context: Context, record: IncidentRecord) -> bool:
    """Whether it was new."""
    return context.store.create(KIND, record.id, record_to_document(record))


def update_incident(
    context: Context, incident: str, update: Callable[[IncidentRecord], IncidentRecord]
) -> IncidentRecord:
    """Applies `how` to the incident as it is, again where somebody wrote in between; nothing is written for no change.

    `how` must look at the state that it is given: it may not be the one that the caller saw.
    """
    for _ in range(_MAX_ATTEMPTS):
        stored = context.store.read(KIND, incident)
        if stored is None:
            raise Reject("unknown_incident", incident)
        before = record_from_document(stored.value)
        after = update(before)
        if after == before or context.store.replace(KIND, incident, record_to_document(after), stored.version):
            return after
    raise Retry(f"{incident} is being changed by too many at once")


def find_active_incidents(context: Context, service: str) -> Sequence[StoredDocument]:
    """The incidents of a service that are not at rest, unread: one that cannot be read must not hide the others."""
    return context.store.find(KIND, "active_for", service)


def list_incidents(store: Store) -> tuple[Sequence[IncidentRecord], bool]:
    """All that can be read, and whether there are more: a store answers with at most `MAX_PER_STATE` of each state.

    Documents are found by a field, and every incident has a state.
    """
    found = [store.find(KIND, "state", state.value, MAX_PER_STATE) for state in IncidentState]
    return [record_from_document(stored.value) for each in found for stored in each], any(
        len(each) >= MAX_PER_STATE for each in found
    )


def end_incident(
    context: Context, incident: str, state: IncidentState, reason: str | EndReason, look: int = 0
) -> IncidentRecord:
    """Decides in which state an incident will be at rest; the first decision stays. `finish` does what goes with it.

    `look` is the one that the reason is about; of an incident that is about another one by now, nothing is decided.
    """

    words, cause = (reason.sentence, reason.cause) if isinstance(reason, EndReason) else (reason, None)

    def decided(case: IncidentRecord) -> IncidentRecord:
        if not case.active or case.ending is not None or look not in {0, case.look}:
            return case
        return replace(case, ending=state, ending_why=words, ending_cause=cause, ended_at=context.clock.now())

    return update_incident(context, incident, decided)
