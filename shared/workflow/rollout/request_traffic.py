"""Asks `redeploy` for a share of the traffic, and reads what came of it: a look itself may change nothing."""

from shared.workflow import requests
from shared.workflow.context import Context
from shared.workflow.rollout import rollout_effects
from shared.workflow.rollout.rollout_effects import TrafficOrder


def request_traffic(context: Context, order: TrafficOrder) -> str | None:
    """ "" where the revision has got the share, why it was refused, or None while it was asked for and is not done."""
    result = rollout_effects.read_shift(context, order)
    if result is None:
        requests.ask_for_share(context, order.proposal, order.revision, order.percent)
    return result
