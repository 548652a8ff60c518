"""Loads, creates, changes and ends stored incidents."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from shared.errors import Reject
from shared.ports import Store, StoredDocument
from shared.workflow.context import Context
from shared.workflow.flow import IncidentState
from shared.workflow.records.documents import Collection
from shared.workflow.records.incident_record import EndReason, IncidentRecord

KIND = "incidents"
INCIDENTS = Collection(KIND, IncidentRecord, lambda _, record: {"active_for": record.service if record.active else ""})
"""`active_for` is the service while the incident is active and "" once it is at rest: the index that ticks query."""
MAX_PER_STATE = 500


def load_incident(context: Context, incident: str) -> IncidentRecord | None:
    """The incident as of now."""
    return INCIDENTS.read(context.store, incident)


def require_incident(context: Context, incident: str) -> IncidentRecord:
    """The incident; Reject where there is none."""
    return _require(load_incident(context, incident), incident)


def create_incident(context: Context, record: IncidentRecord) -> bool:
    """Whether it was new."""
    return INCIDENTS.create(context.store, record.id, record)


def update_incident(
    context: Context, incident: str, update: Callable[[IncidentRecord], IncidentRecord]
) -> IncidentRecord:
    """Applies `update` to the incident as it is, which may not be the one that the caller saw."""
    return INCIDENTS.change(context.store, incident, lambda now: update(_require(now, incident)))


def _require(record: IncidentRecord | None, incident: str) -> IncidentRecord:
    if record is None:
        raise Reject("unknown_incident", incident)
    return record


def find_active_incidents(context: Context, service: str) -> Sequence[StoredDocument]:
    """The incidents of a service that are not at rest, unread: one that cannot be read must not hide the others."""
    return context.store.find(KIND, "active_for", service)


def list_incidents(store: Store) -> tuple[Sequence[IncidentRecord], bool]:
    """All that can be read, and whether there are more: a store answers with at most `MAX_PER_STATE` of each state.

    Documents are found by a field, and every incident has a state.
    """
    by_state = [store.find(KIND, "state", state.value, MAX_PER_STATE) for state in IncidentState]
    records = [INCIDENTS.decode(stored.value) for answer in by_state for stored in answer]
    return records, any(len(answer) >= MAX_PER_STATE for answer in by_state)


def end_incident(
    context: Context, incident: str, state: IncidentState, reason: str | EndReason, look: int = 0
) -> IncidentRecord:
    """Decides in which state an incident will be at rest; the first decision stays. `finish` does what goes with it.

    `look` is the one that the reason is about; of an incident that is about another one by now, nothing is decided.
    """

    words, cause = (reason.sentence, reason.cause) if isinstance(reason, EndReason) else (reason, None)

    def decided(record: IncidentRecord) -> IncidentRecord:
        if not record.active or record.ending is not None or look not in {0, record.look}:
            return record
        return replace(record, ending=state, ending_why=words, ending_cause=cause, ended_at=context.clock.now())

    return update_incident(context, incident, decided)
