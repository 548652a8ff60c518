"""Gives a revision the share of the traffic that a look has asked for: the one step that moves traffic.

Looking and acting are apart. `verify` looks, decides, stores what it has decided, and asks; `redeploy`, which alone may
change a service, reads the stored incident and does what that wants. A message by itself moves nothing.
"""

from dataclasses import replace

from shared.errors import Reject, Retry
from shared.proposal.rollout import find_next_traffic_step
from shared.proposal.states import ProposalStatus
from shared.service import Service
from shared.workflow import requests
from shared.workflow.context import Context, StepResult
from shared.workflow.flow import IncidentState
from shared.workflow.investigate_incident import require_service
from shared.workflow.records import incident_record, proposals
from shared.workflow.records.incident_record import IncidentRecord, Rollout
from shared.workflow.rollout import rollout_effects
from shared.workflow.rollout.finish import REVERTED_STATES, refresh_message
from shared.workflow.rollout.rollout_effects import TrafficOrder

_ROLLING_STATES = frozenset((IncidentState.DEPLOYING, IncidentState.TRYING))
_RETURNING_ENDS = REVERTED_STATES | {IncidentState.TRIED}


def give_traffic(context: Context, order: TrafficOrder) -> StepResult:
    """`shifted`, or `refused:changed_by_hand`. Raises Reject where the incident does not want it, Retry."""
    proposal = proposals.require_proposal(context, order.proposal)
    record = incident_record.require_incident(context, proposal.incident)
    service = require_service(context, record)
    _require_wanted(context, service, record, order)
    if record.ending is not None:
        _require_no_share_under_way(context, service, record)

    def require_wanted() -> None:
        _require_wanted(context, service, incident_record.require_incident(context, record.id), order)

    refused = rollout_effects.shift_traffic(context, service, order, require_wanted)
    if record.ending is None and order.percent and not refused and record.rollout is not None:
        record = store_share(context, service, record, record.rollout.share, order.percent)
    if refused or record.ending is not None or record.state is IncidentState.WATCHING:
        requests.ask_for_look(context, record.id)  # people wait for the end, or for the watch, to be shown
    return StepResult("refused:changed_by_hand" if refused else "shifted", record.id, refused)


def _require_wanted(context: Context, service: Service, record: IncidentRecord, order: TrafficOrder) -> None:
    """Called last inside the claim, too: no late attempt gives a share to what was ended meanwhile."""
    rollout = record.rollout
    if rollout is None or not record.active or record.proposal != order.proposal:
        raise Reject("not_wanted", f"{order.proposal} rolls nothing out")
    if not _is_wanted(context, service, record, rollout, order):
        raise Reject("not_wanted", f"{order.revision}, {order.percent} %")


def _is_wanted(
    context: Context, service: Service, record: IncidentRecord, rollout: Rollout, order: TrafficOrder
) -> bool:
    if record.ending is not None:
        return record.ending in _RETURNING_ENDS and (order.revision, order.percent) == (rollout.previous, 100)
    if record.state not in _ROLLING_STATES or context.is_kill_switch_on(service.id):
        return False
    if not order.percent:
        return order.revision == context.deployer.state(service, rollout.operation).revision
    step = find_next_traffic_step(service.traffic_steps, rollout.share)
    return record.state is IncidentState.DEPLOYING and (order.revision, order.percent) == (rollout.revision, step)


def _require_no_share_under_way(context: Context, service: Service, record: IncidentRecord) -> None:
    """A share that another process gives at this moment would come after the return. Raises Retry.

    One that is claimed only from now on finds the end, which is stored.
    """
    revision = record.rollout.revision if record.rollout is not None else ""
    for step in service.traffic_steps:
        if rollout_effects.is_shift_under_way(context, TrafficOrder(record.proposal, revision, step)):
            raise Retry(f"{revision} gets {step} % at this moment", reason="claimed")


def store_share(
    context: Context, service: Service, record: IncidentRecord, before: int, step: int | None
) -> IncidentRecord:
    """Writes the new share down; with all of the traffic, the watch begins."""
    last = find_next_traffic_step(service.traffic_steps, step if step is not None else before) is None

    def further(now: IncidentRecord) -> IncidentRecord:
        if now.rollout is None or now.state is not IncidentState.DEPLOYING or now.rollout.share != before:
            return now
        moment = context.clock.now()
        since = moment if last else None
        share = step if step is not None else before
        now = replace(now, rollout=replace(now.rollout, share=share, since=since, passed_probes=0))
        return (
            now.moved_to(IncidentState.WATCHING, moment, f"{now.rollout.revision} serves")
            if last and now.rollout
            else now
        )

    record = incident_record.update_incident(context, record.id, further)
    if record.state is IncidentState.WATCHING:
        refresh_message(context, service, record, ProposalStatus.WATCHING, "Deployed. It is watched now.")
    return record
