"""A denial comes in, the dialog that asks for its reason goes out; its answer comes in, the denial goes out.

The dialog carries what the click was bound to in `private_metadata`: Slack keeps it, and signs it with the answer.
https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload
"""

import json
from collections.abc import Mapping

from shared.adapters.slack.reading import Json, get_app_id, get_user_name, parse_object, get_object, get_team_id, get_text
from shared.errors import Reject
from shared.proposal.decision import Click, ClickKind

DENIAL_CALLBACK = "provenfix_denial"
REASON_FIELD = "reason"
"""The block in which a refusal can be shown."""
_MAX_REASON_LENGTH = 500
_MAX_METADATA_LENGTH = 3_000
_BOUND_FIELDS = ("proposal", "incident", "commit", "evidence_hash", "channel", "message")


def denial_dialog(click: Click) -> dict[str, object]:
    """The dialog for `views.open`."""
    bound = {name: getattr(click, name) for name in _BOUND_FIELDS}
    field = {
        "type": "plain_text_input",
        "action_id": REASON_FIELD,
        "multiline": True,
        "max_length": _MAX_REASON_LENGTH,
        "placeholder": _plain_text("Wrong commit, wrong moment, already mended by hand, …"),
    }
    asked = {
        "type": "input",
        "block_id": REASON_FIELD,
        "optional": True,
        "label": _plain_text("Why should this commit not be deployed?"),
        "hint": _plain_text("It is kept with the decision and shown in the channel."),
        "element": field,
    }
    return {
        "type": "modal",
        "callback_id": DENIAL_CALLBACK,
        "private_metadata": json.dumps(bound, separators=(",", ":")),
        "title": _plain_text("Deny"),
        "submit": _plain_text("Deny"),
        "close": _plain_text("Cancel"),
        "blocks": [asked],
    }


def parse_denial(payload: Json) -> Click:
    """The denial that a submitted dialog stands for. Raises Reject, and nothing else whatever the payload holds."""
    opened = get_object(payload, "view")
    if opened.get("callback_id") != DENIAL_CALLBACK:
        raise Reject("unsupported_interaction", "not a dialog of ours")
    bound = parse_object(get_text(opened, "private_metadata", _MAX_METADATA_LENGTH), "private_metadata")
    user = get_object(payload, "user")
    return Click(
        kind=ClickKind.DENY,
        user=get_text(user, "id"),
        user_name=get_user_name(user),
        team=get_team_id(payload),
        app=get_app_id(payload),
        token=get_text(opened, "id"),
        reason=_typed_reason(opened),
        **{name: get_text(bound, name) for name in _BOUND_FIELDS},
    )


def dialog_error(why: str) -> dict[str, object]:
    """The answer to a submitted dialog that keeps it open and says why it does not count."""
    return {"response_action": "errors", "errors": {REASON_FIELD: why[:_MAX_REASON_LENGTH]}}


def _typed_reason(opened: Json) -> str:
    """ "" where nothing was typed."""
    found: object = opened.get("state")
    for name in ("values", REASON_FIELD, REASON_FIELD, "value"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found[:_MAX_REASON_LENGTH] if isinstance(found, str) else ""


def _plain_text(words: str) -> dict[str, object]:
    return {"type": "plain_text", "text": words, "emoji": False}
