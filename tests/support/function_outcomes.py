"""What test_function_logs and other tests share."""

import json
from typing import Any

from shared.adapters.github.webhook import DELIVERY_HEADER, EVENT_HEADER, SIGNATURE_HEADER, sign
from shared.errors import Retry
from shared.text.escaping import to_one_line
from tests.support.function_clients import (
    FUNCTIONS_BY_TOPIC,
    WEBHOOK_SECRET,
    WEBHOOK_SETTINGS,
    FailingStore,
    FunctionClients,
    button_payload,
    encode_form,
    entry_as_json,
    open_function_clients,
    wrap_entry,
)
from tests.support.harness import Harness, syntax_error
from tests.support.malformed_messages import MALFORMED_CLICKS, MALFORMED_ENVELOPES, VALID_CLICK

NASTY_TEXTS = [
    syntax_error(),
    f"Traceback (most recent call last):\n{syntax_error()}",
    "Uncaught exception: SyntaxError: unterminated string literal (detected at line 624) (agents.py, line 624)",
    "websocket closed: received 1011 (internal error)",
    "code=1011\nIndentationError: unexpected indent (a.py, line 3)",
]


def as_sink_entry(line: dict[str, Any]) -> dict[str, object]:
    """What Cloud Logging makes of a printed line, as an entry of one of the functions."""
    entry = entry_as_json(Harness().log_entry(name="provenfix-record"))
    del entry["textPayload"]
    kept = {name: value for name, value in line.items() if not name.startswith(("severity", "logging."))}
    return entry | {"severity": line["severity"], "jsonPayload": kept}


def run_every_outcome(error: str) -> None:
    """Everything that can make a function print something, with a nasty text in it wherever one may come in."""
    setting = Harness()
    failing = FailingStore(setting.store, lambda: ValueError(error))
    failing.error = None
    with open_function_clients(
        setting, lambda name, port: failing if name == "store" else port, WEBHOOK_SETTINGS
    ) as opened:
        good = wrap_entry(setting.log_entry(error))
        for _ in range(2):
            opened.deliver("record", good)
        while setting.bus.waiting:
            topic, told = setting.bus.waiting.pop(0)
            opened.deliver(FUNCTIONS_BY_TOPIC[topic], json.dumps(told).encode())
        for posted in setting.chat.posted:
            opened.click(encode_form(button_payload(posted.message)))
        opened.tick()
        opened.deliver("investigate", json.dumps({"incident": error.replace("\n", " ")}).encode())
        opened.deliver("redeploy", json.dumps({"proposal": error.replace("\n", " ")}).encode())
        send_malformed_messages(opened, error)
        for raised in (Retry(error), ValueError(error), SyntaxError(error, ("a.py", 3, 1, "x = = 1"))):
            failing.error = lambda raised=raised: raised
            for function in FUNCTIONS_BY_TOPIC.values():
                opened.deliver(function, good if function == "record" else b'{"incident": "i", "proposal": "p"}')
            opened.click(encode_form(VALID_CLICK))


def send_issue_event(opened: FunctionClients, error: str) -> None:
    """What a code host may send, and what a sender may send that wants to look like one."""
    said = {"action": "created", "comment": {"body": "/provenfix reinvestigate"}, "sender": {"login": "nora"}}
    issue = {"number": 7, "body": f"<!-- provenfix:incident=i -->\n{error}"}
    for event in (said | {"issue": issue, "repository": {"full_name": error}}, error, [error], {"issue": error}):
        body = json.dumps(event).encode()
        headers = {EVENT_HEADER: "issue_comment", DELIVERY_HEADER: "0b0e7f0e-2222-4d4d-8c8c-aaaaaaaaaaaa"}
        opened.post("github", body, {**headers, SIGNATURE_HEADER: sign(body, WEBHOOK_SECRET)})
        opened.post("github", body, {**headers, SIGNATURE_HEADER: to_one_line(error)})
    named = said | {"issue": issue, "repository": {"full_name": "harbour/tide"}}
    body = json.dumps(named).encode()
    opened.post("github", body, {**headers, SIGNATURE_HEADER: sign(body, WEBHOOK_SECRET)})


def send_malformed_messages(opened: FunctionClients, error: str) -> None:
    send_issue_event(opened, error)
    for function in FUNCTIONS_BY_TOPIC.values():
        for body, headers in MALFORMED_ENVELOPES.values():
            opened.post(function, body, headers)
        opened.deliver(function, error.encode())
        opened.deliver(function, json.dumps(error).encode())
    for body in MALFORMED_CLICKS.values():
        opened.click(body)
    opened.click(encode_form({"type": error}))
    opened.post("decide", error.encode(), {})
