"""Payloads that are long, deep or repeat themselves: the reading ends, costs in proportion, and keeps what counts."""

import json

import pytest

from shared.adapters.logs import json_payload
from shared.adapters.logs.log_json import parse_json_entry
from shared.detection.signal import Signal, read_signal
from shared.text.escaping import MAX_TEXT_LENGTH
from tests.support.log_samples import LINE_624, TRACEBACK, export_entry


def text_of(payload: object) -> str:
    return parse_json_entry(export_entry(None, jsonPayload=payload), 0).text


def nested(depth: int, value: object, key: str = "a") -> object:
    for _ in range(depth):
        value = {key: value}
    return value


DEEP_LIST: object = LINE_624
for _ in range(300):
    DEEP_LIST = [DEEP_LIST]

HOSTILE = {
    "deep": nested(300, TRACEBACK),
    "deep causes": nested(300, {"type": "KeyError", "message": "'rope'"}, "cause"),
    "deep errors": nested(300, {"type": "KeyError", "stack": TRACEBACK}, "error"),
    "deep list": {"exception": DEEP_LIST},
    "many keys": {f"key{number}": LINE_624 for number in range(20_000)},
    "many errors": {"errors": [{"type": "KeyError", "message": str(number)} for number in range(20_000)]},
    "many frames": {
        "exception": {"type": "E", "frames": [{"filename": "a.py", "lineno": 1, "function": "f"}] * 20_000}
    },
    "many lines": {"exc_info": ['  File "a.py", line 1, in f\n'] * 50_000},
    "long text": {"log": "Traceback (most recent call last):\n" * 30_000},
    "long names": {"error": {"type": "E" * 500_000, "message": "m" * 500_000}},
    "embedded in itself": {"log": json.dumps({"log": json.dumps({"log": json.dumps({"log": LINE_624})})})},
    "mixed": {"exception": [{"frames": [[1], {}, None, "x", {"filename": 7, "lineno": []}]}, 3, None, [[[]]]]},
    "wrong types": {"exception": {"values": "x", "stacktrace": {"frames": {"a": 1}}}, "attributes": [1, {"key": 3}]},
    "wrong context": {
        "message": "SyntaxError: bad",
        "context": {"reportLocation": {"filePath": [], "lineNumber": "x"}},
    },
}


@pytest.mark.parametrize("name", HOSTILE)
def test_reading_ends_and_is_bounded(name: str) -> None:
    text = text_of(HOSTILE[name])
    assert len(text) <= MAX_TEXT_LENGTH + 10
    read_signal(parse_json_entry(export_entry(None, jsonPayload=HOSTILE[name]), 0))


def test_embedded_objects_are_read() -> None:
    found = read_signal(parse_json_entry(export_entry(None, jsonPayload=HOSTILE["embedded in itself"]), 0))
    assert isinstance(found, Signal)


def count_visits(payload: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> int:
    """How many objects and strings are looked at for one payload."""
    visits = 0
    read = json_payload._read_member  # what is counted is the work itself

    def counting(*arguments: object) -> None:
        nonlocal visits
        visits += 1
        read(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(json_payload, "_read_member", counting)
        text_of(payload)
    return visits


def test_work_grows_with_the_payload_and_no_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    def payload(size: int) -> dict[str, object]:
        return {"a": [{"b": {"c": ["x"], "message": "fine"}} for _ in range(size)]}

    counts = [count_visits(payload(size), monkeypatch) for size in (100, 200, 400)]
    assert counts[1] <= 2 * counts[0] + 4
    assert counts[2] <= 2 * counts[1] + 4


def test_work_on_a_tree_of_errors_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each error holds two: what looks like a graph without an end is left after so many objects."""
    tree: dict[str, object] = {"type": "KeyError", "message": "'rope'"}
    for _ in range(40):
        tree = {"errors": [tree, tree], "cause": tree}
    assert count_visits(tree, monkeypatch) < 20_000
