"""`investigate`: takes an opened incident, and publishes evidence, whys, an issue and a question.

It also takes what functions without credentials have handed over: a log entry of which only the platform and the code
host can tell whether the failure has recurred, and a user's command at an issue.
"""

from typing import TYPE_CHECKING

import functions_framework

from functions.http import handed_over
from functions.http.delivery import Delivery, read_text_field
from functions.http.message_handler import StatusResponse, handle_message
from functions.http.runtime import get_runtime
from shared import credentials
from shared.workflow import investigate_incident
from shared.workflow import record as record_step
from shared.workflow.issue import issue_commands

if TYPE_CHECKING:
    from flask import Request

    from shared.workflow.context import Context, StepResult


@functions_framework.http
def investigate(request: "Request") -> StatusResponse:
    """Answers one delivery of a message from the topic `incident-opened`."""
    return handle_message("investigate", request, _handle_message)


def _handle_message(context: "Context", delivery: Delivery) -> "StepResult":
    command = handed_over.read_command(delivery)
    if command is not None:
        collaborators = credentials.ConfiguredCollaborators(get_runtime().settings)
        return issue_commands.handle_issue_command(context, collaborators, command)
    logged = handed_over.read_entry(delivery)
    if logged is not None:
        return record_step.record_log_entry(context, *logged)
    return investigate_incident.investigate_incident(context, read_text_field(delivery, "incident"))
