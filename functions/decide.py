"""`decide`: Slack's interactivity request comes in; the decision is stored and handed on, and the person is answered.

200 with the words for the person; 200 without any for a click that decides nothing
401 where the request is not Slack's or makes no sense, 405 and 413 before it is read, 5xx where nothing was stored
"""

import json
from typing import TYPE_CHECKING

import functions_framework

from functions.http.context import process
from functions.http.delivery import read_body
from functions.http.message_handler import rejection
from functions.http.structured_logs import Log, Severity, trace_of
from shared.errors import Reject, Retry

if TYPE_CHECKING:
    from flask import Request

    from functions.http.context import Process
    from shared.proposal.decision import ClickAnswer, Click

MOST_BYTES = 1 << 20
Answered = tuple[str, int, dict[str, str]]
_PLAIN = {"Content-Type": "text/plain; charset=utf-8"}
_JSON = {"Content-Type": "application/json"}


@functions_framework.http
def decide(request: "Request") -> Answered:
    """Answers one request. What a stranger gets to know is the status alone."""
    log = Log("decide", "", trace_of(request.headers))
    try:
        here = process()
        log = Log("decide", here.settings.project, log.trace)
        with here.span("decide", log.trace):
            return _verified(request, here, log)
    except Retry as retry:
        log.retry(retry)
        return "The decision could not be stored. Click again.", 503, _PLAIN
    except Exception as error:  # noqa: BLE001  # whatever it is, Slack gets an answer and no text of it
        log.crash(error)
        return "", 500, _PLAIN


def _verified(request: "Request", here: "Process", log: Log) -> Answered:
    from shared.adapters.slack.verify import doubt  # noqa: PLC0415

    if request.method != "POST":
        return "", 405, _PLAIN
    try:
        body = read_body(request, MOST_BYTES)
    except Reject as rejected:
        log.write(Severity.WARNING, f"unverified:{rejected.reason}")
        return "", 413, _PLAIN
    doubted = doubt(request.headers, body, here.signing_secret(), here.world.clock.now().timestamp())
    if doubted is not None:
        log.write(Severity.WARNING, f"unverified:{doubted.value}")
        return "", 401, _PLAIN
    try:
        return _decided(body, here, log)
    except Reject as rejected:
        rejection(here, "decide", rejected, log)
        return "", 401, _PLAIN


def _decided(body: bytes, here: "Process", log: Log) -> Answered:
    from shared.adapters.slack.interaction import read_click, wants_reason  # noqa: PLC0415
    from shared.workflow.decide import decide as step  # noqa: PLC0415

    click = read_click(body)
    if click is None:
        log.write(Severity.INFO, "no_decision")
        return "", 200, _PLAIN
    if wants_reason(click, body) and _reason_asked(here, click, log):
        return "", 200, _PLAIN
    answer = step(here.world, click)
    log.write(Severity.INFO, answer.reply.value, incident=click.incident, detail=f"{click.kind.value} by {click.user}")
    return _told(answer, body, log)


def _reason_asked(here: "Process", click: "Click", log: Log) -> bool:
    """Whether the dialog is open; the denial is what comes back from it. Where it cannot be opened, it counts now."""
    from shared.ports import ReasonDialog  # noqa: PLC0415

    chat = here.world.chat
    if not isinstance(chat, ReasonDialog):
        return False
    try:
        chat.ask_reason(click)
    except (Retry, Reject) as failed:
        log.write(Severity.WARNING, "no_dialog", incident=click.incident, detail=str(failed))
        return False
    log.write(Severity.INFO, "reason_asked", incident=click.incident, detail=f"{click.kind.value} by {click.user}")
    return True


def _told(answer: "ClickAnswer", body: bytes, log: Log) -> Answered:
    """What the person who clicked alone is told; the message itself is changed by the steps."""
    from shared.adapters.slack.dialog import refused  # noqa: PLC0415
    from shared.adapters.slack.interaction import from_dialog, response_url  # noqa: PLC0415

    if from_dialog(body):
        return ("", 200, _PLAIN) if answer.accepted else (json.dumps(refused(answer.text)), 200, _JSON)
    if not (answer.accepted and answer.final) and response_url(body):
        _whispered(response_url(body), answer.text, log)
    return json.dumps({"response_type": "ephemeral", "replace_original": False, "text": answer.text}), 200, _JSON


def _whispered(url: str, text: str, log: Log) -> None:
    """Slack shows no answer to a button: what the message will not say goes to the address in the request."""
    from shared.adapters.slack.whisper import whisper  # noqa: PLC0415

    try:
        whisper(url, text)
    except (Retry, Reject) as failed:
        log.write(Severity.WARNING, "not_told", detail=str(failed))
