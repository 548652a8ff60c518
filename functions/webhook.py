"""`github`: takes a webhook of the code host, and asks for what a user's command says, or for a check.

204 if that was done or the event holds nothing to do; 401 if the request is not GitHub's, 403 if it is about an issue
of elsewhere; 400 if the event is malformed, 405 and 413 likewise, 5xx if nothing could be stored

The file does not have the function's name: deployed, it would hide the library `github`.
"""

from typing import TYPE_CHECKING

import functions_framework

from functions.http.delivery import read_body
from functions.http.message_handler import store_rejection
from functions.http.runtime import get_runtime
from functions.http.structured_logs import RequestLog, Severity, read_trace
from shared import credentials
from shared.adapters.github import webhook
from shared.errors import Reject, Retry
from shared.workflow.commit_checks import request_checks
from shared.workflow.issue import issue_commands

if TYPE_CHECKING:
    from flask import Request

    from functions.http.runtime import Runtime
    from shared.secret import Secret

MAX_BODY_BYTES = 25 << 20
"""GitHub sends no more."""
WebhookResponse = tuple[str, int]


@functions_framework.http
def github(request: "Request") -> WebhookResponse:
    """Answers one request. An unverified sender learns the status and nothing else."""
    log = RequestLog("github", "", read_trace(request.headers))
    try:
        runtime = get_runtime()
        log = RequestLog("github", runtime.settings.project, log.trace)
        with runtime.span("github", log.trace):
            return _verify_and_answer(request, runtime, log)
    except Retry as retry:
        log.write_retry(retry)
        return "", 503
    except Exception as error:  # noqa: BLE001  # GitHub gets an answer, and no text of the error
        log.write_crash(error)
        return "", 500


def _verify_and_answer(request: "Request", runtime: "Runtime", log: RequestLog) -> WebhookResponse:
    if request.method != "POST":
        return "", 405
    try:
        body = read_body(request, MAX_BODY_BYTES)
    except Reject as rejected:
        log.write(Severity.WARNING, f"unverified:{rejected.reason}")
        return "", 413
    error = webhook.verify_signature(request.headers, body, _read_webhook_secret(runtime))
    if error is not None:
        log.write(Severity.WARNING, f"unverified:{error.value}")
        return "", 401
    is_push = request.headers.get(webhook.EVENT_HEADER, "") in webhook.PUSH_EVENTS
    try:
        if is_push:
            _request_checks(request, body, runtime, log)
        else:
            _follow_command(request, body, runtime, log)
    except Reject as rejected:
        store_rejection(runtime, "github", rejected, log)
        return "", 403 if rejected.reason in {"foreign_repository", "foreign_issue"} else 400
    return "", 204


def _follow_command(request: "Request", body: bytes, runtime: "Runtime", log: RequestLog) -> None:
    """What is reached from outside holds no credential for the code host: `investigate` handles the command."""
    event = webhook.parse_command(request.headers, body)
    if event is None:
        log.write(Severity.INFO, "means_nothing")
        return
    result = issue_commands.request_issue_command(runtime.context, event)
    detail = f"{event.command.value} by {event.actor}"
    log.write(Severity.INFO, result.name, incident=result.incident, detail=detail)


def _request_checks(request: "Request", body: bytes, runtime: "Runtime", log: RequestLog) -> None:
    """A check takes longer than GitHub waits: it is asked for, and nothing more."""
    push = webhook.parse_push(request.headers, body)
    if push is None:
        log.write(Severity.INFO, "means_nothing")
        return
    result = request_checks.request_checks(runtime.context, push)
    log.write(Severity.INFO, result.name, detail=f"{push.kind.value} {push.commit} {result.detail}")


def _read_webhook_secret(runtime: "Runtime") -> "Secret":
    reference = runtime.settings.secrets.github_webhook_secret
    return credentials.build_secret_reader(runtime.settings, reference, "github.webhook_secret")()
