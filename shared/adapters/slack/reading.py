"""Values of a request, read strictly: whatever is not there, or is not what it must be, is a Reject with its name."""

import json
from collections.abc import Mapping

from shared.errors import Reject

Json = Mapping[str, object]

_LONGEST = 1_000


def object_of(text: str, what: str) -> Json:
    """The JSON object that a text holds."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise Reject("malformed_interaction", f"the {what} is not JSON") from None
    if not isinstance(found, dict):
        raise Reject("malformed_interaction", f"the {what} is no object")
    return found


def part_of(value: Json, key: str) -> Json:
    """An object within an object."""
    found = value.get(key)
    if not isinstance(found, dict):
        raise Reject("malformed_interaction", f"no {key}")
    return found


def text_of(value: Json, key: str, longest: int = _LONGEST) -> str:
    """A text that is not empty, of one line."""
    found = value.get(key)
    if not isinstance(found, str) or not 0 < len(found) <= longest or not found.isprintable():
        raise Reject("malformed_interaction", f"no usable {key}")
    return found


def team_of(payload: Json) -> str:
    """The workspace's id; that of the organisation where the app is installed for all of it and `team` is null."""
    owner = "team" if payload.get("team") is not None else "enterprise"
    return text_of(part_of(payload, owner), "id")


def app_of(payload: Json) -> str:
    """The id of the app that the interaction belongs to; "" where none is told."""
    return text_of(payload, "api_app_id") if "api_app_id" in payload else ""


def name_of(user: Json) -> str:
    """What the user is called; an id decides, never a name."""
    return text_of(user, "username" if "username" in user else "name")
