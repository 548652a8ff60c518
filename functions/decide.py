"""`decide`: Slack's interactivity request comes in; the decision is stored and handed on, and the person is answered.

200 with the words for the person; 200 without any for a click that decides nothing
401 where the request is not Slack's or makes no sense, 405 and 413 before it is read, 5xx where nothing was stored
"""

import json
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
    from shared.proposal.decision import Click, ClickAnswer

MAX_BODY_BYTES = 1 << 20
SlackResponse = tuple[str, int, dict[str, str]]
_PLAIN = {"Content-Type": "text/plain; charset=utf-8"}
_JSON = {"Content-Type": "application/json"}


@functions_framework.http
def decide(request: "Request") -> SlackResponse:
    """Answers one request. What a stranger gets to know is the status alone."""
    log = RequestLog("decide", "", read_trace(request.headers))
    try:
        here = get_runtime()
        log = RequestLog("decide", here.settings.project, log.trace)
        with here.span("decide", log.trace):
            return _verify_and_answer(request, here, log)
    except Retry as retry:
        log.write_retry(retry)
        return "The decision could not be stored. Click again.", 503, _PLAIN
    except Exception as error:  # noqa: BLE001  # whatever it is, Slack gets an answer and no text of it
        log.write_crash(error)
        return "", 500, _PLAIN


def _verify_and_answer(request: "Request", runtime: "Runtime", log: RequestLog) -> SlackResponse:
    from shared.adapters.slack.signature import verify_signature  # noqa: PLC0415

    if request.method != "POST":
        return "", 405, _PLAIN
    try:
        body = read_body(request, MAX_BODY_BYTES)
    except Reject as rejected:
        log.write(Severity.WARNING, f"unverified:{rejected.reason}")
        return "", 413, _PLAIN
    doubted = verify_signature(request.headers, body, runtime.signing_secret(), runtime.context.clock.now().timestamp())
    if doubted is not None:
        log.write(Severity.WARNING, f"unverified:{doubted.value}")
        return "", 401, _PLAIN
    try:
        return _handle_click(body, runtime, log)
    except Reject as rejected:
        store_rejection(runtime, "decide", rejected, log)
        return "", 401, _PLAIN


def _handle_click(body: bytes, runtime: "Runtime", log: RequestLog) -> SlackResponse:
    from shared.adapters.slack.interaction import needs_reason_dialog, parse_click  # noqa: PLC0415
    from shared.workflow.decide import handle_click as step  # noqa: PLC0415

    click = parse_click(body)
    if click is None:
        log.write(Severity.INFO, "no_decision")
        return "", 200, _PLAIN
    if needs_reason_dialog(click, body) and _open_reason_dialog(runtime, click, log):
        return "", 200, _PLAIN
    answer = step(runtime.context, click)
    log.write(Severity.INFO, answer.result.value, incident=click.incident, detail=f"{click.kind.value} by {click.user}")
    return _answer_user(answer, body, log)


def _open_reason_dialog(runtime: "Runtime", click: "Click", log: RequestLog) -> bool:
    """Whether the dialog is open; the denial is what comes back from it. Where it cannot be opened, it counts now."""
    from shared.ports import ReasonDialog  # noqa: PLC0415

    chat = runtime.context.chat
    if not isinstance(chat, ReasonDialog):
        return False
    try:
        chat.open_reason_dialog(click)
    except (Retry, Reject) as failed:
        log.write(Severity.WARNING, "no_dialog", incident=click.incident, detail=str(failed))
        return False
    log.write(Severity.INFO, "reason_asked", incident=click.incident, detail=f"{click.kind.value} by {click.user}")
    return True


def _answer_user(answer: "ClickAnswer", body: bytes, log: RequestLog) -> SlackResponse:
    """What the person who clicked alone is told; the message itself is changed by the steps."""
    from shared.adapters.slack.interaction import (  # noqa: PLC0415
        dialog_error,
        is_dialog_answer,
        response_url,
    )

    if is_dialog_answer(body):
        return ("", 200, _PLAIN) if answer.is_accepted else (json.dumps(dialog_error(answer.text)), 200, _JSON)
    if not (answer.is_accepted and answer.is_final) and response_url(body):
        _send_ephemeral(response_url(body), answer.text, log)
    return json.dumps({"response_type": "ephemeral", "replace_original": False, "text": answer.text}), 200, _JSON


def _send_ephemeral(response_url: str, text: str, log: RequestLog) -> None:
    """Slack shows no answer to a button: what the message will not say goes to the address in the request."""
    from shared.adapters.slack.web_api import send_ephemeral  # noqa: PLC0415

    try:
        send_ephemeral(response_url, text)
    except (Retry, Reject) as failed:
        log.write(Severity.WARNING, "not_told", detail=str(failed))
