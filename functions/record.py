"""`record`: a log entry from the sink comes in; it opens an incident, belongs to one, or is refused with a reason."""

from typing import TYPE_CHECKING

import functions_framework

from functions.http.delivery import Delivery, parse_json_object
from functions.http.message_handler import StatusResponse, handle_message
from functions.http.structured_logs import MARKER
from shared.errors import Reject

if TYPE_CHECKING:
    from flask import Request

    from shared.workflow.context import Context, StepResult

CANARY_LOG_SUFFIX = "/logs/provenfix-canary"
"""How the name of the log ends into which Cloud Scheduler writes, so that somebody notices when nothing arrives."""


@functions_framework.http
def record(request: "Request") -> StatusResponse:
    """Answers one delivery of a message from the topic `log-entries`."""
    return handle_message("record", request, _handle_message)


def _handle_message(context: "Context", delivery: Delivery) -> "StepResult":
    from shared.adapters.logs.log_json import parse_json_entry  # noqa: PLC0415
    from shared.workflow.context import StepResult  # noqa: PLC0415
    from shared.workflow.record import record_log_entry as step  # noqa: PLC0415
    from shared.workflow.records.rejections import reject_entry  # noqa: PLC0415

    logged = parse_json_object(delivery.data, "not_a_log_entry")
    entry = parse_json_entry(logged, 0)
    if entry.log_name.endswith(CANARY_LOG_SUFFIX):
        return StepResult("canary")  # that it came is all that it says; a metric counts this line
    payload = logged.get("jsonPayload")
    if isinstance(payload, dict) and MARKER in payload:
        return reject_entry(
            context, entry, "own_line", entry.service
        )  # under a name that neither sink nor settings know
    if not (entry.log_name and entry.timestamp and entry.insert_id):
        # Together they name an entry: without one of them its copies could not be told from others.
        raise Reject("incomplete_entry", "logName, timestamp and insertId are needed")
    return step(context, entry)
