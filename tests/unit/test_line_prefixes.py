"""Tracebacks of which every line begins with what a runner or a logger puts there."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.detection.entry import LogEntry
from shared.detection.incident import Incident
from shared.detection.line_prefixes import find_line_prefix, strip_line_prefixes
from shared.detection.signal import SignalKind
from tests.support.log_samples import time_at
from tests.support.log_shapes import SHAPES
from tests.support.tied_logs import incidents_of

TEXT = SHAPES["uvicorn ws"].partition("\nINFO")[0]
PREFIXES = (
    "web.1  | ",
    "03:43:43 web.1  | ",
    "[8] ",
    "2026-03-01T03:43:43.123Z ERROR ",
    "ERROR:uvicorn.error:",
    "2026-03-01 03:43:43,123 - uvicorn.error - ERROR - ",
    "[2026-03-01 03:43:43 +0000] [8] [ERROR] ",
)
ENTRY = LogEntry(0, "", log_name="stderr", project="h", service="ferry", revision="ferry-1", instance="a")


def prefix_lines(prefix: str, text: str = TEXT) -> list[str]:
    return [f"{prefix}{line}" for line in text.splitlines()]


def make_line_entries(lines: list[str]) -> list[LogEntry]:
    return [
        replace(ENTRY, position=at, text=line, insert_id=f"i{at}", timestamp=time_at(0) + timedelta(milliseconds=at))
        for at, line in enumerate(lines)
    ]


def assert_is_whole(incidents: tuple[Incident, ...]) -> None:
    [incident] = incidents
    assert incident.kind is SignalKind.CLOSE_1011
    assert incident.raised is not None
    frame = incident.raised.location
    assert (incident.raised.exception.error_class, frame and (frame.path, frame.line)) == (
        "KeyError", ("/app/harbour/berths.py", 41),
    )  # fmt: skip


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_traceback_with_a_prefix_on_every_line_is_read_whole(prefix: str) -> None:
    lines = prefix_lines(prefix)
    assert_is_whole(incidents_of(make_line_entries(["\n".join(lines)])))
    assert_is_whole(incidents_of(make_line_entries(lines)))


def test_a_log_that_runs_backwards_is_read_as_well() -> None:
    entries = make_line_entries(prefix_lines("web.1  | "))
    backwards = [replace(entry, position=at) for at, entry in enumerate(reversed(entries))]
    assert_is_whole(incidents_of(backwards))


def test_digits_may_differ_from_line_to_line() -> None:
    lines = [f"03:43:{43 + at:02} web.1 | {line}" for at, line in enumerate(TEXT.splitlines())]
    assert strip_line_prefixes("\n".join(lines)) == TEXT


@pytest.mark.parametrize(
    "text", [TEXT, f"ERROR:root:it failed {TEXT.partition('application')[2].lstrip()}", SHAPES["group"], "no traceback"]
)
def test_what_stands_before_the_header_alone_is_no_prefix(text: str) -> None:
    assert strip_line_prefixes(text) == text


def test_the_margin_of_a_group_is_left_to_it() -> None:
    assert find_line_prefix("  + Exception Group Traceback (most recent call last):") == ""
    assert find_line_prefix("web-1  |   + Exception Group Traceback (most recent call last):") == "web-1  | "
    prefixed = "\n".join(prefix_lines("web-1  | ", SHAPES["group"]))
    assert strip_line_prefixes(prefixed) == SHAPES["group"]
