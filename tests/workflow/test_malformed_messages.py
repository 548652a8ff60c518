"""Poison: messages and clicks that can never work end as a stored rejection with a reason, and the next one works."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from shared.proposal.decision import ClickKind, ClickResult, build_answer
from tests.support.function_clients import (
    FUNCTIONS_BY_TOPIC,
    FunctionClients,
    button_payload,
    encode_form,
    entry_as_json,
    open_function_clients,
    wrap_entry,
)
from tests.support.harness import Harness
from tests.support.malformed_messages import DEEPLY_NESTED, MALFORMED_CLICKS, MALFORMED_ENVELOPES, VALID_CLICK
from tests.support.memory import MemoryStore

KB_256 = 256 * 1024


# Wrong for `investigate` and `redeploy`: the message of ours within.
OURS: dict[str, bytes] = {
    "no data": b"",
    "not JSON": b"abc",
    "not UTF-8": b"\xff",
    "a list": b"[]",
    "text": b'"incident"',
    "deep": DEEPLY_NESTED,
    "no id": b"{}",
    "another's id": b'{"id": "x"}',
    "an id that is a number": b'{"incident": 1, "proposal": 1}',
    "an id that is null": b'{"incident": null, "proposal": null}',
    "an id that is a list": b'{"incident": ["x"], "proposal": ["x"]}',
    "an empty id": b'{"incident": "", "proposal": ""}',
    "an id with a line break": b'{"incident": "a\\nb", "proposal": "a\\nb"}',
    "an id with NUL": b'{"incident": "\\u0000", "proposal": "\\u0000"}',
    "half of a surrogate pair": b'{"incident": "\\ud800", "proposal": "\\ud800"}',
    "256 KB of id": json.dumps({"incident": "i" * KB_256, "proposal": "p" * KB_256}).encode(),
    "an unknown version": b'{"incident": "i", "proposal": "p", "version": "7"}',
    "a version that is an object": b'{"incident": "i", "proposal": "p", "version": {}}',
    "an id that nobody has": b'{"incident": "nobody-1", "proposal": "nobody-1-1"}',
    "a path as id": b'{"incident": "../../x", "proposal": "../../x"}',
}


def entry(**changes: object) -> bytes:
    good = entry_as_json(Harness().log_entry())
    return json.dumps({name: value for name, value in (good | changes).items() if value is not ...}).encode()


# Wrong for `record`: what should be a log entry. The second half is well-formed and means nothing.
ENTRIES: dict[str, bytes] = {
    "no data": b"",
    "not JSON": b"SyntaxError: invalid syntax (a.py, line 3)",
    "a list": b"[{}]",
    "text": b'"SyntaxError"',
    "deep": DEEPLY_NESTED,
    "no fields": b"{}",
    "no insertId": entry(insertId=...),
    "no timestamp": entry(timestamp=...),
    "a timestamp that is none": entry(timestamp="soon"),
    "a timestamp that is a list": entry(timestamp=[]),
    "no logName": entry(logName=...),
    "a logName that is a number": entry(logName=7),
}
REFUSED: dict[str, bytes] = {
    "no resource": entry(resource=...),
    "a resource that is text": entry(resource="chat"),
    "labels that are a list": entry(resource={"labels": []}),
    "another service": entry(resource={"labels": {"project_id": "shore", "service_name": "someone"}}),
    "no payload": entry(textPayload=...),
    "a payload that is a number": entry(textPayload=7),
    "a payload of both kinds": entry(textPayload=..., jsonPayload=["SyntaxError"]),
    "256 KB of text": entry(textPayload="SyntaxError " * (KB_256 // 12)),
    "256 KB of one bracket": entry(textPayload="(" * KB_256),
    "half a surrogate pair": entry(textPayload="SyntaxError \ud800"),
}


@pytest.fixture
def opened() -> Iterator[FunctionClients]:
    with open_function_clients(Harness()) as opened:
        yield opened


def stored(opened: FunctionClients) -> list[tuple[object, str]]:
    assert isinstance(opened.harness.store, MemoryStore)
    return [(one["source"], str(one["reason"])) for one in opened.harness.store.documents("rejections").values()]


def the_next_good_message_works(opened: FunctionClients) -> None:
    assert isinstance(opened.harness.store, MemoryStore)
    assert opened.deliver("record", wrap_entry(opened.harness.log_entry())).status_code == 204
    assert len(opened.harness.store.documents("incidents")) == 1
    assert [topic for topic, _ in opened.harness.bus.published] == ["incident-opened"]


def test_there_are_more_than_fifty_shapes() -> None:
    assert len(MALFORMED_ENVELOPES) + len(OURS) + len(ENTRIES) + len(REFUSED) + len(MALFORMED_CLICKS) >= 90


@pytest.mark.parametrize("function", FUNCTIONS_BY_TOPIC.values())
@pytest.mark.parametrize("shape", MALFORMED_ENVELOPES)
def test_an_envelope_that_holds_no_message_is_stored_as_rejected(
    opened: FunctionClients, capsys: pytest.CaptureFixture[str], function: str, shape: str
) -> None:
    body, headers = MALFORMED_ENVELOPES[shape]
    answered = opened.post(function, body, headers)
    assert (answered.status_code, answered.data) == (204, b"")
    assert [(source, bool(reason)) for source, reason in stored(opened)] == [(function, True)]
    nothing_crashed(capsys)
    the_next_good_message_works(opened)


@pytest.mark.parametrize("function", ["investigate", "redeploy"])
@pytest.mark.parametrize("shape", OURS)
def test_a_message_of_ours_that_means_nothing_is_stored_as_rejected(
    opened: FunctionClients, capsys: pytest.CaptureFixture[str], function: str, shape: str
) -> None:
    assert opened.deliver(function, OURS[shape]).status_code == 204
    assert [(source, bool(reason)) for source, reason in stored(opened)] == [(function, True)]
    nothing_crashed(capsys)
    the_next_good_message_works(opened)


@pytest.mark.parametrize("shape", ENTRIES)
def test_what_is_no_log_entry_is_stored_as_rejected(
    opened: FunctionClients, capsys: pytest.CaptureFixture[str], shape: str
) -> None:
    assert opened.deliver("record", ENTRIES[shape]).status_code == 204
    assert [(source, bool(reason)) for source, reason in stored(opened)] == [("record", True)]
    nothing_crashed(capsys)
    the_next_good_message_works(opened)


@pytest.mark.parametrize("shape", REFUSED)
def test_an_entry_that_is_no_signal_is_refused_with_a_reason(
    opened: FunctionClients, capsys: pytest.CaptureFixture[str], shape: str
) -> None:
    opened.harness.clock.advance(
        timedelta(minutes=2)
    )  # a younger one is asked about once more: its neighbours may come
    assert opened.deliver("record", REFUSED[shape]).status_code == 204
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said["provenfix"]["outcome"].startswith("refused:")
    the_next_good_message_works(opened)


def nothing_crashed(capsys: pytest.CaptureFixture[str]) -> None:
    told = capsys.readouterr()
    lines = [json.loads(line) for line in told.out.splitlines()]
    assert [line["severity"] for line in lines] == ["NOTICE"]
    assert lines[0]["provenfix"]["outcome"].startswith("rejected:")
    assert told.err == ""


@pytest.mark.parametrize("shape", MALFORMED_CLICKS)
def test_a_signed_request_that_makes_no_sense_is_a_401_and_stored(
    opened: FunctionClients, capsys: pytest.CaptureFixture[str], shape: str
) -> None:
    answered = opened.click(MALFORMED_CLICKS[shape])
    assert (answered.status_code, answered.data) == (401, b"")
    assert [source for source, _ in stored(opened)] == ["decide"]
    nothing_crashed(capsys)


def test_after_poison_a_click_still_decides(opened: FunctionClients) -> None:
    opened.deliver("record", wrap_entry(opened.harness.log_entry()))
    opened.deliver("investigate", json.dumps(opened.harness.bus.waiting.pop()[1]).encode())
    for body in MALFORMED_CLICKS.values():
        opened.click(body)
    answered = opened.click(encode_form(button_payload(opened.harness.chat.posted[0].message, ClickKind.DENY)))
    assert answered.get_json()["text"] == build_answer(ClickResult.DENIED).text


def test_the_good_click_from_which_the_bad_ones_are_made_is_read(opened: FunctionClients) -> None:
    answered = opened.click(encode_form(VALID_CLICK))
    assert (answered.status_code, answered.get_json()["text"]) == (200, build_answer(ClickResult.UNKNOWN_PROPOSAL).text)


def test_a_flood_of_poison_costs_one_write(opened: FunctionClients) -> None:
    for _ in range(50):
        opened.deliver("record", b"nope")
    assert isinstance(opened.harness.store, MemoryStore)
    assert sum(opened.harness.store.writes.values()) == 1
