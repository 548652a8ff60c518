"""`investigate`: an opened incident comes in; evidence, whys, an issue and a question go out."""

from typing import TYPE_CHECKING

import functions_framework

from functions.http.delivery import Delivery, one_text
from functions.http.message_handler import Answered, handled

if TYPE_CHECKING:
    from flask import Request

    from shared.workflow.context import Outcome, World


@functions_framework.http
def investigate(request: "Request") -> Answered:
    """Answers one delivery of a message from the topic `incident-opened`."""
    return handled("investigate", request, _investigate)


def _investigate(world: "World", delivery: Delivery) -> "Outcome":
    from shared.workflow.investigate_incident import investigate_incident  # noqa: PLC0415

    return investigate_incident(world, one_text(delivery, "incident"))
