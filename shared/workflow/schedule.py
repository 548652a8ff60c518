"""Handles a tick: asks for a look at each incident that is not at rest, and at each service. It looks at nothing.

It counts for two alerts: the questions that nobody answers, and the services whose deployments are stopped.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b

from shared.errors import Reject, Retry
from shared.ports import StoredDocument
from shared.service import Service
from shared.workflow import requests
from shared.workflow.commit_checks.watch_service import has_radar, is_checked
from shared.workflow.context import Context, StepResult
from shared.workflow.flow import IncidentState
from shared.workflow.records import documents, incident_record

_Request = tuple[str, Callable[[Context, str], None]]

ROUND_LIMIT = timedelta(seconds=50)
"""Nothing is published later in a round: the next tick comes after a minute."""


def schedule_looks(context: Context) -> StepResult:
    """`ticked`. Raises Retry only after all were tried. What a round does not reach, a later one does."""
    begun, asked, failed = context.clock.now(), 0, []
    active = {
        service: incident_record.find_active_incidents(context, service.id) for service in context.services.values()
    }
    waiting = _list_round(active, begun)
    while waiting and context.clock.now() < begun + ROUND_LIMIT:
        name, ask = waiting.popleft()
        try:
            ask(context, name)
            asked += 1
        except Retry as reason:
            failed.append(f"{name}: {reason}")
    if failed:
        raise Retry("; ".join(failed[:5]))
    counts = {
        "unanswered": sum(_is_unanswered(service, stored, begun) for service in active for stored in active[service]),
        "stopped": sum(context.is_kill_switch_on(service.id) for service in active),
    }
    detail = f"{asked} asked for{f', {len(waiting)} not reached' if waiting else ''}"
    return StepResult("ticked", detail=detail, counts=counts)


def _list_round(active: Mapping[Service, Sequence[StoredDocument]], now: datetime) -> deque[_Request]:
    """Every incident that is not at rest, and every service whose new revisions or undeployed fixes are looked for.

    Each round chooses anew with which it begins: none is always among the last.
    """
    waiting = deque[_Request]((stored.key, requests.ask_for_look) for listed in active.values() for stored in listed)
    waiting.extend(
        (service.id, requests.ask_for_service) for service in active if is_checked(service) or has_radar(service)
    )
    waiting.rotate(int.from_bytes(blake2b(now.isoformat().encode(), digest_size=4).digest()))
    return waiting


def _is_unanswered(service: Service, stored: StoredDocument, now: datetime) -> bool:
    """Whether half of the time is over in which its question can be answered; not where that cannot be read."""
    steps = stored.value.get("history")
    if stored.value.get("state") != IncidentState.PROPOSED or not isinstance(steps, list) or not steps:
        return False
    try:
        return now >= documents.read_time(steps[-1], "at") + service.proposal_ttl / 2
    except Reject:
        return False
