"""Which connection an entry names, chains of exceptions, and failed starts: what the log ties to what, and what not."""

from dataclasses import replace

import pytest

from shared.adapters.logs.log_json import parse_json_entry
from shared.detection.connections import are_different_connections, find_connection_ids
from shared.detection.entry import LogEntry
from shared.detection.exception_chain import read_chain
from shared.detection.incident import Incident, describe_raised_exception
from shared.detection.signal import SignalKind
from tests.support.log_samples import time_at
from tests.support.start_samples import UVICORN
from tests.support.tied_logs import CLOSED, RAISED, TRACEBACK_HEADER, LogStep, incidents_of, make_log_entries

KEY_ERROR = RAISED.replace("AttributeError: no enviorn", "KeyError: 'crane'").replace("berth.py", "crane.py")
DURING = "\n\nDuring handling of the above exception, another exception occurred:\n\n"
BECAUSE = "\n\nThe above exception was the direct cause of the following exception:\n\n"
WRAPPED = KEY_ERROR + BECAUSE + RAISED.replace("AttributeError: no enviorn", "ferry.errors.MoorError: crane")
GROUP = (
    "  + Exception Group Traceback (most recent call last):\n"
    '  |   File "/app/ferry.py", line 12, in serve\n'
    "  |     async with asyncio.TaskGroup() as group:\n"
    "  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)\n"
    "  +-+---------------- 1 ----------------\n"
    "    | Traceback (most recent call last):\n"
    '    |   File "/app/crane.py", line 5, in moor\n'
    "    |     lamps['crane']\n"
    "    | KeyError: 'crane'\n"
    "    +------------------------------------"
)
TIMEOUT = (
    f'{TRACEBACK_HEADER}  File "/app/crane.py", line 5, in moor\n    await tide\nasyncio.exceptions.CancelledError'
    f'{BECAUSE}{TRACEBACK_HEADER}  File "/app/crane.py", line 4, in moor\n    async with timeout(3):\nTimeoutError'
)


def causes(*steps: LogStep) -> dict[str, int]:
    """The classes of the tied exceptions, with how many closes."""
    return {each.raised.exception.error_class: each.occurrences for each in _closes(*steps) if each.raised is not None}


def _closes(*steps: LogStep) -> list[Incident]:
    return [each for each in incidents_of(make_log_entries(*steps)) if each.kind is SignalKind.CLOSE_1011]


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"request_id": "r-1"}, "request id r-1"),
        ({"requestId": "r-1"}, "request id r-1"),
        ({"connection_id": 17}, "connection id 17"),
        ({"session-id": "s1"}, "session id s1"),
        ({"sid": "kQ7"}, "sid id kQ7"),
        ({"trace_id": "4bf92f"}, "trace id 4bf92f"),
        ({"otelTraceID": "4bf92f"}, "trace id 4bf92f"),
        ({"dd.trace_id": "4bf92f"}, "trace id 4bf92f"),
        ({"taskName": "Task-12"}, "task Task-12"),
        ({"client": "10.0.0.7:50122"}, "client 10.0.0.7:50122"),
        ({"peername": ["10.0.0.7", 50122]}, "client 10.0.0.7:50122"),
        ({"peername": ["::1", 50122]}, "client ::1:50122"),
        ({"extra": {"ws_id": "w1"}}, "ws id w1"),
    ],
)
def test_fields_of_a_logger_name_the_connection(fields: dict[str, object], name: str) -> None:
    for entry in ({"jsonPayload": {"message": "moored", **fields}}, {"message": "moored", **fields}):
        assert find_connection_ids(parse_json_entry(entry, 0)) == {name}


@pytest.mark.parametrize(
    "fields",
    [{"request_id": ""}, {"request_id": True}, {"request_id": {"a": 1}}, {"id": "r-1"}, {"berth_id": "b"},
     {"task": "moor the ship"}, {"client": "Harbour Ltd"}, {"remote": ["10.0.0.7"]}],
)  # fmt: skip
def test_other_fields_name_none(fields: dict[str, object]) -> None:
    assert find_connection_ids(parse_json_entry({"jsonPayload": {"message": "moored", **fields}}, 0)) == frozenset()


@pytest.mark.parametrize("key", ["request_id", "connectionId", "sid", "trace_id", "taskName"])
def test_a_close_is_tied_to_the_exception_that_has_the_same_field(key: str) -> None:
    """The exception of the other connection came last, and says nothing of this one."""
    names = ("Task-1", "Task-2")
    entries = [
        {"message": "failed", "exc_info": KEY_ERROR, key: names[0]},
        {"message": "failed", "exc_info": RAISED, key: names[1]},
        {"message": CLOSED, key: names[0]},
    ]
    logged = [
        replace(parse_json_entry({"jsonPayload": payload}, number), timestamp=time_at(number), instance="a")
        for number, payload in enumerate(entries)
    ]
    [incident] = [each for each in incidents_of(logged) if each.kind is SignalKind.CLOSE_1011]
    assert incident.raised is not None
    assert incident.raised.exception.error_class == "KeyError"


_HTTP_FRAMES = (
    '  File "/usr/local/lib/python3.11/site-packages/uvicorn/protocols/http/h11_impl.py", line 403, in run_asgi\n    '
    "result = await app(\n",
    '  File "/usr/local/lib/python3.11/site-packages/starlette/routing.py", line 75, in app\n    await '
    "wrap_app_handling_exceptions(app, request)(scope, receive, send)\n",
    '  File "/usr/local/lib/python3.11/site-packages/django/core/handlers/exception.py", line 55, in inner\n    '
    "response = get_response(request)\n",
)


@pytest.mark.parametrize("frames", _HTTP_FRAMES, ids=["uvicorn", "starlette", "django"])
def test_what_an_http_request_raised_closes_no_websocket(frames: str) -> None:
    of_http = RAISED.replace(TRACEBACK_HEADER, TRACEBACK_HEADER + frames)
    assert causes(("a", of_http), ("a", CLOSED)) == {}
    assert causes(("a", KEY_ERROR), ("a", of_http), ("a", CLOSED)) == {"KeyError": 1}
    assert causes(("a", of_http.replace("(app, request)", "(app, session)")), ("a", CLOSED)) == (
        {"AttributeError": 1} if "(app, request)" in frames else {}
    )


def test_a_name_of_a_connection_ties_no_close_to_what_was_logged_long_before() -> None:
    """A session's id lives on when the client connects again."""
    steps = ("a", f"session_id=s1 failed\n{RAISED}"), ("a", f"session_id=s1 {CLOSED}")
    for minutes, tied in ((5, {"AttributeError": 1}), (11, {})):
        logged = incidents_of(make_log_entries(*steps, step=60.0 * minutes))
        closes = [each for each in logged if each.kind is SignalKind.CLOSE_1011]
        assert {each.raised.exception.error_class: 1 for each in closes if each.raised is not None} == tied


@pytest.mark.parametrize(
    ("first", "then", "differ"),
    [
        ("client 10.0.0.7:50122 left", "WebSocket 10.0.0.7:50123 closed", True),
        ("client 10.0.0.7:50122 left", "peer ('10.0.0.7', 50122) closed", False),
        ("[Task-17] failed", "Task-18: closed", True),
        ("session_id=ab12 failed", "session_id=cd34 closed", True),
        ("session_id=ab12 failed", "Task-18: closed", False),
        ("failed", "Task-18: closed", False),
        ("websocket could not connect to 10.0.0.7:50122", "WebSocket 10.0.0.7:50123 closed", False),
    ],
)
def test_two_entries_name_different_connections_where_they_name_them_in_one_way(
    first: str, then: str, *, differ: bool
) -> None:
    ids = [find_connection_ids(LogEntry(0, text)) for text in (first, then)]
    assert are_different_connections(*ids) is differ


def test_a_traceback_names_no_connection() -> None:
    assert (
        find_connection_ids(LogEntry(0, f"{TRACEBACK_HEADER}    client_id=client_id\nKeyError: 'Task-3'"))
        == frozenset()
    )


@pytest.mark.parametrize("name", ["client 10.1.0.{}:50122", "Task-{}", "connection_id={}"])
def test_interleaved_connections_are_told_apart_by_their_names(name: str) -> None:
    first, second = name.format("1"), name.format("2")
    steps = [("a", f"{first} failed\n{RAISED}"), ("a", f"{second} failed\n{KEY_ERROR}"),
             ("a", f"{first} {CLOSED}"), ("a", f"{second} {CLOSED}"), ("a", f"{second} {CLOSED}")]  # fmt: skip
    assert causes(*steps) == {"AttributeError": 1, "KeyError": 2}


def test_of_interleaved_connections_without_names_each_exception_is_a_candidate() -> None:
    [incident] = _closes(("a", RAISED), ("a", KEY_ERROR), ("a", CLOSED), ("a", CLOSED))
    assert (incident.raised, incident.occurrences) == (None, 2)
    assert {each.exception.error_class for each in incident.candidates} == {"AttributeError", "KeyError"}


def test_equal_exceptions_of_several_connections_have_a_close_each() -> None:
    assert causes(("a", RAISED), ("a", RAISED), ("a", CLOSED), ("a", CLOSED)) == {"AttributeError": 2}


def test_one_close_after_two_exceptions_is_the_last_one_s() -> None:
    assert causes(("a", KEY_ERROR), ("a", RAISED), ("a", CLOSED)) == {"AttributeError": 1}


@pytest.mark.parametrize("text", [WRAPPED, WRAPPED.replace(BECAUSE, DURING), GROUP, GROUP + DURING + RAISED])
def test_a_chain_is_read_to_its_first_link_and_its_end_is_told(text: str) -> None:
    [incident] = _closes(("a", text), ("a", CLOSED))
    assert incident.raised is not None
    assert incident.raised.exception.error_class == "KeyError"
    assert incident.raised.last_link is not None
    assert incident.raised.last_link.error_class in describe_raised_exception(incident)


@pytest.mark.parametrize("text", [WRAPPED, GROUP])
def test_a_chain_that_was_logged_line_by_line_is_the_same(text: str) -> None:
    whole, parted = (
        _closes(*steps, ("a", CLOSED)) for steps in ([("a", text)], [("a", line) for line in text.split("\n") if line])
    )
    assert [each.raised.chain for each in parted if each.raised] == [each.raised.chain for each in whole if each.raised]
    assert [each.fingerprint for each in parted] == [each.fingerprint for each in whole]


def test_links_that_only_steer_the_control_flow_are_no_cause() -> None:
    chain = read_chain(TIMEOUT)
    assert chain is not None
    assert [each.error_class for each in chain] == ["TimeoutError"]


def test_two_tracebacks_of_one_text_without_a_chain_are_none() -> None:
    chain = read_chain(f"{KEY_ERROR}\n{RAISED}")
    assert chain is not None
    assert [each.error_class for each in chain] == ["AttributeError"]


def test_mixed_lines_of_two_tracebacks_lend_no_frame_to_either() -> None:
    mixed = [line for pair in zip(RAISED.split("\n"), KEY_ERROR.split("\n"), strict=True) for line in pair]
    incidents = incidents_of(make_log_entries(*[("a", line) for line in mixed], ("a", CLOSED), step=0.001))
    assert [each.raised.location for each in incidents if each.raised is not None] in ([], [None])


def test_an_exception_that_ended_a_websocket_and_its_close_are_one_incident() -> None:
    ended = RAISED.replace(
        TRACEBACK_HEADER,
        f'ERROR: Exception in ASGI application\n{TRACEBACK_HEADER}  File "/usr/local/lib/python3.11/site-packages/'
        'uvicorn/protocols/websockets/websockets_impl.py", line 244, in run_asgi\n    result = await self.app(\n',
    )
    assert causes(("a", ended), ("a", CLOSED)) == {"AttributeError": 2}


STARTED = (
    f'{TRACEBACK_HEADER}{UVICORN}  File "/app/main.py", line 3, in <module>\n    import lamps\n'
    "ImportError: cannot import name 'red' from 'lamps' (/app/lamps.py)"
)
SENTENCES = (
    "Container called exit(1).",
    "The user-provided container failed to start and listen on the port defined provided by the PORT=8080 environment "
    "variable within the allocated timeout.",
)


def _start_entries(*texts: str) -> list[LogEntry]:
    entries = make_log_entries(*[("a", text) for text in texts])
    return [replace(each, instance="" if each.text in SENTENCES else "a") for each in entries]


def test_a_traceback_and_the_sentences_about_it_are_one_incident() -> None:
    [incident] = incidents_of(_start_entries(STARTED, *SENTENCES))
    assert (incident.kind, incident.error_class, incident.path) == (
        SignalKind.FAILED_START, "ImportError", "/app/main.py"
    )  # fmt: skip
    assert (incident.occurrences, [each.text for each in incident.symptoms]) == (1, list(SENTENCES))


def test_a_traceback_that_came_line_by_line_is_the_cause_of_the_sentences() -> None:
    [whole] = incidents_of(_start_entries(STARTED, *SENTENCES))
    [parted] = incidents_of(_start_entries(*STARTED.split("\n"), *SENTENCES))
    assert (parted.fingerprint, parted.error_class, parted.sightings[0].line) == (
        whole.fingerprint, "ImportError", 3
    )  # fmt: skip
    assert len(parted.symptoms) == 2


def test_a_crash_loop_is_one_incident() -> None:
    [incident] = incidents_of(_start_entries(*(STARTED, *SENTENCES) * 3))
    assert (incident.occurrences, sum(each.occurrences for each in incident.symptoms)) == (3, 6)


def test_a_syntax_error_explains_the_sentences() -> None:
    shown = "  File \"/app/lamps.py\", line 9\n    red = (\n          ^\nSyntaxError: '(' was never closed"
    broken = "\n".join((*STARTED.split("\n")[:-1], shown))
    [incident] = incidents_of(_start_entries(broken, *SENTENCES))
    assert (incident.kind, len(incident.symptoms)) == (SignalKind.SYNTAX_ERROR, 2)


@pytest.mark.parametrize(
    ("entry", "changes"),
    [
        (RAISED, {}),
        (STARTED, {"revision": "ferry-2"}),
        (STARTED, {"timestamp": time_at(-700)}),
    ],
)
def test_what_did_not_happen_at_this_start_is_not_its_cause(entry: str, changes: dict[str, object]) -> None:
    first, *rest = _start_entries(entry, *SENTENCES)
    incidents = incidents_of([replace(first, **changes), *rest])  # type: ignore[arg-type]
    [sentences] = [each for each in incidents if each.kind is SignalKind.FAILED_START and not each.error_class]
    assert (sentences.raised, sentences.occurrences) == (None, 2)


def test_another_instance_s_exception_is_not_the_cause_of_a_named_instance_s_failed_start() -> None:
    first, *rest = make_log_entries(("a", STARTED), ("b", SENTENCES[0]))
    assert [each.raised is None for each in incidents_of([first, *rest])] == [False, True]
