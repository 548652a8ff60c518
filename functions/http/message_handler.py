"""One delivery, handled: the request is read, one step runs, and the answer says whether to deliver again.

done                          204, a line in the log
Reject                        204, and the reason is stored: it would never work
Retry, or what nobody foresaw 5xx: Pub/Sub delivers again, and after its last attempt to the dead letters
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from functions.http.context import process
from functions.http.delivery import Delivery, read_delivery, refuse_old
from functions.http.structured_logs import Log, Severity, trace_of
from shared.errors import Reject, Retry

if TYPE_CHECKING:
    from flask import Request

    from functions.http.context import Process
    from shared.workflow.context import Outcome, World

Answered = tuple[str, int]


def handled(function: str, request: "Request", step: "Callable[[World, Delivery], Outcome]") -> Answered:
    """Answers one request. No text of an error reaches the caller."""
    log = Log(function, "", trace_of(request.headers))
    try:
        here = process()
        log = Log(function, here.settings.project, log.trace)
        with here.span(function, log.trace):
            return _deliver(function, request, step, here, log)
    except Retry as retry:
        log.retry(retry)
        return "", 503
    except Exception as error:  # noqa: BLE001  # the unknown is delivered again, then dead-lettered
        log.crash(error)
        return "", 500


def _deliver(
    function: str, request: "Request", step: "Callable[[World, Delivery], Outcome]", here: "Process", log: Log
) -> Answered:
    if request.method != "POST":
        return "", 405
    try:
        delivery = read_delivery(request)
        refuse_old(delivery, here.world.clock.now(), here.settings.oldest)
        outcome = step(here.world, delivery)
    except Reject as rejected:
        rejection(here, function, rejected, log)
    else:
        measured = {} if outcome.seconds is None else {"seconds": round(outcome.seconds, 1)}
        log.write(Severity.INFO, outcome.name, incident=outcome.incident, detail=outcome.detail, **measured)
    return "", 204


def rejection(here: "Process", function: str, rejected: Reject, log: Log) -> None:
    """Stores why something will never work. Raises Retry where that cannot be stored."""
    from shared.workflow.records.rejections import reject  # noqa: PLC0415  # only where it is needed

    reject(here.world, function, rejected.reason, rejected.detail)
    log.write(Severity.NOTICE, f"rejected:{rejected.reason}", detail=rejected.detail)
