"""`redeploy`: takes an approved proposal, checks everything again, and starts its deployment; or gives it traffic."""

from typing import TYPE_CHECKING

import functions_framework

from functions.http.delivery import Delivery, read_share, read_text_field
from functions.http.message_handler import StatusResponse, handle_message
from shared.workflow import redeploy as redeploy_step
from shared.workflow.rollout import give_traffic as traffic_step
from shared.workflow.rollout import rollout_effects

if TYPE_CHECKING:
    from flask import Request

    from shared.workflow.context import Context, StepResult


@functions_framework.http
def redeploy(request: "Request") -> StatusResponse:
    """Answers one delivery of a message from the topic `redeploy-approved`."""
    return handle_message("redeploy", request, _handle_message)


def _handle_message(context: "Context", delivery: Delivery) -> "StepResult":
    proposal = read_text_field(delivery, "proposal")
    share = read_share(delivery)
    if share is None:
        return redeploy_step.redeploy(context, proposal)
    return traffic_step.give_traffic(context, rollout_effects.TrafficOrder(proposal, *share))
