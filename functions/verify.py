"""`verify`: a tick comes in, whatever it carries; every incident that is not at rest goes one step further."""

from typing import TYPE_CHECKING

import functions_framework

from functions.http.delivery import Delivery
from functions.http.message_handler import StatusResponse, handle_message

if TYPE_CHECKING:
    from flask import Request

    from shared.workflow.context import Context, StepResult


@functions_framework.http
def verify(request: "Request") -> StatusResponse:
    """Answers one delivery of a message from the topic `tick`."""
    return handle_message("verify", request, _handle_message)


def _handle_message(context: "Context", _tick: Delivery) -> "StepResult":
    from shared.workflow.verify import verify as step  # noqa: PLC0415

    return step(context)
