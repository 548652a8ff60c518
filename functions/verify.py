"""`verify`: takes a tick, whatever it carries, and brings every incident that is not at rest one step further."""

from typing import TYPE_CHECKING

import functions_framework

from functions.http.delivery import Delivery
from functions.http.message_handler import StatusResponse, handle_message
from shared.workflow import verify as verify_step

if TYPE_CHECKING:
    from flask import Request

    from shared.workflow.context import Context, StepResult


@functions_framework.http
def verify(request: "Request") -> StatusResponse:
    """Answers one delivery of a message from the topic `tick`."""
    return handle_message("verify", request, _handle_message)


def _handle_message(context: "Context", _tick: Delivery) -> "StepResult":
    return verify_step.verify(context)
