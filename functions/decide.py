"""`decide`: Slack's interactivity request comes in; the decision is stored and handed on, and the person is answered.

200 with the words for the person; 200 without any for a click that decides nothing
401 where the request is not Slack's, 400 where Slack's own words make no sense, 5xx where it could not be stored
"""

import json
from typing import TYPE_CHECKING

import functions_framework

from functions.delivery import read_body
from functions.handling import rejection
from functions.logs import Log, Severity, trace_of
from functions.process import process
from shared.errors import Reject, Retry

if TYPE_CHECKING:
    from flask import Request

    from functions.process import Process
    from shared.domain.decision import Answer

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
        log.write(Severity.WARNING, "retry", detail=str(retry))
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
        return "", 400, _PLAIN


def _decided(body: bytes, here: "Process", log: Log) -> Answered:
    from shared.adapters.slack.interaction import read_click  # noqa: PLC0415
    from shared.steps.decide import decide as step  # noqa: PLC0415

    click = read_click(body)
    if click is None:
        log.write(Severity.INFO, "no_decision")
        return "", 200, _PLAIN
    answer = step(here.world, click)
    log.write(Severity.INFO, answer.reply.value, incident=click.incident, detail=f"{click.kind.value} by {click.user}")
    return _told(answer), 200, _JSON


def _told(answer: "Answer") -> str:
    """Shown to the person who clicked alone; the message itself is changed by the step."""
    return json.dumps({"response_type": "ephemeral", "replace_original": False, "text": answer.text})
