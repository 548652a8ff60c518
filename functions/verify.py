"""`verify`: takes an incident one step further, or looks for a service's new revisions and undeployed fixes."""

from datetime import timedelta
from typing import TYPE_CHECKING

import functions_framework

from functions.http.delivery import Delivery, parse_json_object, read_text_field, reject_old
from functions.http.message_handler import StatusResponse, handle_message
from shared.workflow import verify as verify_step

if TYPE_CHECKING:
    from flask import Request

    from shared.workflow.context import Context, StepResult

LOOK_DEADLINE = timedelta(minutes=4)
"""A look that nobody was free for until then is dropped: three ticks have asked for the same since."""


@functions_framework.http
def verify(request: "Request") -> StatusResponse:
    """Answers one delivery of a message from the topic `incident-due`."""
    return handle_message("verify", request, _handle_message)


def _handle_message(context: "Context", delivery: Delivery) -> "StepResult":
    reject_old(delivery, context.clock.now(), LOOK_DEADLINE)
    if "service" in parse_json_object(delivery.data, "not_a_message_of_ours"):
        return verify_step.watch_service(context, read_text_field(delivery, "service"))
    return verify_step.verify(context, read_text_field(delivery, "incident"))
