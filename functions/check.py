"""`check`: takes a message about a new commit or a new revision, and finds out what that newly breaks."""

from typing import TYPE_CHECKING

import functions_framework

from functions.http.delivery import Delivery, parse_json_object
from functions.http.message_handler import StatusResponse, handle_message
from shared.errors import Reject
from shared.workflow.commit_checks import check_push, check_radar, check_revision, watch_service

if TYPE_CHECKING:
    from flask import Request

    from shared.workflow.context import Context, StepResult


@functions_framework.http
def check(request: "Request") -> StatusResponse:
    """Answers one delivery of a message from the topic `check-requested`."""
    return handle_message("check", request, _handle_message)


def _handle_message(context: "Context", delivery: Delivery) -> "StepResult":
    message = parse_json_object(delivery.data, "malformed_message")
    if not all(isinstance(value, str) for value in message.values()):
        raise Reject("malformed_message", "a field is no text")
    fields = {name: str(value) for name, value in message.items()}
    if fields.get("kind") == watch_service.REVISION_CHECK:
        return check_revision.check_revision(context, fields)
    if fields.get("kind") == watch_service.RADAR_REQUEST:
        return check_radar.check_radar(context, fields)
    return check_push.check_push(context, fields)
