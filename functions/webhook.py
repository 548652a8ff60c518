"""`github`: a webhook of the code host comes in; what a person wants of an incident is done, or refused with a reason.

204 where it was heeded or means nothing here; 401 where the request is not GitHub's, 403 where the person may not
400 where it makes no sense, 405 and 413 likewise, 5xx where it could not be stored

This file is not called like the function: deployed, it would stand in the way of the library of that name.
"""

from typing import TYPE_CHECKING

import functions_framework

from functions.http.delivery import read_body
from functions.http.message_handler import store_rejection
from functions.http.runtime import get_runtime
from functions.http.structured_logs import RequestLog, Severity, read_trace
from shared.errors import Reject, Retry

if TYPE_CHECKING:
    from flask import Request

    from functions.http.runtime import Runtime
    from shared.ports import Collaborators
    from shared.secret import Secret

MAX_BODY_BYTES = 25 << 20
"""GitHub sends no more."""
WebhookResponse = tuple[str, int]


@functions_framework.http
def github(request: "Request") -> WebhookResponse:
    """Answers one request. What a stranger gets to know is the status alone."""
    log = RequestLog("github", "", read_trace(request.headers))
    try:
        here = get_runtime()
        log = RequestLog("github", here.settings.project, log.trace)
        with here.span("github", log.trace):
            return _verify_and_answer(request, here, log)
    except Retry as retry:
        log.write_retry(retry)
        return "", 503
    except Exception as error:  # noqa: BLE001  # whatever it is, GitHub gets an answer and no text of it
        log.write_crash(error)
        return "", 500


def _verify_and_answer(request: "Request", runtime: "Runtime", log: RequestLog) -> WebhookResponse:
    from shared.adapters.github.webhook import parse_command, verify_signature  # noqa: PLC0415

    if request.method != "POST":
        return "", 405
    try:
        body = read_body(request, MAX_BODY_BYTES)
    except Reject as rejected:
        log.write(Severity.WARNING, f"unverified:{rejected.reason}")
        return "", 413
    doubted = verify_signature(request.headers, body, _webhook_secret(runtime))
    if doubted is not None:
        log.write(Severity.WARNING, f"unverified:{doubted.value}")
        return "", 401
    try:
        wished = parse_command(request.headers, body)
        if wished is None:
            log.write(Severity.INFO, "means_nothing")
            return "", 204
        from shared.workflow.issue.issue_commands import handle_issue_command  # noqa: PLC0415

        outcome = handle_issue_command(runtime.context, _create_people(runtime), wished)
    except Reject as rejected:
        store_rejection(runtime, "github", rejected, log)
        return "", 403 if rejected.reason in {"not_a_collaborator", "foreign_repository", "foreign_issue"} else 400
    log.write(
        Severity.INFO, outcome.name, incident=outcome.incident, detail=f"{wished.command.value} by {wished.actor}"
    )
    return "", 204


def _webhook_secret(runtime: "Runtime") -> "Secret":
    from shared.wiring import build_secret_reader  # noqa: PLC0415

    return build_secret_reader(
        runtime.settings, runtime.settings.secrets.github_webhook_secret, "github.webhook_secret"
    )()


def _create_people(runtime: "Runtime") -> "Collaborators":
    from shared.lazy import Lazy  # noqa: PLC0415
    from shared.wiring import create_people  # noqa: PLC0415

    found: Collaborators = Lazy(lambda: create_people(runtime.settings))
    return found
