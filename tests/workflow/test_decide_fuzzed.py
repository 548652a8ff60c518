"""Ten thousand requests that nobody should send to `decide`, and what it does before it answers the right one.

All of the first are refused with a status, without an exception, and leave nothing behind but rejections.
"""

import json
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest

from shared.adapters.slack.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from shared.secret import Secret
from tests.support.crash.faults import FaultPlan
from tests.support.drivers import propose_deployment, read_documents
from tests.support.function_clients import SECRET, FunctionClients, button_payload, encode_form, open_function_clients
from tests.support.harness import Harness, watched_service
from tests.support.memory import MemoryStore

FUZZED = int(os.environ.get("PROVENFIX_FUZZED", "2500"))
FOREIGN = 500
Payload = dict[str, Any]
Make = Callable[[FunctionClients, random.Random, Payload], int]


@pytest.fixture
def open_doors(harness: Harness) -> Iterator[FunctionClients]:
    propose_deployment(harness)
    with open_function_clients(harness) as opened:
        yield opened


def _stored(harness: Harness) -> dict[str, dict[str, object]]:
    """Everything but rejections."""
    assert isinstance(harness.store, MemoryStore)
    kinds = ("incidents", "proposals", "decisions", "effects", "reports", "rollouts", "caps")
    return {kind: dict(read_documents(harness, kind)) for kind in kinds}


def test_no_malformed_request_does_anything(
    harness: Harness, open_doors: FunctionClients, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn, before = random.Random(20261124), _stored(harness)
    payload = button_payload(harness.chat.posted[0].message)
    counts = Counter(make(open_doors, drawn, payload) for make in drawn.choices(MALFORMED, k=FUZZED))
    assert set(counts) <= {401, 405, 413}
    assert counts[401] > FUZZED / 2
    assert sum(counts.values()) == FUZZED
    assert _stored(harness) == before
    assert harness.bus.waiting == []
    assert "ERROR" not in capsys.readouterr().out


def unsigned(opened: FunctionClients, drawn: random.Random, payload: Payload) -> int:
    """The right click under a signature that is missing, cut off, of another key or body, or no text at all."""
    body = encode_form(payload)
    now = str(int(opened.harness.clock.now().timestamp()))
    right = sign(now, body, SECRET)
    wrong = [
        "", right[:-1], right + "0", right.upper(), right.removeprefix("v0="), "v1=" + right[3:], "v0=",
        "v0=" + "0" * 64,
        sign(now, body, Secret("other")), sign(now, body + b" ", SECRET), sign("1", body, SECRET), "é" * 67, "\x7f",
    ]  # fmt: skip
    return opened.click(body, **{SIGNATURE_HEADER: drawn.choice(wrong)}).status_code


def untimely(opened: FunctionClients, drawn: random.Random, payload: Payload) -> int:
    """Signed, at a moment that is none or not now."""
    now = int(opened.harness.clock.now().timestamp())
    moments = ["", "soon", "9" * 400, "-1", "1e9", f"{now}.0", f" {now}", str(now - 301), str(now + 301), "0", "٣", "ÿ"]
    moment = drawn.choice(moments)
    body = encode_form(payload)
    headers = {TIMESTAMP_HEADER: moment, SIGNATURE_HEADER: sign(moment, body, SECRET)}
    return opened.post("decide", body, headers).status_code


def noise(opened: FunctionClients, drawn: random.Random, _: Payload) -> int:
    return opened.click(drawn.randbytes(drawn.randrange(200))).status_code


def cut_off(opened: FunctionClients, drawn: random.Random, payload: Payload) -> int:
    body = encode_form(payload)
    return opened.click(body[: drawn.randrange(len(body))]).status_code


def odd_form(opened: FunctionClients, drawn: random.Random, payload: Payload) -> int:
    body = encode_form(payload)
    return opened.click(
        drawn.choice(
            [
                body + b"&" + body,
                body + b"&x=1" * 30,
                body.replace(b"payload=", b"payloads="),
                b"payload=%ff%fe",
                b"payload=" + b"[" * 5_000,
                b"payload=null",
                json.dumps(payload).encode(),
                b"payload=" + b"a" * 300_000,
                b"\x00" + body,
            ]
        )
    ).status_code


_READ: tuple[tuple[str | int, ...], ...] = (
    ("type",), ("user",), ("user", "id"), ("user", "username"), ("team",), ("team", "id"), ("channel",),
    ("channel", "id"),
    ("container",), ("container", "message_ts"), ("container", "channel_id"), ("trigger_id",), ("actions",),
    ("actions", 0), ("actions", 0, "value"),
)  # fmt: skip
_CARRIED = ("proposal", "incident", "commit", "evidence")
_UNUSABLE: tuple[object, ...] = (None, [], {}, "", 0, -1, 1.5, True, "a\nb", "\x00", "x" * 300_000, [[]], {"id": None})


def misshapen(opened: FunctionClients, drawn: random.Random, payload: Payload) -> int:
    """One of the values that are read is of another kind."""
    changed: Any = deepcopy(payload)
    *way, last = drawn.choice(_READ)
    at = changed
    for step in way:
        at = at[step]
    at[last] = drawn.choice(_UNUSABLE)
    return opened.click(encode_form(changed)).status_code


def miscarried(opened: FunctionClients, drawn: random.Random, payload: Payload) -> int:
    """The same within what the button carries."""
    changed: Any = deepcopy(payload)
    carried = json.loads(changed["actions"][0]["value"])
    carried[drawn.choice(_CARRIED)] = drawn.choice(_UNUSABLE)
    changed["actions"][0]["value"] = json.dumps(carried)[: drawn.choice((None, None, 30))]
    return opened.click(encode_form(changed)).status_code


def other_method(opened: FunctionClients, drawn: random.Random, payload: Payload) -> int:
    client = opened.clients["decide"]
    return client.open(
        "/", method=drawn.choice(["GET", "PUT", "DELETE", "PATCH"]), data=encode_form(payload)
    ).status_code


MALFORMED: tuple[Make, ...] = (
    unsigned, untimely, noise, cut_off, odd_form, misshapen, misshapen, miscarried, other_method,
)  # fmt: skip


def test_no_foreign_click_ever_approves(harness: Harness, open_doors: FunctionClients) -> None:
    """Well-formed and signed, and something in it is not the stored one: refused in words, stored as a rejection."""
    drawn, before = random.Random(7), _stored(harness)
    payload = button_payload(harness.chat.posted[0].message)
    for _ in range(FOREIGN):
        changed: Any = deepcopy(payload)
        for _ in range(drawn.randint(1, 3)):
            _estrange(changed, drawn)
        answered = open_doors.click(encode_form(changed))
        assert answered.status_code in {200, 401}
        assert b"Approved" not in answered.data
    assert _stored(harness) == before
    assert read_documents(harness, "rejections")


def _estrange(payload: Any, drawn: random.Random) -> None:  # JSON
    other = "".join(drawn.choices("UCTABZ0189-._/é", k=drawn.randint(1, 12)))
    match drawn.randrange(4):
        case 0:
            payload["user"]["id"] = other
        case 1:
            payload["channel"]["id"] = payload["container"]["channel_id"] = other
        case 2:
            payload["container"]["message_ts"] = other
        case _:
            carried = json.loads(payload["actions"][0]["value"])
            carried[drawn.choice(_CARRIED)] = other
            payload["actions"][0]["value"] = json.dumps(carried)


@pytest.mark.parametrize("group", [False, True])
def test_before_answering_decide_only_verifies_stores_and_publishes(group: bool) -> None:  # noqa: FBT001
    """Slack gives three seconds to the whole of it, also to a process that has just started."""
    known = watched_service("tide", approvers=(), approver_group="S-CREW") if group else watched_service()
    setting = Harness({"shore.tide": known})
    setting.chat.groups = {"S-CREW": ("U-NORA",)}
    propose_deployment(setting)
    plan = FaultPlan()
    with open_function_clients(setting, plan.tap()) as opened:
        answered = opened.click(encode_form(button_payload(setting.chat.posted[0].message)))
    assert answered.get_json()["text"].startswith("Approved.")
    calls = Counter(plan.calls)
    stored = {call: calls.pop(call) for call in list(calls) if call.startswith("store.")}
    # Who may approve, and the message to `redeploy`: platform, code host, log and compilers are not asked.
    assert calls == {"bus.publish": 1} | ({"chat.list_group_members": 1} if group else {})
    assert sum(stored.values()) <= 16, stored


def test_a_refusal_stores_the_rejection_alone(harness: Harness) -> None:
    propose_deployment(harness)
    plan = FaultPlan()
    with open_function_clients(harness, plan.tap()) as opened:
        opened.click(
            encode_form(button_payload(harness.chat.posted[0].message) | {"user": {"id": "U-M", "username": "nora"}})
        )
    assert [call for call in plan.calls if call not in {"store.read", "store.create"}] == []
    assert plan.calls.count("store.create") == 1
