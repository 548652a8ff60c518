"""What a service may be put through: one rollout at a time, and so many on one day.

In: a proposal that is about to be acted on. Out: whether it may. Both are compare-and-set on one small document, and
both give the same answer to the same proposal again.
"""

from shared.errors import Retry
from shared.proposal.proposal import Proposal
from shared.service import Service
from shared.workflow.context import Context
from shared.workflow.flow import IncidentState
from shared.workflow.records import documents, incident_records

_MAX_ATTEMPTS = 20


def acquire_rollout_lock(context: Context, service: Service, proposal: Proposal) -> bool:
    """Takes the service's rollout lock; False while another proposal's rollout is under way.

    Nobody has to give it back: a holder that is at rest, or only watches by now, holds it no longer.
    """
    for _ in range(_MAX_ATTEMPTS):
        stored = context.store.read("rollouts", service.id)
        value = {"proposal": proposal.id, "incident": proposal.incident}
        if stored is None:
            context.store.create("rollouts", service.id, value)
            continue
        if documents.read_text(stored.value, "proposal") == proposal.id:
            return True
        if is_rollout_active(context, service):
            return False
        context.store.replace("rollouts", service.id, value, stored.version)
    raise Retry(f"the rollout of {service.id} is being contended for by too many at once")


def is_rollout_active(context: Context, service: Service) -> bool:
    """Whether a rollout of the service is under way: one that only watches by now is not.

    Nor is one that came to nothing, although its incident is asked about again: that is another proposal.
    """
    stored = context.store.read("rollouts", service.id)
    if stored is None:
        return False
    holder = incident_records.load_incident(context, documents.read_text(stored.value, "incident"))
    if holder is None or not holder.active or holder.state is IncidentState.WATCHING:
        return False
    return holder.proposal == documents.read_text(stored.value, "proposal")


def count_against_daily_cap(context: Context, service: Service, proposal: Proposal) -> bool:
    """Counts a rollout against the service's daily cap; False where the cap is reached."""
    key = f"{service.id}.{context.clock.now().date().isoformat()}"
    for _ in range(_MAX_ATTEMPTS):
        stored = context.store.read("caps", key)
        counted = documents.read_texts(stored.value, "proposals") if stored else ()
        if proposal.id in counted:
            return True
        if len(counted) >= service.daily_cap:
            return False
        value = {"proposals": [*counted, proposal.id]}
        if stored is None:
            context.store.create("caps", key, value)
        else:
            context.store.replace("caps", key, value, stored.version)
    raise Retry(f"the cap of {service.id} is being contended for by too many at once")
