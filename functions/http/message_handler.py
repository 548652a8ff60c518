"""Handles one delivery: reads the request, runs one step, and answers whether to deliver the message again.

done                          204, and a line in the log
Reject                        204, and the reason is stored: it would never work
Retry, or any other error     5xx: Pub/Sub delivers again, and after its last attempt to the dead letters
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from functions.http.delivery import Delivery, read_delivery, reject_old
from functions.http.runtime import get_runtime
from functions.http.structured_logs import RequestLog, Severity, read_trace
from shared.errors import Reject, Retry
from shared.workflow.records import rejections

if TYPE_CHECKING:
    from flask import Request

    from functions.http.runtime import Runtime
    from shared.workflow.context import Context, StepResult

StatusResponse = tuple[str, int]


def handle_message(
    function: str, request: "Request", step: "Callable[[Context, Delivery], StepResult]"
) -> StatusResponse:
    """Answers one request. No text of an error reaches the caller."""
    log = RequestLog(function, "", read_trace(request.headers))
    try:
        runtime = get_runtime()
        log = RequestLog(function, runtime.settings.project, log.trace)
        with runtime.span(function, log.trace):
            return _run_step(function, request, step, runtime, log)
    except Retry as retry:
        log.write_retry(retry)
        return "", 503
    except Exception as error:  # noqa: BLE001  # the unknown is delivered again, then dead-lettered
        log.write_crash(error)
        return "", 500


def _run_step(
    function: str,
    request: "Request",
    step: "Callable[[Context, Delivery], StepResult]",
    runtime: "Runtime",
    log: RequestLog,
) -> StatusResponse:
    if request.method != "POST":
        return "", 405
    try:
        delivery = read_delivery(request)
        reject_old(delivery, runtime.context.clock.now(), runtime.settings.max_message_age)
        result = step(runtime.context, delivery)
    except Reject as rejected:
        store_rejection(runtime, function, rejected, log)
    else:
        measured = dict(result.counts) | ({} if result.seconds is None else {"seconds": round(result.seconds, 1)})
        log.write(Severity.INFO, result.name, incident=result.incident, detail=result.detail, **measured)
    return "", 204


def store_rejection(runtime: "Runtime", function: str, error: Reject, log: RequestLog) -> None:
    """Stores why something will never work. Raises Retry where that cannot be stored."""
    rejections.record_rejection(runtime.context, function, error.reason, error.detail)
    log.write(Severity.NOTICE, f"rejected:{error.reason}", detail=error.detail)
