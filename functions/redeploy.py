"""`redeploy`: takes an approved proposal, checks everything again, and starts its deployment."""

from typing import TYPE_CHECKING

import functions_framework

from functions.http.delivery import Delivery, read_text_field
from functions.http.message_handler import StatusResponse, handle_message
from shared.workflow import redeploy as redeploy_step

if TYPE_CHECKING:
    from flask import Request

    from shared.workflow.context import Context, StepResult


@functions_framework.http
def redeploy(request: "Request") -> StatusResponse:
    """Answers one delivery of a message from the topic `redeploy-approved`."""
    return handle_message("redeploy", request, _handle_message)


def _handle_message(context: "Context", delivery: Delivery) -> "StepResult":
    return redeploy_step.redeploy(context, read_text_field(delivery, "proposal"))
