"""Forms in which servers and loggers write a failure, as public reports quote them; texts and names are invented."""

import io
import itertools
import json

import pytest

from shared.adapters.logs.log_json import SplitEntries, parse_json_entry
from shared.adapters.logs.log_stream import LogStream
from shared.detection.causes.cause import CauseClass
from shared.detection.causes.classify import classify_cause
from shared.detection.causes.own_code import classify_code_error
from shared.detection.close_code import CloseKind, detect_close_1011
from shared.detection.failed_start import detect_failed_start
from shared.detection.logged_exception import parse_exceptions
from shared.detection.signal import SignalKind
from shared.detection.websocket_exception import find_websocket_exception
from tests.support.tied_logs import incidents_of, make_log_entries

PACKAGES = "/usr/local/lib/python3.12/site-packages"
HEADER = "Traceback (most recent call last):\n"
BY_ADDRESS = "return await application("
BY_PROTOCOL = "return await application(scope, receive, send)"
BY_CHANNEL = 'return await self.application_mapping[scope["channel"]]('
HANDLER = '  File "/app/ferry/consumers.py", line 3, in tide_message\n    await self.sned(event)\n'
LAST = "AttributeError: 'Consumer' object has no attribute 'sned'"


def build_frame(path: str, source: str = "", function: str = "__call__") -> str:
    return f'  File "{PACKAGES}/{path}", line 71, in {function}\n    {source or "pass"}\n'


def build_channels_text(source: str, *more: str) -> str:
    frames = (
        build_frame("channels/routing.py", source),
        *more,
        build_frame("channels/consumer.py", function="dispatch"),
    )
    return f"Exception inside application: it failed\n{HEADER}{''.join(frames)}{HANDLER}{LAST}"


@pytest.mark.parametrize(
    ("text", "is_websocket"),
    [
        (build_channels_text(BY_ADDRESS), True),
        (build_channels_text(BY_CHANNEL), False),
        (build_channels_text(BY_PROTOCOL), False),
        (build_channels_text(BY_ADDRESS, build_frame("channels/generic/http.py")), False),
        (build_channels_text(""), False),
    ],
)
def test_a_consumer_without_sessions_is_known_by_the_address_that_led_to_it(text: str, *, is_websocket: bool) -> None:
    assert (find_websocket_exception(text) is not None) is is_websocket


@pytest.mark.parametrize(
    ("arguments", "name", "shown"),
    [
        (["name 'moor' is not defined"], "NameError", "NameError: name 'moor' is not defined"),
        (["berth"], "KeyError", "KeyError: 'berth'"),
        ([2, "no such berth"], "OSError", "OSError: (2, 'no such berth')"),
        ([{"berth": 1}], "ValueError", "ValueError"),
        ([], "ValueError", "ValueError"),
    ],
)
def test_the_arguments_of_an_exception_are_its_message(arguments: list[object], name: str, shown: str) -> None:
    frames = ['  File "/app/ferry/relay.py", line 5, in relay\n', "    moor(ship)\n"]
    payload = {"message": "it failed", "error": {"type": name, "args": arguments, "traceback": frames}}
    [exception] = parse_exceptions(parse_json_entry({"jsonPayload": payload}, 0).text)
    assert f"{exception.error_class}: {exception.message}".removesuffix(": ") == shown
    assert json.dumps(payload)


@pytest.mark.parametrize("loader", ["gunicorn/util.py", "uvicorn/importer.py"])
@pytest.mark.parametrize("is_own", [True, False])
def test_a_module_that_the_server_itself_does_not_find_is_not_in_the_image(loader: str, *, is_own: bool) -> None:
    own = '  File "/app/ferry/main.py", line 1, in <module>\n    import ferry.tides\n' if is_own else ""
    frozen = '  File "<frozen importlib._bootstrap>", line 1324, in _find_and_load_unlocked\n'
    text = f"{HEADER}{build_frame(loader)}{own}{frozen}ModuleNotFoundError: No module named 'ferry.tides'"
    expected = CauseClass.OWN_CODE if is_own else CauseClass.IMAGE
    assert classify_code_error(parse_exceptions(text)[-1]) is expected


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (
            "websocket: received close frame with code 1011 and reason 'busy' from wss://tides.example/v1",
            CloseKind.REMOTE_END,
        ),
        ("websocket: got a close frame from wss://tides.example: 1011", CloseKind.REMOTE_END),
        ("websocket: sending close frame with code 1011", CloseKind.INTERNAL_ERROR),
    ],
)
def test_a_received_close_frame_is_the_other_ends(text: str, kind: CloseKind) -> None:
    assert detect_close_1011(text) is kind


TEXT = (
    f"ERROR:    Exception in ASGI application\n{HEADER}"
    + "".join(f'  File "/app/ferry/relay.py", line {number}, in relay\n    moor(ship)\n' for number in range(1, 40))
    + "NameError: name 'moor' is not defined"
)


def build_parts(count: int, uid: str = "u-1") -> list[dict[str, object]]:
    length = len(TEXT) // count + 1
    return [
        {
            "insertId": f"i{number}",
            "timestamp": "2026-05-12T02:10:00Z",
            "textPayload": TEXT[number * length : (number + 1) * length],
            "split": {"uid": uid, "totalSplits": count, **({"index": number} if number else {})},
        }
        for number in range(count)
    ]


def read_texts(objects: list[dict[str, object]]) -> list[str]:
    stream = LogStream(io.StringIO(json.dumps(objects)), "log")
    return [entry.text for entry in stream.entries()]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_a_split_entry_is_put_together_in_any_order(order: tuple[int, ...]) -> None:
    parts = build_parts(3)
    assert read_texts([parts[index] for index in order]) == [TEXT]


def test_parts_of_two_entries_stay_apart_and_an_incomplete_one_is_what_came_of_it() -> None:
    first, second = build_parts(2), build_parts(2, "u-2")
    other: dict[str, object] = {"textPayload": "ferry is open"}
    texts = read_texts([first[0], second[0], other, first[1]])
    assert texts == ["ferry is open", TEXT, second[0]["textPayload"]]


@pytest.mark.parametrize(
    "split",
    [{"uid": "u", "index": 3, "totalSplits": 2}, {"uid": "", "totalSplits": 2}, {"uid": "u", "totalSplits": 1}, "u", 7],
)
def test_what_is_no_part_of_an_entry_is_read_as_it_is(split: object) -> None:
    assert read_texts([{"textPayload": "ferry is open", "split": split}]) == ["ferry is open"]


def test_what_waits_for_its_other_parts_is_bounded() -> None:
    parts = [build_parts(2, f"u-{number}")[0] for number in range(200)]
    stream = LogStream(io.StringIO("\n".join(map(json.dumps, parts))), "log")
    read_before_the_end = [entry.insert_id for entry in itertools.islice(stream.entries(), 100)]
    assert len(read_before_the_end) == 100
    assert len(read_texts(parts)) == 200


@pytest.mark.parametrize(
    ("line", "cause_class"),
    [
        ("/bin/sh: 1: uvicorn: not found", CauseClass.IMAGE),
        ("bash: line 3: exec: gunicorn: command not found", CauseClass.IMAGE),
        ("exec ./start.sh: no such file or directory", CauseClass.IMAGE),
        ("python: can't open file '/app/main.py': [Errno 2] No such file or directory", CauseClass.IMAGE),
        ("/usr/local/bin/python: No module named uvicorn", CauseClass.DEPENDENCY),
        (
            "ERROR:    [Errno 98] error while attempting to bind on address ('0.0.0.0', 8080): address already in use",
            CauseClass.CONFIGURATION,
        ),
        ("exec /usr/local/bin/python: exec format error", CauseClass.UNKNOWN),
    ],
)
def test_what_a_shell_or_the_interpreter_says_before_the_platform_is_the_cause(
    line: str, cause_class: CauseClass
) -> None:
    assert detect_failed_start(line) is not None
    said = (
        "The user-provided container failed to start and listen on the port defined by the PORT environment variable."
    )
    [incident] = incidents_of(make_log_entries(("", line), ("", said)))
    assert incident.kind is SignalKind.FAILED_START
    assert classify_cause(incident).cause_class is cause_class


@pytest.mark.parametrize(
    "line",
    [
        "sh: 1: ffmpeg: not found",
        "the guide says: /bin/sh: 1: uvicorn: not found",
        "exec of the plan: no such file or directory was named",
        "asked for uvicorn: not found",
    ],
)
def test_a_program_that_a_running_service_lacks_is_no_failed_start(line: str) -> None:
    assert detect_failed_start(line) is None


def test_parts_that_wait_are_bounded_by_their_characters() -> None:
    """Of each entry the last part never comes."""
    entries, released, text = SplitEntries(), 0, "x" * 1_000_000
    for number in range(60):
        split = {"uid": f"u{number}", "index": 0, "totalSplits": 2}
        released += len(list(entries.add({"textPayload": text, "split": split})))
    assert released == 60 - 32
    assert len(list(entries.finish())) == 32
