"""What test_malformed_messages and other tests share."""

import base64
import json
from collections.abc import Mapping

from tests.support.function_clients import (
    EVENT_HEADERS,
    encode_form,
)

DEEPLY_NESTED = b"[" * 100_000


NOW = {"publishTime": "2026-04-07T08:00:00Z"}


def message(value: object) -> bytes:
    return json.dumps({"message": value, "subscription": "s"}).encode()


def envelope_with(data: bytes, **more: object) -> bytes:
    return message({"data": base64.b64encode(data).decode()} | NOW | more)


def event(**changes: str) -> dict[str, str]:
    return {name: value for name, value in (EVENT_HEADERS | changes).items() if value}


# Wrong for every function, `verify` included: the envelope itself. Body and headers.
MALFORMED_ENVELOPES: dict[str, tuple[bytes, Mapping[str, str]]] = {
    "nothing": (b"", EVENT_HEADERS),
    "nothing at all": (b"", {}),
    "not JSON": (b"tick", EVENT_HEADERS),
    "not UTF-8": (b"\xff\xfe\x00", EVENT_HEADERS),
    "half of a JSON": (b'{"message": {"data": "', EVENT_HEADERS),
    "XML": (b"<message/>", {"content-type": "text/xml"}),
    "a form": (b"message=1", {"content-type": "application/x-www-form-urlencoded"}),
    "a list": (b"[]", EVENT_HEADERS),
    "null": (b"null", EVENT_HEADERS),
    "a number": (b"7", EVENT_HEADERS),
    "NaN": (b"NaN", EVENT_HEADERS),
    "a number of 5,000 digits": (b'{"message": ' + b"9" * 5_000 + b"}", EVENT_HEADERS),
    "deep": (DEEPLY_NESTED, EVENT_HEADERS),
    "deep in a field": (b'{"message": ' + DEEPLY_NESTED + b"}", EVENT_HEADERS),
    "no message": (b"{}", EVENT_HEADERS),
    "message is text": (message("data"), EVENT_HEADERS),
    "message is a list": (message([{"data": ""}]), EVENT_HEADERS),
    "message is null": (message(None), EVENT_HEADERS),
    "data is a number": (message({"data": 1}), EVENT_HEADERS),
    "data is null": (message({"data": None}), EVENT_HEADERS),
    "data is an object": (message({"data": {"a": 1}}), EVENT_HEADERS),
    "wrong base64": (message({"data": "%%%%"}), EVENT_HEADERS),
    "base64 without its end": (message({"data": "YQ"}), EVENT_HEADERS),
    "base64 that is not ASCII": (message({"data": "ä"}), EVENT_HEADERS),
    "a time that is none": (envelope_with(b"{}", publishTime="yesterday"), EVENT_HEADERS),
    "a time outside the calendar": (envelope_with(b"{}", publishTime="9999-12-31T23:59:59-23:59"), EVENT_HEADERS),
    "an old message": (envelope_with(b"{}", publishTime="2026-04-05T08:00:00Z"), EVENT_HEADERS),
    "an unknown version of CloudEvents": (envelope_with(b"{}"), event(**{"ce-specversion": "9.9"})),
    "no version of CloudEvents": (envelope_with(b"{}"), event(**{"ce-specversion": ""})),
    "an event of another type": (
        envelope_with(b"{}"),
        event(**{"ce-type": "google.cloud.storage.object.v1.finalized"}),
    ),
    "an event in the body without data": (
        b'{"specversion": "1.0", "type": "' + EVENT_HEADERS["ce-type"].encode() + b'"}',
        {},
    ),
    "17 MB": (envelope_with(b"a" * (13 << 20)), EVENT_HEADERS),
}


BUTTON = {"action_id": "provenfix_approve", "value": '{"proposal":"p","incident":"i","commit":"c","evidence":"e"}'}


VALID_CLICK = {
    "type": "block_actions",
    "trigger_id": "1.2",
    "user": {"id": "U-NORA", "username": "nora"},
    "team": {"id": "T-SHORE"},
    "channel": {"id": "C-TIDE"},
    "container": {"message_ts": "1.2", "channel_id": "C-TIDE"},
    "actions": [BUTTON],
}


MALFORMED_CLICKS: dict[str, bytes] = {
    "nothing": b"",
    "not a form": b"payload",
    "no payload": b"a=b",
    "two payloads": b"payload=1&payload=2",
    "a thousand fields": b"&".join(b"a%d=1" % n for n in range(1000)),
    "not UTF-8": b"payload=\xff",
    "not UTF-8, quoted": b"payload=%ff%fe",
    "a payload that is not JSON": b"payload=%7B",
    "a payload that is text": encode_form("block_actions"),
    "a payload that is a list": encode_form([VALID_CLICK]),
    "a deep payload": b"payload=" + DEEPLY_NESTED,
    "no type": encode_form({}),
    "another interaction": encode_form(VALID_CLICK | {"type": "view_submission"}),
    "a type that is a list": encode_form(VALID_CLICK | {"type": ["block_actions"]}),
    "no actions": encode_form(VALID_CLICK | {"actions": []}),
    "two actions": encode_form(VALID_CLICK | {"actions": [BUTTON, BUTTON]}),
    "actions that are text": encode_form(VALID_CLICK | {"actions": "provenfix_approve"}),
    "an action that is text": encode_form(VALID_CLICK | {"actions": ["provenfix_approve"]}),
    "a button without a value": encode_form(VALID_CLICK | {"actions": [{"action_id": "provenfix_deny"}]}),
    "a value that is a number": encode_form(VALID_CLICK | {"actions": [BUTTON | {"value": 7}]}),
    "a value that is not JSON": encode_form(VALID_CLICK | {"actions": [BUTTON | {"value": "p"}]}),
    "a value without an incident": encode_form(VALID_CLICK | {"actions": [BUTTON | {"value": '{"proposal":"p"}'}]}),
    "a value of 3,000 characters": encode_form(VALID_CLICK | {"actions": [BUTTON | {"value": "v" * 3000}]}),
    "no user": encode_form({name: value for name, value in VALID_CLICK.items() if name != "user"}),
    "a user that is text": encode_form(VALID_CLICK | {"user": "U-NORA"}),
    "a user whose id is a list": encode_form(VALID_CLICK | {"user": {"id": ["U-NORA"], "username": "nora"}}),
    "a user whose id is empty": encode_form(VALID_CLICK | {"user": {"id": "", "username": "nora"}}),
    "no channel": encode_form(VALID_CLICK | {"channel": None}),
    "no team and no organisation": encode_form(VALID_CLICK | {"team": None, "enterprise": None}),
    "no trigger": encode_form(VALID_CLICK | {"trigger_id": None}),
    "a name with a line break": encode_form(VALID_CLICK | {"user": {"id": "U-NORA", "username": "no\nra"}}),
}
