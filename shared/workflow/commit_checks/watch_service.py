"""Looks at a service at each tick, and asks for what is due: checks of new revisions, a look of the radar.

Each revision with traffic is checked once. At most once an hour it asks what is merged and not deployed, and once a day
it says so in the channel. It reads the store alone: check and look are another function's (`check`).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from shared.errors import Reject
from shared.proposal.notice import RadarLine, build_radar_notice
from shared.service import RolloutMode, Service
from shared.text.timestamps import format_rfc3339
from shared.workflow import check_effects
from shared.workflow.commit_checks.propose_undeployed import (
    compute_radar_sign,
    find_provable_entry,
    open_wanted_incident,
)
from shared.workflow.context import Context
from shared.workflow.records import incident_record, radars
from shared.workflow.records.radars import Radar
from shared.workflow.records.rejections import record_rejection
from shared.workflow.records.sound_states import load_serving_state, store_first_revisions, store_revision

REVISION_CHECK = "revision"
"""The `kind` of a message that asks for the check of a revision."""


def is_checked(service: Service) -> bool:
    """Whether new revisions of a service are checked."""
    return service.check_revisions and not service.is_read_only and service.rollout_mode is RolloutMode.PLATFORM


def request_revision_check(context: Context, service: Service) -> tuple[str, ...]:
    """The revisions of a service for which a check was asked for. Raises Retry, Reject.

    What provenfix itself deploys has passed every gate, and counts as sound.
    """
    if not is_checked(service):
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


RADAR_REQUEST = "radar"
"""The `kind` of a message that asks for a look."""
RADAR_INTERVAL = timedelta(hours=1)


def has_radar(service: Service) -> bool:
    """Whether undeployed fixes of a service are looked for."""
    return service.radar and not service.is_read_only and service.rollout_mode is RolloutMode.PLATFORM


def watch_radar(context: Context, service: Service) -> None:
    """One tick. Raises Retry."""
    if not has_radar(service):
        return
    now, known = context.clock.now(), radars.load_radar(context, service)
    if known.requested_at is None or now >= known.requested_at + context.limit_wait(RADAR_INTERVAL):
        _request_look(context, service, known, now)
    if known.wanted_by:
        open_wanted_incident(context, service, known)
    elif known.entries and not known.reason and known.told_on != now.date().isoformat():
        _post_notice(context, service, known, now)


def build_radar_message(service: Service) -> Mapping[str, str]:
    """As it travels to the function that checks."""
    return {"kind": RADAR_REQUEST, "service": service.id}


def _request_look(context: Context, service: Service, known: Radar, now: datetime) -> None:
    since = format_rfc3339(known.requested_at) if known.requested_at is not None else "first"
    check_effects.publish_check_requested(
        context, build_radar_message(service), f"{RADAR_REQUEST}.{service.id}.{since}"
    )
    radars.store_request(context, service, now)  # last: a tick that ends before this asks again, by the same key


def _post_notice(context: Context, service: Service, radar: Radar, now: datetime) -> None:
    """Not while an incident of the service is under way: its question says more. Nor of what serves no longer."""
    if not service.channel or any(incident_record.find_active_incidents(context, service.id)):
        return
    if context.revisions.get_service_state(service).revision.name != radar.revision:
        return  # the next look is about what serves by now
    provable = find_provable_entry(radar)
    entries = [*([provable] if provable else []), *(entry for entry in radar.entries if entry is not provable)]
    sign = compute_radar_sign(radar) if provable else ""
    notice = build_radar_notice(service, RadarLine(entries, radar.commits_ahead, radar.further, sign), now)
    try:
        check_effects.post_radar_notice(context, service, notice)
    except Reject as refused:
        record_rejection(context, notice.proposal, refused.reason, refused.detail)
    radars.store_told(context, service, now.date().isoformat())
