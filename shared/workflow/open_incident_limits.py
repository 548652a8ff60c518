"""How many incidents of a service may be open at once: a service in, nothing or a Retry out.

Anybody who can make a service log a line can open incidents; only a commit that bears one out makes it count for long.
So incidents that were corroborated have a bound of their own, which forged lines do not use up. Those that still wait
for their investigation have another one: it is over within seconds, and what the bound refuses is delivered again.
"""

from datetime import timedelta

from shared.errors import Retry
from shared.ports import StoredDocument
from shared.service import Service
from shared.workflow.context import Context
from shared.workflow.flow import IncidentState
from shared.workflow.records import documents, incident_records

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
    active = incident_records.find_active_incidents(context, service.id)
    pending = [stored for stored in active if _is_pending(stored)]
    recent = [stored for stored in pending if context.clock.now() < documents.read_time(stored.value, "opened_at") + PENDING_PERIOD]
    if len(recent) >= MAX_PENDING:
        raise Retry(f"{len(recent)} of {service.id} wait for their investigation", reason=TOO_MANY_INCIDENTS)
    if len(active) - len(pending) >= MAX_CORROBORATED:
        raise Retry(f"{len(active) - len(pending)} of {service.id} are open", reason=TOO_MANY_INCIDENTS)


def _is_pending(stored: StoredDocument) -> bool:
    return stored.value.get("state") in _PENDING_STATES
