"""`schedule`: takes a tick, whatever it carries, and asks `verify` for a look at each incident that is not at rest."""

from typing import TYPE_CHECKING

import functions_framework

from functions.http.delivery import Delivery
from functions.http.message_handler import StatusResponse, handle_message
from shared.workflow import schedule as schedule_step

if TYPE_CHECKING:
    from flask import Request

    from shared.workflow.context import Context, StepResult


@functions_framework.http
def schedule(request: "Request") -> StatusResponse:
    """Answers one delivery of a message from the topic `tick`."""
    return handle_message("schedule", request, _handle_message)


def _handle_message(context: "Context", _tick: Delivery) -> "StepResult":
    return schedule_step.schedule_looks(context)
