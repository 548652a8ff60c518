"""Handles a tick: asks for a look at each incident that is not at rest. It reads and publishes, and nothing else."""

from collections import deque
from datetime import datetime, timedelta
from hashlib import blake2b

from shared.errors import Retry
from shared.workflow import requests
from shared.workflow.context import Context, StepResult
from shared.workflow.records import incident_record

ROUND_LIMIT = timedelta(seconds=50)
"""Nothing is published later in a round: the next tick comes after a minute."""


def schedule_looks(context: Context) -> StepResult:
    """`ticked`. Raises Retry only after all were tried. What a round does not reach, a later one does."""
    begun, asked, failed = context.clock.now(), 0, []
    waiting = _list_round(context, begun)
    while waiting and context.clock.now() < begun + ROUND_LIMIT:
        incident = waiting.popleft()
        try:
            requests.ask_for_look(context, incident)
            asked += 1
        except Retry as reason:
            failed.append(f"{incident}: {reason}")
    if failed:
        raise Retry("; ".join(failed[:5]))
    return StepResult("ticked", detail=f"{asked} asked for{f', {len(waiting)} not reached' if waiting else ''}")


def _list_round(context: Context, now: datetime) -> deque[str]:
    """Every incident that is not at rest, from one on that each round chooses anew: none is always among the last."""
    waiting = deque(
        stored.key
        for service in context.services.values()
        for stored in incident_record.find_active_incidents(context, service.id)
    )
    waiting.rotate(int.from_bytes(blake2b(now.isoformat().encode(), digest_size=4).digest()))
    return waiting
