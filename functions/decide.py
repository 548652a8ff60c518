"""`decide`: takes Slack's interactivity request, stores the decision, hands it on, and answers the user who clicked.

200 with the words for the user; 200 without any for a click that decides nothing
401 if the request is not Slack's or is malformed, 405 and 413 before it is read, 5xx if nothing was stored
"""

import json
from typing import TYPE_CHECKING

import functions_framework

from functions.http.delivery import read_body
from functions.http.message_handler import store_rejection
from functions.http.runtime import get_runtime
from functions.http.structured_logs import RequestLog, Severity, read_trace
from shared import ports
from shared.adapters.slack import interaction, signature, web_api
from shared.errors import Reject, Retry
from shared.workflow import decide as decide_step

if TYPE_CHECKING:
    from flask import Request

    from functions.http.runtime import Runtime
    from shared.proposal.decision import Click, ClickAnswer

MAX_BODY_BYTES = 1 << 20
SlackResponse = tuple[str, int, dict[str, str]]
_PLAIN = {"Content-Type": "text/plain; charset=utf-8"}
JSON_HEADERS = {"Content-Type": "application/json"}


@functions_framework.http
def decide(request: "Request") -> SlackResponse:
    """Answers one request. An unverified sender learns the status and nothing else."""
    log = RequestLog("decide", "", read_trace(request.headers))
    try:
        runtime = get_runtime()
        log = RequestLog("decide", runtime.settings.project, log.trace)
        with runtime.span("decide", log.trace):
            return _verify_and_answer(request, runtime, log)
    except Retry as retry:
        log.write_retry(retry)
        return "The decision could not be stored. Click again.", 503, _PLAIN
    except Exception as error:  # noqa: BLE001  # Slack gets an answer, and no text of the error
        log.write_crash(error)
        return "", 500, _PLAIN


def _verify_and_answer(request: "Request", runtime: "Runtime", log: RequestLog) -> SlackResponse:
    if request.method != "POST":
        return "", 405, _PLAIN
    try:
        body = read_body(request, MAX_BODY_BYTES)
    except Reject as rejected:
        log.write(Severity.WARNING, f"unverified:{rejected.reason}")
        return "", 413, _PLAIN
    now = runtime.context.clock.now().timestamp()
    error = signature.verify_signature(request.headers, body, runtime.signing_secret(), now)
    if error is not None:
        log.write(Severity.WARNING, f"unverified:{error.value}")
        return "", 401, _PLAIN
    return answer_interaction(body, runtime, log)


def answer_interaction(body: bytes, runtime: "Runtime", log: RequestLog) -> SlackResponse:
    """Answers an interaction that is Slack's: a form, as a request carries it. Raises Retry."""
    try:
        return _handle_click(body, runtime, log)
    except Reject as rejected:
        store_rejection(runtime, "decide", rejected, log)
        return "", 401, _PLAIN


def _handle_click(body: bytes, runtime: "Runtime", log: RequestLog) -> SlackResponse:
    click = interaction.parse_click(body)
    if click is None:
        log.write(Severity.INFO, "no_decision")
        return "", 200, _PLAIN
    if interaction.needs_reason_dialog(click, body) and _open_reason_dialog(runtime, click, log):
        return "", 200, _PLAIN
    answer = decide_step.handle_click(runtime.context, click)
    log.write(Severity.INFO, answer.result.value, incident=click.incident, detail=f"{click.kind.value} by {click.user}")
    return _answer_user(answer, body, log)


def _open_reason_dialog(runtime: "Runtime", click: "Click", log: RequestLog) -> bool:
    """Returns whether the dialog is open: its answer is then the denial. If it cannot be opened, the click counts."""
    chat = runtime.context.chat
    if not isinstance(chat, ports.ReasonDialog):
        return False
    try:
        chat.open_reason_dialog(click)
    except (Retry, Reject) as failed:
        log.write(Severity.WARNING, "no_dialog", incident=click.incident, detail=str(failed))
        return False
    log.write(Severity.INFO, "reason_asked", incident=click.incident, detail=f"{click.kind.value} by {click.user}")
    return True


def _answer_user(answer: "ClickAnswer", body: bytes, log: RequestLog) -> SlackResponse:
    """Answers the user who clicked, and nobody else; the steps change the message itself."""
    if interaction.is_dialog_answer(body):
        if answer.is_accepted:
            return "", 200, _PLAIN
        return json.dumps(interaction.build_dialog_error(answer.text)), 200, JSON_HEADERS
    url = interaction.read_response_url(body)
    if url and not (answer.is_accepted and answer.is_final):
        _send_ephemeral(url, answer.text, log)
    return json.dumps({"response_type": "ephemeral", "replace_original": False, "text": answer.text}), 200, JSON_HEADERS


def _send_ephemeral(response_url: str, text: str, log: RequestLog) -> None:
    """Slack shows no answer to a button: what the message does not say goes to the address in the request."""
    try:
        web_api.send_ephemeral(response_url, text)
    except (Retry, Reject) as failed:
        log.write(Severity.WARNING, "not_told", detail=str(failed))
