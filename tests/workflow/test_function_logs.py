"""What the functions print: one JSON line each, as Cloud Logging reads it, and never a signal to provenfix."""

import importlib
import io
import json
import logging
import sys
from collections.abc import Callable
from typing import Any

import pytest

from functions.http import structured_logs, tracing
from functions.http.structured_logs import RequestLog, Severity, Trace, read_trace
from shared.adapters.logs.log_json import parse_json_entry
from shared.detection.signal import SkipReason, read_signal
from tests.support.function_clients import (
    FUNCTIONS_BY_TOPIC,
    entry_as_json,
    open_function_clients,
    wrap_entry,
)
from tests.support.function_outcomes import (
    NASTY_TEXTS,
    as_sink_entry,
    run_every_outcome,
)
from tests.support.harness import Harness
from tests.support.memory import MemoryStore

TRACE = "105445aa7843bc8bf206b12000100000"


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[dict[str, Any]]]:
    """Takes what was printed since it was asked last."""

    def taken() -> list[dict[str, Any]]:
        printed = capsys.readouterr()
        assert printed.err == ""
        return [json.loads(line) for line in printed.out.splitlines()]

    return taken


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


def test_no_handler_of_the_root_sees_a_line(lines: Callable[[], list[dict[str, Any]]]) -> None:
    """A framework that configures the root would print each line a second time, and as text."""
    root = logging.getLogger()
    handler = logging.StreamHandler(sys.stdout)
    root.addHandler(handler)
    try:
        RequestLog("verify", "shore").write(Severity.NOTICE, "100 %s")
    finally:
        root.removeHandler(handler)
    assert [(line["severity"], line["message"]) for line in lines()] == [("NOTICE", "verify: 100 %s")]


def test_a_line_that_cannot_be_written_is_an_error_of_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed)
    with pytest.raises(ValueError, match="closed"):
        RequestLog("verify", "shore").write(Severity.INFO, "idle")


def test_details_are_redacted_before_they_are_cut(lines: Callable[[], list[dict[str, Any]]]) -> None:
    secret = "xoxb-" + "1234567890-" * 4 + "abcdef"
    RequestLog("verify", "shore").write(
        Severity.INFO, "x", detail="a" * (structured_logs._MAX_DETAIL_LENGTH - 20) + f" {secret}"
    )
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
