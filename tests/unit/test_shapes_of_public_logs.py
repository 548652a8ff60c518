"""Forms in which servers and loggers write a failure, as public reports quote them; texts and names are invented."""

import json

import pytest

from shared.adapters.logs.log_json import parse_json_entry
from shared.detection.causes.cause import CauseClass
from shared.detection.causes.own_code import classify_code_error
from shared.detection.close_code import CloseKind, detect_close_1011
from shared.detection.logged_exception import parse_exceptions
from shared.detection.websocket_exception import find_websocket_exception

PACKAGES = "/usr/local/lib/python3.12/site-packages"
HEADER = "Traceback (most recent call last):\n"
BY_ADDRESS = "return await application(scope, receive, send)"
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
