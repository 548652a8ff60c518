"""`verify`: a tick comes in, whatever it carries; every incident that is not at rest goes one step further."""

from typing import TYPE_CHECKING

import functions_framework

from functions.http.delivery import Delivery
from functions.http.message_handler import Answered, handled

if TYPE_CHECKING:
    from flask import Request

    from shared.workflow.context import Outcome, World


@functions_framework.http
def verify(request: "Request") -> Answered:
    """Answers one delivery of a message from the topic `tick`."""
    return handled("verify", request, _verify)


def _verify(world: "World", _tick: Delivery) -> "Outcome":
    from shared.workflow.verify import verify as step  # noqa: PLC0415

    return step(world)
