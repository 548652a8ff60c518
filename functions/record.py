"""`record`: a log entry from the sink comes in; it opens an incident, belongs to one, or is refused with a reason."""

from typing import TYPE_CHECKING

import functions_framework

from functions.http.delivery import Delivery, json_object
from functions.http.message_handler import Answered, handled
from functions.http.structured_logs import MARKER
from shared.errors import Reject

if TYPE_CHECKING:
    from flask import Request

    from shared.workflow.context import Outcome, World

CANARY = "/logs/provenfix-canary"
"""How the name of the log ends into which Cloud Scheduler writes, so that somebody notices when nothing arrives."""


@functions_framework.http
def record(request: "Request") -> Answered:
    """Answers one delivery of a message from the topic `log-entries`."""
    return handled("record", request, _record)


def _record(world: "World", delivery: Delivery) -> "Outcome":
    from shared.adapters.logs.log_json import entry_from_json  # noqa: PLC0415
    from shared.workflow.context import Outcome  # noqa: PLC0415
    from shared.workflow.record import record as step  # noqa: PLC0415
    from shared.workflow.records.rejections import refused  # noqa: PLC0415

    logged = json_object(delivery.data, "not_a_log_entry")
    entry = entry_from_json(logged, 0)
    if entry.log_name.endswith(CANARY):
        return Outcome("canary")  # that it came is all that it says; a metric counts this line
    payload = logged.get("jsonPayload")
    if isinstance(payload, dict) and MARKER in payload:
        return refused(world, entry, "own_line", entry.service)  # under a name that neither sink nor settings know
    if not (entry.log_name and entry.timestamp and entry.insert_id):
        # Together they name an entry: without one of them its copies could not be told from others.
        raise Reject("incomplete_entry", "logName, timestamp and insertId are needed")
    return step(world, entry)
