"""Errors that a handler logged by their message alone, and the place that the logger names for them."""

import pytest

from shared.adapters.logs.log_json import parse_json_entry
from shared.detection.caught_errors import find_caught_error
from shared.detection.entry import LogEntry
from shared.detection.logged_exception import Frame
from shared.detection.raised_exception import read_raised
from shared.detection.signal import SkipReason
from shared.proof.claims.place_claim import find_handler

PLACE = "quay/desk.py:41 moor"


@pytest.mark.parametrize(
    ("message", "error_class"),
    [
        ("name 'tide' is not defined", "NameError"),
        ("name 'tide' is not defined. Did you mean: 'tides'?", "NameError"),
        ("cannot access local variable 'tide' where it is not associated with a value", "UnboundLocalError"),
        ("'Berth' object has no attribute 'moor_async'", "AttributeError"),
        ("type object 'Berth' has no attribute 'create'", "AttributeError"),
        ("Berth.__init__() got an unexpected keyword argument 'depth'", "TypeError"),
        ("moor() missing 1 required positional argument: 'rope'", "TypeError"),
        ("moor() takes 2 positional arguments but 3 were given", "TypeError"),
        ("object Berth can't be used in 'await' expression", "TypeError"),
    ],
)
def test_the_message_at_the_end_of_a_handlers_words_gives_the_class(message: str, error_class: str) -> None:
    caught = find_caught_error(LogEntry(0, f"Mooring failed for berth 7: {message}", severity="ERROR", logged_at=PLACE))
    assert caught is not None
    assert caught.error_class == error_class
    assert message.startswith(caught.message)
    assert caught.frames == (Frame("quay/desk.py", 41, "moor", is_handler=True),)


@pytest.mark.parametrize(
    ("text", "severity", "place"),
    [
        ("Mooring failed: name 'tide' is not defined", "ERROR", ""),
        ("Mooring failed: name 'tide' is not defined", "INFO", PLACE),
        ("Mooring failed: name 'tide' is not defined in the table", "ERROR", PLACE),
        ("we saw that name 'tide' is not defined", "ERROR", PLACE),
        ("Mooring failed: no rope", "ERROR", PLACE),
        ("Mooring failed: name 'tide' is not defined", "ERROR", "quay/desk.py"),
    ],
)
def test_what_is_no_error_that_a_known_line_logged_is_left_alone(text: str, severity: str, place: str) -> None:
    entry = LogEntry(0, text, severity=severity, logged_at=place)
    assert find_caught_error(entry) is None
    assert read_raised(entry, SkipReason.NO_SIGNAL) is None


@pytest.mark.parametrize(
    "entry",
    [
        {"jsonPayload": {"message": "x", "labels": {"module": "quay.desk", "function": "moor", "line": "41"}}},
        {"jsonPayload": {"message": "x", "pathname": "quay/desk.py", "funcName": "moor", "lineno": 41}},
        {"jsonPayload": {"message": "x"}, "sourceLocation": {"file": "quay/desk.py", "line": "41", "function": "moor"}},
        {"message": "x", "module": "quay.desk", "function": "moor", "line": 41},
    ],
)
def test_loggers_name_the_place_in_several_ways(entry: dict[str, object]) -> None:
    logged_at = parse_json_entry(entry, 0).logged_at
    caught = find_caught_error(LogEntry(0, "failed: name 'tide' is not defined", logged_at=logged_at))
    assert caught is not None
    assert caught.frames == (Frame("quay/desk.py", 41, "moor", is_handler=True),)


HANDLER = b"""async def moor(rope):
    try:
        pull(rope)
        tie(rope)
    except OSError:
        logger.error("rope lost")
    except Exception as error:
        logger.error(f"Mooring failed for {rope}: {error}")
"""


def test_the_guarded_lines_are_those_of_the_handler_that_writes_the_words() -> None:
    handler = find_handler(HANDLER, 8, "moor", "Mooring failed for 7: name 'tide' is not defined")
    assert handler is not None
    assert list(handler.guarded) == [3, 4]


@pytest.mark.parametrize(
    ("line", "function", "text"),
    [
        (7, "moor", "Mooring failed for 7: no"),
        (8, "leave", "Mooring failed for 7: no"),
        (8, "moor", "Leaving failed for 7: no"),
        (6, "moor", "Mooring failed for 7: no"),
    ],
)
def test_a_line_that_does_not_write_the_words_is_of_another_version(line: int, function: str, text: str) -> None:
    assert find_handler(HANDLER, line, function, text) is None
