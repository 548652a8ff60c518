"""Values of a request, read strictly: whatever is not there, or is not what it must be, is a Reject with its name."""

import json
from collections.abc import Mapping

from shared.errors import Reject

Json = Mapping[str, object]

_MAX_LENGTH = 1_000


def parse_object(text: str, what: str) -> Json:
    """The JSON object that a text holds."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise Reject("malformed_interaction", f"the {what} is not JSON") from None
    if not isinstance(found, dict):
        raise Reject("malformed_interaction", f"the {what} is no object")
    return found


def get_object(value: Json, key: str) -> Json:
    """An object within an object."""
    found = value.get(key)
    if not isinstance(found, dict):
        raise Reject("malformed_interaction", f"no {key}")
    return found


def get_text(value: Json, key: str, max_length: int = _MAX_LENGTH) -> str:
    """A text that is not empty, of one line."""
    found = value.get(key)
    if not isinstance(found, str) or not 0 < len(found) <= max_length or not found.isprintable():
        raise Reject("malformed_interaction", f"no usable {key}")
    return found


def get_team_id(payload: Json) -> str:
    """The workspace's id; that of the organisation where the app is installed for all of it and `team` is null."""
    owner = "team" if payload.get("team") is not None else "enterprise"
    return get_text(get_object(payload, owner), "id")


def get_app_id(payload: Json) -> str:
    """The id of the app that the interaction belongs to; "" where none is told."""
    return get_text(payload, "api_app_id") if "api_app_id" in payload else ""


def get_user_name(user: Json) -> str:
    """What the user is called; an id decides, never a name."""
    return get_text(user, "username" if "username" in user else "name")
