"""Looks at each tick which revisions have traffic, and asks for a check of each that is new."""

from collections.abc import Mapping

from shared.service import RolloutMode, Service
from shared.workflow import check_effects
from shared.workflow.context import Context
from shared.workflow.records import incident_record
from shared.workflow.records.serving_states import load_serving_state, store_first_revisions, store_revision

REVISION_CHECK = "revision"
"""The `kind` of a message that asks for the check of a revision."""


def request_revision_check(context: Context, service: Service) -> tuple[str, ...]:
    """The revisions of a service for which a check was asked for. Raises Retry, Reject.

    What provenfix itself deploys has passed every gate, and counts as sound.
    """
    if not service.check_revisions or service.is_read_only or service.rollout_mode is not RolloutMode.PLATFORM:
        return ()
    traffic = {name: share for name, share in context.revisions.get_traffic(service).items() if share}
    known = load_serving_state(context, service)
    new = tuple(name for name in traffic if name not in known.revisions)
    if not known.revisions:
        if traffic:
            store_first_revisions(context, service, tuple(traffic), max(traffic, key=lambda name: traffic[name]))
        return ()
    own = _list_own_revisions(context, service) if new else frozenset()
    for name in new:
        if name not in own:
            check_effects.publish_check_requested(context, build_message(service, name), f"{service.id}.{name}")
        # Last: a tick that ends before this asks again.
        store_revision(context, service, name, is_sound=name in own)
    return tuple(name for name in new if name not in own)


def build_message(service: Service, revision: str) -> Mapping[str, str]:
    """As it travels to the function that checks."""
    return {"kind": REVISION_CHECK, "service": service.id, "revision": revision}


def _list_own_revisions(context: Context, service: Service) -> frozenset[str]:
    """The revisions of rollouts that are under way."""
    active = incident_record.find_active_incidents(context, service.id)
    records = (incident_record.INCIDENTS.decode(stored.value) for stored in active)
    return frozenset(record.rollout.revision for record in records if record.rollout is not None)
