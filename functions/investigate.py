"""`investigate`: takes an opened incident, and publishes evidence, whys, an issue and a question."""

from typing import TYPE_CHECKING

import functions_framework

from functions.http.delivery import Delivery, read_text_field
from functions.http.message_handler import StatusResponse, handle_message
from shared.workflow import investigate_incident

if TYPE_CHECKING:
    from flask import Request

    from shared.workflow.context import Context, StepResult


@functions_framework.http
def investigate(request: "Request") -> StatusResponse:
    """Answers one delivery of a message from the topic `incident-opened`."""
    return handle_message("investigate", request, _handle_message)


def _handle_message(context: "Context", delivery: Delivery) -> "StepResult":
    return investigate_incident.investigate_incident(context, read_text_field(delivery, "incident"))
