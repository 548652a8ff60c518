"""Reads the Pub/Sub message that a request delivers, frozen and typed; refuses what is none.

functions-framework does not read it: that answers 400 to a message without data, drops the subscription, and prints a
traceback for a body that is not JSON. Accepted are a CloudEvent with its attributes in headers (as Eventarc sends it)
or in the body, and the body of a plain push subscription.
https://cloud.google.com/eventarc/docs/cloudevents#pubsub, https://cloud.google.com/pubsub/docs/push#receive_push
"""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from shared.errors import Reject

if TYPE_CHECKING:
    from flask import Request

MAX_BODY_BYTES = 16 << 20
"""Pub/Sub takes 10 MB, and base64 makes a third more of them."""
_SPEC_VERSIONS = frozenset(("1.0", "0.3"))
_EVENT_TYPE = "google.cloud.pubsub.topic.v1.messagePublished"
_MAX_ID_LENGTH = 1_000
_ALL_TRAFFIC = 100


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery of one message."""

    message_id: str
    """Pub/Sub's; a copy of a message may carry another one."""
    data: bytes
    """b"" where the message has none."""
    published_at: datetime | None
    """Aware, in UTC; None where the request does not say."""


def read_delivery(request: "Request") -> Delivery:
    """Raises Reject with a named reason; never anything else because of what the request holds."""
    body = parse_json_object(read_body(request, MAX_BODY_BYTES), "not_a_message")
    headers = request.headers
    if "ce-specversion" in headers or "ce-id" in headers:
        _check_event(headers.get("ce-specversion", ""), headers.get("ce-type", ""))
        return _parse_delivery(body, headers.get("ce-time"))
    if "specversion" in body:
        _check_event(body.get("specversion"), body.get("type"))
        data = body.get("data")
        return _parse_delivery(data if isinstance(data, dict) else {}, body.get("time"))
    return _parse_delivery(body, None)


def read_body(request: "Request", max_bytes: int) -> bytes:
    """The raw body, whether or not its length was announced. Raises Reject if it is longer than `max_bytes`."""
    announced = request.content_length or 0
    body = request.stream.read(max_bytes + 1) if announced <= max_bytes else b""
    if announced > max_bytes or len(body) > max_bytes:
        raise Reject("too_large", f"more than {max_bytes} bytes")
    return body


def reject_old(delivery: Delivery, now: datetime, max_age: timedelta) -> None:
    """Raises Reject for a message that was published too long ago."""
    if delivery.published_at is not None and now - delivery.published_at > max_age:
        raise Reject("too_old", f"published at {delivery.published_at.isoformat()}")


def parse_json_object(text: bytes, reason: str) -> Mapping[str, object]:
    """The object that a text holds. Raises Reject with `reason` where it holds something else."""
    try:
        value = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Reject(reason, f"not JSON: {type(error).__name__}") from None
    if not isinstance(value, dict):
        raise Reject(reason, f"a JSON {type(value).__name__} instead of an object")
    return value


def read_text_field(delivery: Delivery, key: str) -> str:
    """The one text that a message of ours carries, such as `{"incident": "…"}`. Raises Reject."""
    message = parse_json_object(delivery.data, "not_a_message_of_ours")
    if message.get("version", "1") != "1":
        raise Reject("unknown_version", key)
    value = message.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_ID_LENGTH or not value.isprintable():
        raise Reject("wrong_fields", f"no usable {key}")
    return value


def read_share(delivery: Delivery) -> tuple[str, int] | None:
    """Revision and percent of a message that asks for traffic; None for one that does not. Raises Reject."""
    message = parse_json_object(delivery.data, "not_a_message_of_ours")
    if "revision" not in message and "percent" not in message:
        return None
    revision, percent = read_text_field(delivery, "revision"), read_text_field(delivery, "percent")
    if not re.fullmatch(r"[0-9]{1,3}", percent) or int(percent) > _ALL_TRAFFIC:
        raise Reject("wrong_fields", "no usable percent")
    return revision, int(percent)


def _check_event(version: object, event_type: object) -> None:
    if version not in _SPEC_VERSIONS:
        raise Reject("unknown_version", "of CloudEvents")
    if event_type != _EVENT_TYPE:
        raise Reject("unknown_type", "not a published message")


def _parse_delivery(wrapped: Mapping[str, object], event_time: object) -> Delivery:
    message = wrapped.get("message")
    if not isinstance(message, dict):
        raise Reject("not_a_message", "no message in it")
    number = message.get("messageId", message.get("message_id", ""))
    published = message.get("publishTime", message.get("publish_time", event_time))
    return Delivery(str(number)[:_MAX_ID_LENGTH], _decode_data(message.get("data", "")), _parse_time(published))


def _decode_data(text: object) -> bytes:
    if not isinstance(text, str):
        raise Reject("not_base64", f"a JSON {type(text).__name__}")
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise Reject("not_base64", "") from None


def _parse_time(text: object) -> datetime | None:
    if not isinstance(text, str) or not text:
        return None
    try:
        # Pub/Sub sends nanoseconds only if there are any; datetime keeps microseconds of them.
        time = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Reject("wrong_fields", "the time of the message is none") from None
