"""Closes without an exception: the error that a handler logged by its message alone, right before it closed."""

from dataclasses import replace
from typing import Any, cast

import pytest

from shared.detection.caught_errors import find_caught_error
from shared.detection.causes.cause import CauseClass
from shared.detection.causes.classify import classify_cause
from shared.detection.entry import LogEntry
from shared.detection.incident import Incident
from shared.detection.logged_exception import Frame
from shared.detection.signal import SignalKind
from tests.support.cause_table import CLOSED, CauseSample, make_sample_entries
from tests.support.log_samples import time_at
from tests.support.tied_logs import incidents_of

NAME_ERROR = "ERROR:ferry.ws:WebSocket error: name 'tides' is not defined"
REFUSED = "ERROR:ferry.ws:WebSocket error: [Errno 111] Connect call failed ('10.8.0.5', 5432)"


def log(*texts: str) -> list[LogEntry]:
    return make_sample_entries(CauseSample("", CauseClass.UNKNOWN, texts))


def incident_of(*texts: str) -> Incident:
    [incident] = incidents_of(log(*texts))
    return incident


@pytest.mark.parametrize(
    ("message", "error_class"),
    [
        ("name 'tides' is not defined", "NameError"),
        ("'NoneType' object has no attribute 'send_json'", "AttributeError"),
        ("Harbour.moor() missing 1 required positional argument: 'deck'", "TypeError"),
        ("cannot import name 'Deck' from 'ferry.decks' (/app/ferry/decks.py)", "ImportError"),
        ("No module named 'redis'", "ModuleNotFoundError"),
    ],
)
def test_a_message_of_cpython_right_before_a_close_is_its_exception(message: str, error_class: str) -> None:
    raised = incident_of(f"ERROR:ferry.ws:WebSocket error: {message}", CLOSED).raised
    assert raised is not None
    assert (raised.exception.error_class, raised.exception.message, raised.exception.frames) == (
        error_class, message, (),
    )  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "INFO:ferry.ws:the answer of the model: name 'tides' is not defined",
        "ERROR:ferry.ws:the user asked why name 'tides' is not defined",
        "ERROR:ferry.ws:name 'tides' is not defined in the table",
        "name 'tides' is not defined",
    ],
)
def test_a_sentence_about_such_a_message_is_none(line: str) -> None:
    assert incident_of(line, CLOSED).raised is None


def test_an_exception_with_its_traceback_counts_more() -> None:
    traceback = (
        'Traceback (most recent call last):\n  File "/app/ferry/berths.py", line 41, in moor\n    ship = ships[0]\n'
        "IndexError: list index out of range"
    )
    for texts in ((NAME_ERROR, traceback, CLOSED), (traceback, NAME_ERROR, CLOSED)):
        raised = incident_of(*texts).raised
        assert raised is not None
        assert raised.exception.error_class == "IndexError"


@pytest.mark.parametrize(
    "changes", [{"timestamp": time_at(9)}, {"instance": "b"}, {"trace": "t2"}], ids=["later", "instance", "request"]
)
def test_what_is_not_of_the_same_instant_instance_and_request_is_not_tied(changes: dict[str, object]) -> None:
    stated, close = log(NAME_ERROR, CLOSED)
    [incident] = incidents_of([replace(stated, trace="t1"), replace(close, **cast("Any", changes))])
    assert incident.raised is None
    refused = replace(log(REFUSED)[0], trace="t1")
    [incident] = incidents_of([refused, replace(close, **cast("Any", changes))])
    assert classify_cause(incident).cause_class is CauseClass.UNKNOWN


def test_another_close_between_takes_it() -> None:
    first, second = "WebSocket /ws/berth closed: code=1011", "socket 2 disconnected: code=1011"
    incidents = incidents_of(log(NAME_ERROR, first, second))
    assert [incident.raised is not None for incident in incidents] == [True, False]


@pytest.mark.parametrize(
    ("line", "cause_class", "subject"),
    [
        (REFUSED, CauseClass.BACKING_SERVICE, ""),
        ("ERROR ferry.ws Error 111 connecting to 10.8.0.3:6379. Connection refused.", CauseClass.BACKING_SERVICE, ""),
        ("ERROR ferry.ws Gemini error: 429 RESOURCE_EXHAUSTED. {'error': {}}", CauseClass.BACKING_SERVICE, ""),
        ("ERROR ferry.ws Error: Error code: 401 - {'error': {}}", CauseClass.CREDENTIALS, ""),
        ("ERROR ferry.ws PIER_API_KEY is not set", CauseClass.CONFIGURATION, "PIER_API_KEY"),
        ("ERROR ferry.ws something went wrong", CauseClass.UNKNOWN, ""),
    ],
)
def test_the_words_right_before_a_close_give_the_class_and_are_quoted(
    line: str, cause_class: CauseClass, subject: str
) -> None:
    cause = classify_cause(incident_of(line, CLOSED))
    assert (cause.cause_class, cause.subject, cause.quoted) == (cause_class, subject, line)


def test_loguru_names_the_line_that_logged_it() -> None:
    text = f"2026-03-01 03:43:43.123 | ERROR    | ferry.berths:moor:41 - {NAME_ERROR.partition('ws:')[2]}"
    caught = find_caught_error(LogEntry(0, text))
    assert caught is not None
    assert caught.frames == (Frame("ferry/berths.py", 41, "moor", is_handler=True),)


def test_a_connection_that_was_found_closed_while_an_error_was_handled_is_not_the_cause() -> None:
    own = "  File \"/app/ferry/berths.py\", line 41, in moor\n    ship = ships[name]\nKeyError: 'berth'\n\n"
    again = "During handling of the above exception, another exception occurred:\n\n"
    closing = '  File "/app/ferry/berths.py", line 44, in moor\n    await socket.close(1011)\n'
    header = "Traceback (most recent call last):\n"
    last = 'RuntimeError: Cannot call "send" once a close message has been sent.'
    cause = classify_cause(incident_of(f"{header}{own}{again}{header}{closing}{last}", CLOSED))
    assert cause.exception is not None
    assert (cause.cause_class, cause.exception.error_class) == (CauseClass.OWN_CODE_UNPROVABLE, "KeyError")


NO_MODULE = "No module named 'ferry.decks'"


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        (f"ERROR:ferry:failed to load the application: {NO_MODULE}", ""),
        (f"[2026-03-01 12:00:01 +0000] [7] [ERROR] {NO_MODULE}", ""),
        (NO_MODULE, "ERROR"),
        ("cannot import name 'Deck' from 'ferry.decks' (/app/ferry/decks.py)", "CRITICAL"),
    ],
)
def test_an_import_that_is_said_to_have_failed_is_the_exception_of_the_start_behind_it(
    text: str, severity: str
) -> None:
    stated, failed = log(text, "Container called exit(1).")
    [incident] = incidents_of([replace(stated, severity=severity), failed])
    assert incident.kind is SignalKind.FAILED_START
    assert incident.raised is not None
    assert incident.raised.exception.message in {NO_MODULE, text}
    assert incident.raised.exception.frames == ()


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        (f"it is normal that {NO_MODULE}", {}),
        (f"INFO:ferry:the plugin is off: {NO_MODULE}", {}),
        (NAME_ERROR, {}),
        (f"ERROR:ferry:failed to load: {NO_MODULE}", {"timestamp": time_at(3600)}),
        (f"ERROR:ferry:failed to load: {NO_MODULE}", {"instance": "b"}),
    ],
    ids=["prose", "information", "no import", "later", "instance"],
)
def test_what_is_no_failed_import_of_the_start_is_not_tied_to_it(text: str, changes: dict[str, object]) -> None:
    stated, failed = log(text, "Container called exit(1).")
    [incident] = incidents_of([stated, replace(failed, **cast("Any", changes))])
    assert incident.raised is None
