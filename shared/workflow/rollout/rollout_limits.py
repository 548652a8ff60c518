"""What a service may be put through: one rollout at a time, and so many on one day.

In: a proposal that is about to be acted on. Out: whether it may. Both are compare-and-set on one small document, and
both give the same answer to the same proposal again.
"""

from shared.errors import Retry
from shared.proposal.proposal import Proposal
from shared.service import Service
from shared.workflow.context import World
from shared.workflow.flow import State
from shared.workflow.records import documents, incident_records

_MOST_ATTEMPTS = 20


def hold_rollout(world: World, service: Service, proposal: Proposal) -> bool:
    """Takes the service's rollout lock; False while another proposal's rollout is under way.

    Nobody has to give it back: a holder that is at rest, or only watches by now, holds it no longer.
    """
    for _ in range(_MOST_ATTEMPTS):
        stored = world.store.read("rollouts", service.id)
        value = {"proposal": proposal.id, "incident": proposal.incident}
        if stored is None:
            world.store.create("rollouts", service.id, value)
            continue
        if documents.text(stored.value, "proposal") == proposal.id:
            return True
        if rolling_out(world, service):
            return False
        world.store.replace("rollouts", service.id, value, stored.version)
    raise Retry(f"the rollout of {service.id} is being contended for by too many at once")


def rolling_out(world: World, service: Service) -> bool:
    """Whether a rollout of the service is under way: one that only watches by now is not.

    Nor is one that came to nothing, although its incident is asked about again: that is another proposal.
    """
    stored = world.store.read("rollouts", service.id)
    if stored is None:
        return False
    holder = incident_records.load(world, documents.text(stored.value, "incident"))
    if holder is None or not holder.active or holder.state is State.WATCHING:
        return False
    return holder.proposal == documents.text(stored.value, "proposal")


def count_today(world: World, service: Service, proposal: Proposal) -> bool:
    """Counts a rollout against the service's daily cap; False where the cap is reached."""
    key = f"{service.id}.{world.clock.now().date().isoformat()}"
    for _ in range(_MOST_ATTEMPTS):
        stored = world.store.read("caps", key)
        counted = documents.texts(stored.value, "proposals") if stored else ()
        if proposal.id in counted:
            return True
        if len(counted) >= service.daily_cap:
            return False
        value = {"proposals": [*counted, proposal.id]}
        if stored is None:
            world.store.create("caps", key, value)
        else:
            world.store.replace("caps", key, value, stored.version)
    raise Retry(f"the cap of {service.id} is being contended for by too many at once")
