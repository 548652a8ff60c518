"""`redeploy`: an approved proposal comes in; after everything was checked once more, its deployment begins."""

from typing import TYPE_CHECKING

import functions_framework

from functions.http.delivery import Delivery, one_text
from functions.http.message_handler import Answered, handled

if TYPE_CHECKING:
    from flask import Request

    from shared.workflow.context import Outcome, World


@functions_framework.http
def redeploy(request: "Request") -> Answered:
    """Answers one delivery of a message from the topic `redeploy-approved`."""
    return handled("redeploy", request, _redeploy)


def _redeploy(world: "World", delivery: Delivery) -> "Outcome":
    from shared.workflow.redeploy import redeploy as step  # noqa: PLC0415

    return step(world, one_text(delivery, "proposal"))
