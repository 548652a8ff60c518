"""Limits how many incidents of one service are open at once: one more waits until there is room."""

from datetime import timedelta

from shared.errors import Retry
from shared.ports import StoredDocument
from shared.service import Service
from shared.workflow.context import Context
from shared.workflow.flow import IncidentState
from shared.workflow.records import documents, incident_record

MAX_CORROBORATED = 50
"""Incidents of one service that were investigated and are not at rest."""
MAX_PENDING = 200
"""Incidents of one service that wait for their first investigation,"""
PENDING_PERIOD = timedelta(hours=1)
"""and were opened no longer ago than this: an older one hangs, and must not keep others out."""

TOO_MANY_INCIDENTS = "too_many_incidents"
"""Why an entry is delivered again; an alert looks for it."""

_PENDING_STATES = frozenset((IncidentState.WAITING.value, IncidentState.OPENED.value))


def check_open_incident_limits(context: Context, service: Service) -> None:
    """Raises Retry where one more incident has no room now: its entry is delivered again."""
    active = incident_record.find_active_incidents(context, service.id)
    pending = [stored for stored in active if _is_pending(stored)]
    recent = [
        stored
        for stored in pending
        if context.clock.now() < documents.read_time(stored.value, "opened_at") + PENDING_PERIOD
    ]
    if len(recent) >= MAX_PENDING:
        raise Retry(f"{len(recent)} of {service.id} wait for their investigation", reason=TOO_MANY_INCIDENTS)
    if len(active) - len(pending) >= MAX_CORROBORATED:
        raise Retry(f"{len(active) - len(pending)} of {service.id} are open", reason=TOO_MANY_INCIDENTS)


def _is_pending(stored: StoredDocument) -> bool:
    return stored.value.get("state") in _PENDING_STATES
