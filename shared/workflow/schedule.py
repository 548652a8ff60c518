"""Handles a tick: asks for a look at each incident that is not at rest, and at each service. It looks at nothing."""

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import blake2b

from shared.errors import Retry
from shared.workflow import requests
from shared.workflow.commit_checks.watch_service import has_radar, is_checked
from shared.workflow.context import Context, StepResult
from shared.workflow.records import incident_record

_Request = tuple[str, Callable[[Context, str], None]]

ROUND_LIMIT = timedelta(seconds=50)
"""Nothing is published later in a round: the next tick comes after a minute."""


def schedule_looks(context: Context) -> StepResult:
    """`ticked`. Raises Retry only after all were tried. What a round does not reach, a later one does."""
    begun, asked, failed = context.clock.now(), 0, []
    waiting = _list_round(context, begun)
    while waiting and context.clock.now() < begun + ROUND_LIMIT:
        name, ask = waiting.popleft()
        try:
            ask(context, name)
            asked += 1
        except Retry as reason:
            failed.append(f"{name}: {reason}")
    if failed:
        raise Retry("; ".join(failed[:5]))
    return StepResult("ticked", detail=f"{asked} asked for{f', {len(waiting)} not reached' if waiting else ''}")


def _list_round(context: Context, now: datetime) -> deque[_Request]:
    """Every incident that is not at rest, and every service whose new revisions or undeployed fixes are looked for.

    Each round chooses anew with which it begins: none is always among the last.
    """
    services = context.services.values()
    waiting = deque[_Request](
        (stored.key, requests.ask_for_look)
        for service in services
        for stored in incident_record.find_active_incidents(context, service.id)
    )
    waiting.extend(
        (service.id, requests.ask_for_service) for service in services if is_checked(service) or has_radar(service)
    )
    waiting.rotate(int.from_bytes(blake2b(now.isoformat().encode(), digest_size=4).digest()))
    return waiting
