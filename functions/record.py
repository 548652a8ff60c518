"""`record`: takes a log entry from the sink; it opens an incident, belongs to one, or is refused with a reason.

Every user who can make a service log something reaches this function. So it holds no secret and asks neither the
platform nor the code host: what only they know, `investigate` finds out.
"""

from functools import partial
from typing import TYPE_CHECKING

import functions_framework

from functions.http import handed_over
from functions.http.delivery import Delivery, parse_json_object
from functions.http.message_handler import StatusResponse, handle_message
from functions.http.structured_logs import MARKER
from shared.adapters.logs import log_json
from shared.workflow import context as context_module
from shared.workflow import record as record_step
from shared.workflow import requests
from shared.workflow.records import rejections

if TYPE_CHECKING:
    from flask import Request

    from shared.workflow.context import Context, StepResult

CANARY_LOG_SUFFIX = "/logs/provenfix-canary"
"""The end of the name of the log that Cloud Scheduler writes to; an alert notices when its entries do not arrive."""


@functions_framework.http
def record(request: "Request") -> StatusResponse:
    """Answers one delivery of a message from the topic `log-entries`."""
    return handle_message("record", request, _handle_message)


def _handle_message(context: "Context", delivery: Delivery) -> "StepResult":
    logged = parse_json_object(delivery.data, handed_over.NOT_AN_ENTRY)
    written = log_json.parse_json_entry(logged, 0)
    if written.log_name.endswith(CANARY_LOG_SUFFIX):
        return context_module.StepResult("canary")  # a metric counts this line: the sink delivers
    payload = logged.get("jsonPayload")
    if isinstance(payload, dict) and MARKER in payload:
        # Written under a service name that neither the sink nor the settings know.
        return rejections.reject_entry(context, written, "own_line", written.service)
    entry, region = handed_over.read_log_entry(logged)
    hand_over = partial(requests.ask_for_recurrence, context, delivery.data.decode())
    return record_step.record_log_entry(context, entry, region, hand_over)
