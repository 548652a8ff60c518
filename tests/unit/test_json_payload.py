"""Where loggers put a traceback in a JSON payload: any key, any depth, and the forms that are known."""

import json
import traceback
from typing import Any

import pytest

from shared.adapters.logs.log_json import parse_json_entry
from shared.detection.close_code import CloseKind
from shared.detection.logged_exception import Frame, find_last_exception
from shared.detection.signal import Signal, SignalKind, SkipReason, read_signal
from tests.support.log_samples import LINE_624, NESTED_CLOSE_CODES, TRACEBACK, export_entry
from tests.support.start_samples import HEADER, OWN_WEBSOCKET, PACKAGES, ROUTED

LINES = TRACEBACK.splitlines()
LAST = LINES[-1]
PLACE = f"{LAST} (timetable.py, line 88)"
ITEMS = [*(line + "\n" for line in LINES[:1]), "\n".join(LINES[1:4]) + "\n", *(line + "\n" for line in LINES[4:])]
"""One item a frame, as `traceback.format_exception` returns them."""
FRAMES = [
    {"filename": "/app/ferry/start.py", "lineno": 9, "function": "<module>", "context_line": "    import ferry.main"},
    {
        "filename": "/app/ferry/main.py",
        "lineno": 3,
        "function": "<module>",
        "context_line": "from ferry import timetable",
    },
]
FAILING = {"filename": "/app/ferry/timetable.py", "lineno": 88, "msg": LAST.removeprefix("SyntaxError: ")}


def text_of(payload: object) -> str:
    return parse_json_entry(export_entry(None, jsonPayload=payload), 0).text


def read(payload: object) -> Signal | SkipReason:
    return read_signal(parse_json_entry(export_entry(None, jsonPayload=payload), 0))


def nested(depth: int, value: object) -> object:
    for number in range(depth):
        value = {f"level{number}": value}
    return value


@pytest.mark.parametrize("value", [TRACEBACK, LINES, ITEMS], ids=["text", "lines", "items"])
@pytest.mark.parametrize(
    "key",
    ["body", "log", "full_message", "error.stack", "error.stack_trace", "exception.stacktrace", "exc_info",
     "trace_text", "fault", "stackTrace", "exception.details", "traceback", "err"],
)  # fmt: skip
@pytest.mark.parametrize("depth", [0, 1, 5, 12])
def test_traceback_is_read_under_any_key(key: str, value: object, depth: int) -> None:
    found = read(
        {"message": "boom", key: value} if not depth else {"message": "boom", "a": nested(depth, {key: value})}
    )
    assert isinstance(found, Signal)
    assert (found.kind, found.path, found.line) == (SignalKind.SYNTAX_ERROR, "/app/ferry/timetable.py", 88)
    assert (found.python, found.source_text) == ("3.11", 'yield f"data: {json.dumps({')


def test_list_of_all_frames_is_kept_whole() -> None:
    """One item a frame: of a long one the file that fails stands last."""
    items = [
        LINES[0],
        *(f'  File "/app/ferry/m{number}.py", line 1, in <module>\n' for number in range(60)),
        *LINES[4:],
    ]
    found = read({"exc_info": items})
    assert isinstance(found, Signal)
    assert found.path == "/app/ferry/timetable.py"
    assert text_of({"exc_info": items}).count('File "') == 63


@pytest.mark.parametrize(
    "payload",
    [
        {"exception.type": "SyntaxError", "exception.message": PLACE, "exception.stacktrace": TRACEBACK},
        {"attributes": {"exception.type": "SyntaxError", "exception.stacktrace": TRACEBACK}},
        {"attributes": {"exception": {"type": "SyntaxError", "stacktrace": TRACEBACK}}},
        {"attributes": [{"key": "exception.stacktrace", "value": {"stringValue": TRACEBACK}}]},
        {"error.kind": "SyntaxError", "error.message": LAST, "error.stack": TRACEBACK},
        {"error": "it failed", "error.stack": TRACEBACK},
        {"error": {"kind": "SyntaxError", "stack": LINES}},
        {"errorType": "SyntaxError", "errorMessage": "bad", "stackTrace": ITEMS},
        {"text": TRACEBACK, "record": {"exception": {"type": "SyntaxError", "value": LAST, "traceback": True}}},
        {"exception": {"values": [{"type": "SyntaxError", "value": PLACE, "stacktrace": {"frames": FRAMES}}]}},
        {"event": {"exception": {"values": [{"type": "SyntaxError", "value": PLACE, "stacktrace": FRAMES}]}}},
        {"exception": [{"exc_type": "SyntaxError", "exc_value": "bad", "syntax_error": FAILING, "frames": FRAMES}]},
        {"error": {"type": "SyntaxError", "message": "bad", "filename": "/app/ferry/timetable.py", "lineno": 88}},
        {"@type": "type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent",
         "message": TRACEBACK, "context": {"reportLocation": {"filePath": "main.py", "lineNumber": 3}}},
        {"message": "SyntaxError: bad",
         "context": {"reportLocation": {"filePath": "/app/ferry/timetable.py", "lineNumber": 88}}},
        {"log": json.dumps({"message": "could not start", "exc_info": TRACEBACK})},
        {"body": {"trace": {"frames": FRAMES, "exception": {"class": "SyntaxError", "message": PLACE}}}},
        {"errors": [{"message": "first"}, {"errorClass": "SyntaxError", "message": PLACE, "stacktrace": FRAMES}]},
    ],
)  # fmt: skip
def test_known_form_is_read(payload: dict[str, object]) -> None:
    found = read(payload)
    assert isinstance(found, Signal), text_of(payload)
    assert (found.kind, found.error_class, found.line) == (SignalKind.SYNTAX_ERROR, "SyntaxError", 88)
    assert found.path.endswith("timetable.py")


@pytest.mark.parametrize(
    "frames",
    [
        [
            {
                "abs_path": "/app/ferry/quay.py",
                "filename": "quay.py",
                "lineno": 7,
                "function": "moor",
                "context_line": " tie()",
            }
        ],
        [{"filename": "/app/ferry/quay.py", "lineno": "7", "name": "moor", "line": "tie()"}],
        [{"file": "/app/ferry/quay.py", "lineNumber": 7.0, "method": "moor", "code": "tie()"}],
        [["/app/ferry/quay.py", 7, "moor", "tie()"]],
    ],
)
@pytest.mark.parametrize("key", ["frames", "traceback", "stackTrace", "stacktrace"])
def test_frames_become_a_traceback(frames: list[object], key: str) -> None:
    payload = {"message": "no rope", "exception": {"type": "KeyError", "value": "'rope'", key: frames}}
    shown = find_last_exception(text_of(payload))
    assert shown is not None
    assert (shown.error_class, shown.message) == ("KeyError", "'rope'")
    assert shown.frames == (Frame("/app/ferry/quay.py", 7, "moor"),)
    assert shown.frames[0].source_text == "tie()"


def test_real_frames_of_the_standard_library_are_read() -> None:
    def moor() -> None:
        raise KeyError("rope")

    try:
        moor()
    except KeyError as error:
        formatted = traceback.format_exception(error)
        extracted = [list(frame) for frame in traceback.extract_tb(error.__traceback__)]
    for payload in ({"exc_info": formatted}, {"exc_type": "KeyError", "exc_value": "'rope'", "traceback": extracted}):
        shown = find_last_exception(text_of(json.loads(json.dumps(payload))))
        assert shown is not None
        assert (shown.error_class, shown.message, shown.frames[-1].function) == ("KeyError", "'rope'", "moor")


CAUSE: dict[str, Any] = {"exc_type": "KeyError", "exc_value": "'rope'"}
RAISED: dict[str, Any] = {"exc_type": "MooringError", "exc_value": "not moored"}


@pytest.mark.parametrize(
    "payload",
    [
        {"exception": [RAISED | {"is_cause": False}, CAUSE | {"is_cause": True}]},
        {"exception": [CAUSE, RAISED]},
        {"exception": RAISED | {"cause": CAUSE}},
    ],
    ids=["newest first", "newest last", "nested"],
)
def test_chain_ends_with_the_exception_that_was_not_caught(payload: dict[str, object]) -> None:
    shown = find_last_exception(text_of(payload))
    assert shown is not None
    assert shown.error_class == "MooringError"
    assert "KeyError: 'rope'" in text_of(payload)


def test_exception_of_a_websocket_in_json_is_a_close() -> None:
    found = read(
        {
            "levelname": "ERROR",
            "message": "Exception in ASGI application\n",
            "exc_info": HEADER + ROUTED + OWN_WEBSOCKET,
        }
    )
    assert isinstance(found, Signal)
    assert found.close_kind is CloseKind.EXCEPTION


def test_failed_start_in_frames_is_read() -> None:
    frames = [{"filename": f"{PACKAGES}/gunicorn/arbiter.py", "lineno": 608, "function": "spawn_worker"}, *FRAMES]
    found = read(
        {"exception": {"values": [{"type": "KeyError", "value": "'BERTHS'", "stacktrace": {"frames": frames}}]}}
    )
    assert isinstance(found, Signal)
    assert (found.kind, found.path, found.line) == (SignalKind.FAILED_START, "/app/ferry/main.py", 3)


@pytest.mark.parametrize(
    "payload",
    [
        {"message": "asked", "prompt": TRACEBACK},
        {"message": "answered", "completion": {"text": LINE_624}},
        {"messages": [{"role": "user", "content": TRACEBACK}, {"role": "assistant", "content": LINE_624}]},
        {"chat": nested(4, {"log": TRACEBACK})},
        {"turn": {"role": "user", "parts": [TRACEBACK]}},
        {"message": "moored", "frames": [{"filename": "a.py", "lineno": 3, "vars": {"x": LINE_624}}]},
        {"message": "invalid syntax", "levelname": "ERROR", "filename": "quay.py", "lineno": 33, "funcName": "moor"},
        {"message": "slow", "trace": "projects/harbour-dev/traces/1011", "pathname": "/app/quay.py", "lineno": 3},
        {"note": "docs: SyntaxError: invalid syntax (quay.py, line 7) is gone"},
    ],
)
def test_words_of_others_and_places_of_loggers_are_none(payload: dict[str, object]) -> None:
    found = read(payload)
    assert isinstance(found, SkipReason), text_of(payload)


def test_ordinary_payload_keeps_its_message_alone() -> None:
    payload = {
        "message": "moored",
        "berth": "7",
        "details": {"captain": "Aalto", "note": "no error"},
        "tags": ["a", "b"],
    }
    assert text_of(payload) == "moored"


@pytest.mark.parametrize("payload", [*NESTED_CLOSE_CODES, {"a": [{"b": {"closeCode": 1011}}]}])
def test_nested_close_code_is_read(payload: dict[str, object]) -> None:
    found = read(payload)
    assert isinstance(found, Signal)
    assert found.kind is SignalKind.CLOSE_1011


@pytest.mark.parametrize(
    "payload",
    [
        {"message": "refused", "error": {"code": 1011, "message": "Access denied"}},
        {"errors": [{"code": 1011, "message": "The owner has banned you"}]},
        {"message": "exited", "process": {"exit": {"code": 1011}}},
        {"order": {"id": 1011, "count": 1011, "port": 1011}},
        {"message": "moored", "berth": {"code": 1011, "name": "north quay"}},
        {"event": "websocket.receive", "data": {"code": 1011}},
        {"event": "websocket.disconnect", "boat": {"code": 1011}},
        {"event": "http.disconnect", "details": {"code": 1011}},
    ],
)
def test_other_nested_codes_are_none(payload: dict[str, object]) -> None:
    assert isinstance(read(payload), SkipReason), text_of(payload)
