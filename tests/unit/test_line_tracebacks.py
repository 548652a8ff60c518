"""Tracebacks that were logged line by line: whole again in every order; mixed ones lend each other nothing."""

import random

import pytest

from shared.detection.incident import Incident
from shared.detection.multiline_traceback import is_telling_frame
from shared.detection.signal import SignalKind
from tests.support.line_logs import (
    FAILED_IMPORT,
    FAILED_SOCKET,
    FAILED_START,
    GROUP,
    HEADER,
    RUNNING,
    collect_lines,
    interleave,
    split_lines,
)


def told(incidents: tuple[Incident, ...]) -> list[tuple[SignalKind, str, int]]:
    return [
        (incident.kind, incident.raised.exception.error_class if incident.raised else "", incident.occurrences)
        for incident in incidents
    ]


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize(
    "last_line",
    [
        "NameError: name 'tides' is not defined",
        "ImportError: cannot import name 'Deck' from 'ferry.decks' (/app/ferry/decks.py)",
        "ModuleNotFoundError: No module named 'ferry.tides'",
        "AttributeError: module 'ferry.tides' has no attribute 'now'",
        "TypeError: moor() missing 1 required positional argument: 'ship'",
        "KeyError: 'HARBOUR_URL'",
        "ferry.errors.NoBerth: pier 4 is full",
        "FileNotFoundError: [Errno 2] No such file or directory: '/app/tides.json'",
        "ZeroDivisionError: division by zero",
        "AssertionError",
    ],
)
def test_every_class_is_a_signal(last_line: str, *, backwards: bool) -> None:
    error_class = last_line.partition(":")[0]
    started = split_lines("a", FAILED_START.format(last_line=last_line))
    (start,) = collect_lines(started, backwards=backwards)
    assert (start.kind, start.error_class, start.path) == (
        SignalKind.FAILED_START, error_class, "/app/ferry/settings.py",
    )  # fmt: skip
    closed = split_lines("a", FAILED_SOCKET.format(last_line=last_line))
    assert told(collect_lines(closed, backwards=backwards)) == [(SignalKind.CLOSE_1011, error_class, 1)]


def test_the_source_and_the_frame_are_kept() -> None:
    (incident,) = collect_lines(split_lines("a", FAILED_SOCKET.format(last_line="KeyError: 'berth'")))
    assert incident.raised is not None
    frame = incident.raised.location
    assert frame is not None
    assert (frame.path, frame.line, frame.source_text) == ("/app/ferry/berths.py", 41, "await harbour.moor(ship)")
    assert not incident.nearby


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("backwards", [False, True])
def test_instances_that_write_at_once_are_told_apart(seed: int, *, backwards: bool) -> None:
    lines = interleave(
        random.Random(seed),
        split_lines("a", FAILED_START.format(last_line="NameError: name 'tides' is not defined")),
        split_lines("b", FAILED_SOCKET.format(last_line="KeyError: 'berth'")),
        split_lines("c", RUNNING * 9),
    )
    assert sorted(told(collect_lines(lines, backwards=backwards))) == [
        (SignalKind.CLOSE_1011, "KeyError", 1),
        (SignalKind.FAILED_START, "NameError", 1),
    ]


@pytest.mark.parametrize("seed", range(5))
def test_workers_of_one_instance_that_fail_alike_are_counted(seed: int) -> None:
    failed = split_lines("a", FAILED_START.format(last_line="NameError: name 'tides' is not defined"))
    (incident,) = collect_lines(interleave(random.Random(seed), failed, failed, failed))
    assert (incident.kind, incident.occurrences) == (SignalKind.FAILED_START, 3)
    assert incident.raised is not None
    assert incident.raised.location is not None
    assert incident.raised.location.line == 9


@pytest.mark.parametrize("seed", range(5))
def test_different_tracebacks_that_are_mixed_lend_each_other_no_frame(seed: int) -> None:
    lines = interleave(
        random.Random(seed),
        split_lines("a", FAILED_SOCKET.format(last_line="KeyError: 'berth'")),
        split_lines("a", FAILED_START.format(last_line="NameError: name 'tides' is not defined")),
    )
    assert [incident for incident in collect_lines(lines) if incident.raised and incident.raised.location] == []


def test_a_chain_is_read_to_its_first_link() -> None:
    chain = (
        f'{HEADER}  File "/app/ferry/store.py", line 7, in open\n    connect()\nConnectionRefusedError: [Errno 111]\n\n'
        "The above exception was the direct cause of the following exception:\n\n"
        + FAILED_SOCKET.format(last_line="ferry.errors.NoStore: closed").partition("\n")[2]
    )
    lines = split_lines("a", f"ERROR:    Exception in ASGI application\n{chain}")
    assert told(collect_lines(lines)) == [(SignalKind.CLOSE_1011, "ConnectionRefusedError", 1)]


def test_a_group_is_read_with_its_margin() -> None:
    assert told(collect_lines(split_lines("a", GROUP))) == [(SignalKind.CLOSE_1011, "KeyError", 1)]


def test_what_was_caught_or_belongs_to_no_socket_is_no_signal() -> None:
    for text in (
        f"Could not load the plugin\n{FAILED_IMPORT}",
        f'ERROR:    Exception in ASGI application\n{HEADER}  File "/app/ferry/web.py", line 3, in show\nKeyError: 1',
        FAILED_SOCKET.format(last_line="starlette.websockets.WebSocketDisconnect: 1001"),
    ):
        assert collect_lines(split_lines("a", text)) == ()
    (incident,) = collect_lines(split_lines("a", f"INFO:     Will watch for changes\n{FAILED_IMPORT}"))
    assert incident.kind is SignalKind.FAILED_START


def test_a_traceback_that_was_cut_off_lends_nothing_to_the_next() -> None:
    whole = split_lines("a", FAILED_SOCKET.format(last_line="KeyError: 'berth'"))
    assert told(collect_lines([*whole[:5], *split_lines("a", RUNNING * 20), *whole])) == [
        (SignalKind.CLOSE_1011, "KeyError", 1)
    ]


def test_a_telling_frame_is_one_line_of_the_service_or_of_its_server() -> None:
    lines = FAILED_START.format(last_line="KeyError: 1").splitlines() + FAILED_SOCKET.splitlines()
    assert [line.strip().partition(", in ")[2] for line in lines if is_telling_frame(line)] == [
        "import_from_string", "<module>", "<module>", "run_asgi",
    ]  # fmt: skip
