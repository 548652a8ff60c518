"""What the functions print: one JSON line each, as Cloud Logging reads it, and never a signal to provenfix."""

import importlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from functions.http import structured_logs, tracing
from functions.http.structured_logs import RequestLog, Severity, Trace, read_trace
from shared.adapters.github.webhook import DELIVERY_HEADER, EVENT_HEADER, SIGNATURE_HEADER, sign
from shared.adapters.logs.log_json import parse_json_entry
from shared.detection.signal import SkipReason, read_signal
from shared.errors import Retry
from shared.text.escaping import to_one_line
from tests.support.function_clients import FUNCTIONS_BY_TOPIC, FunctionClients, FailingStore, entry_as_json, open_function_clients, encode_form, button_payload, wrap_entry
from tests.support.harness import Harness, syntax_error
from tests.support.memory import MemoryStore
from tests.workflow.test_malformed_messages import MALFORMED_CLICKS, MALFORMED_ENVELOPES, VALID_CLICK
from tests.workflow.test_webhook import WEBHOOK_SECRET, WEBHOOK_SETTINGS

TRACE = "105445aa7843bc8bf206b12000100000"
NASTY_TEXTS = [
    syntax_error(),
    f"Traceback (most recent call last):\n{syntax_error()}",
    "Uncaught exception: SyntaxError: unterminated string literal (detected at line 624) (agents.py, line 624)",
    "websocket closed: received 1011 (internal error)",
    "code=1011\nIndentationError: unexpected indent (a.py, line 3)",
]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[dict[str, Any]]]:
    """Takes what was printed since it was asked last."""

    def taken() -> list[dict[str, Any]]:
        printed = capsys.readouterr()
        assert printed.err == ""
        return [json.loads(line) for line in printed.out.splitlines()]

    return taken


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
    with open_function_clients(setting, lambda name, port: failing if name == "store" else port, WEBHOOK_SETTINGS) as opened:
        good = wrap_entry(setting.log_entry(error))
        for _ in range(2):
            opened.deliver("record", good)
        while setting.bus.waiting:
            topic, told = setting.bus.waiting.pop(0)
            opened.deliver(FUNCTIONS_BY_TOPIC[topic], json.dumps(told).encode())
        for posted in setting.chat.posted:
            opened.click(encode_form(button_payload(posted.message)))
        opened.deliver("verify", b"")
        opened.deliver("investigate", json.dumps({"incident": error.replace("\n", " ")}).encode())
        opened.deliver("redeploy", json.dumps({"proposal": error.replace("\n", " ")}).encode())
        send_malformed_messages(opened, error)
        for raised in (Retry(error), ValueError(error), SyntaxError(error, ("a.py", 3, 1, "x = = 1"))):
            failing.error = lambda raised=raised: raised
            for function in FUNCTIONS_BY_TOPIC.values():
                opened.deliver(function, good if function == "record" else b'{"incident": "i", "proposal": "p"}')
            opened.click(encode_form(VALID_CLICK))


def send_issue_event(opened: FunctionClients, error: str) -> None:
    """What a code host may send, and what somebody may send who wants to look like one."""
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


@pytest.mark.parametrize("error", NASTY_TEXTS)
def test_no_line_of_any_function_is_a_signal(error: str, lines: Callable[[], list[dict[str, Any]]]) -> None:
    run_every_outcome(error)
    printed = lines()
    assert {line["severity"] for line in printed} == {"INFO", "NOTICE", "WARNING", "ERROR"}
    assert {line["message"].partition(":")[0] for line in printed} == {*FUNCTIONS_BY_TOPIC.values(), "decide", "github"}
    for line in printed:
        entry = parse_json_entry(as_sink_entry(line), 0)
        assert read_signal(entry) is SkipReason.NO_SIGNAL, line


def test_stray_output_is_refused_by_function_name(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    """A crash outside of any door (an import that fails) is printed as text by the framework."""
    with open_function_clients(Harness()) as opened:
        for text in NASTY_TEXTS:
            opened.deliver("record", wrap_entry(opened.harness.log_entry(text, name="provenfix-record")))
        assert isinstance(opened.harness.store, MemoryStore)
        assert opened.harness.store.documents("incidents") == {}
    assert {line["provenfix"]["outcome"] for line in lines()} == {"refused:own_function"}


def test_a_line_of_ours_is_refused_even_under_a_strange_name(lines: Callable[[], list[dict[str, Any]]]) -> None:
    run_every_outcome(NASTY_TEXTS[0])
    printed = lines()
    with open_function_clients(Harness()) as opened:
        for line in printed:
            entry = as_sink_entry(line) | {"resource": entry_as_json(opened.harness.log_entry())["resource"]}
            opened.deliver("record", json.dumps(entry).encode())
    assert {line["provenfix"]["outcome"] for line in lines()} == {"refused:own_line"}


def test_a_line_says_what_became_of_which_incident(lines: Callable[[], list[dict[str, Any]]]) -> None:
    with open_function_clients(Harness()) as opened:
        opened.post("record", b"", {})
        lines()
        opened.deliver("record", wrap_entry(opened.harness.log_entry()))
        assert isinstance(opened.harness.store, MemoryStore)
        (incident,) = opened.harness.store.documents("incidents")
    (line,) = lines()
    assert line == {
        "severity": "INFO",
        "message": "record: opened",
        "provenfix": {"function": "record", "outcome": "opened", "incident": incident},
    }


@pytest.mark.parametrize(
    ("headers", "trace"),
    [
        ({}, Trace()),
        ({"X-Cloud-Trace-Context": f"{TRACE}/74;o=1"}, Trace(TRACE, "000000000000004a")),
        ({"X-Cloud-Trace-Context": TRACE.upper()}, Trace(TRACE, "")),
        ({"X-Cloud-Trace-Context": f"{TRACE}/99999999999999999999"}, Trace(TRACE, "")),
        ({"X-Cloud-Trace-Context": "../../x/1"}, Trace()),
        ({"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}, Trace(TRACE, "00f067aa0ba902b7")),
        ({"traceparent": f"00-{TRACE}-xyz-01", "X-Cloud-Trace-Context": f"{TRACE}/1"}, Trace(TRACE, "0" * 15 + "1")),
    ],
)
def test_the_trace_is_that_of_the_request(headers: dict[str, str], trace: Trace) -> None:
    assert read_trace(headers) == trace


def test_a_line_names_its_trace_as_cloud_logging_wants_it(lines: Callable[[], list[dict[str, Any]]]) -> None:
    RequestLog("verify", "shore", Trace(TRACE, "00f067aa0ba902b7")).write(Severity.INFO, "idle")
    (line,) = lines()
    assert line["logging.googleapis.com/trace"] == f"projects/shore/traces/{TRACE}"
    assert line["logging.googleapis.com/spanId"] == "00f067aa0ba902b7"


def test_details_are_redacted_before_they_are_cut(lines: Callable[[], list[dict[str, Any]]]) -> None:
    secret = "xoxb-" + "1234567890-" * 4 + "abcdef"
    RequestLog("verify", "shore").write(Severity.INFO, "x", detail="a" * (structured_logs._MAX_DETAIL_LENGTH - 20) + f" {secret}")
    RequestLog("verify", "shore").write_crash(ValueError(f"token {secret}"))
    printed = lines()
    assert secret[:16] not in json.dumps(printed)
    assert len(printed[0]["provenfix"]["detail"]) <= structured_logs._MAX_DETAIL_LENGTH


def test_a_crash_says_where_and_shows_no_source(lines: Callable[[], list[dict[str, Any]]]) -> None:
    try:
        importlib.import_module("nobody.has.this")
    except ModuleNotFoundError as error:
        RequestLog("verify", "shore").write_crash(error)
    (line,) = lines()
    told = line["provenfix"]
    assert told["raised"] == "builtins.ModuleNotFoundError"
    assert told["frames"][0].startswith("tests/workflow/test_function_logs.py:")
    assert "import_module(" not in json.dumps(line)


def test_spans_are_lines_of_the_same_kind(lines: Callable[[], list[dict[str, Any]]]) -> None:
    span = tracing.create_span_opener("shore")
    with span("verify", Trace(TRACE, "00f067aa0ba902b7")):
        pass
    with span("record", Trace()):
        pass
    child, root = lines()
    assert child["logging.googleapis.com/trace"] == f"projects/shore/traces/{TRACE}"
    assert (child["severity"], child["provenfix"]["parent"]) == ("DEBUG", "00f067aa0ba902b7")
    assert "parent" not in root["provenfix"]
    assert read_signal(parse_json_entry(as_sink_entry(child), 0)) is SkipReason.NO_SIGNAL
