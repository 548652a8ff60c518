"""A denial comes in, the dialog that asks for its reason goes out; its answer comes in, the denial goes out.

The dialog carries what the click was bound to in `private_metadata`: Slack keeps it, and signs it with the answer.
https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload
"""

import json
from collections.abc import Mapping

from shared.adapters.slack.reading import Json, app_of, name_of, object_of, part_of, team_of, text_of
from shared.errors import Reject
from shared.proposal.decision import Click, ClickKind

CALLBACK = "provenfix_denial"
FIELD = "reason"
"""The block in which a refusal can be shown."""
_LONGEST_REASON = 500
_LONGEST_METADATA = 3_000
_BOUND = ("proposal", "incident", "commit", "evidence_hash", "channel", "message")


def view(click: Click) -> dict[str, object]:
    """The dialog for `views.open`."""
    bound = {name: getattr(click, name) for name in _BOUND}
    field = {
        "type": "plain_text_input",
        "action_id": FIELD,
        "multiline": True,
        "max_length": _LONGEST_REASON,
        "placeholder": _plain("Wrong commit, wrong moment, already mended by hand, …"),
    }
    asked = {
        "type": "input",
        "block_id": FIELD,
        "optional": True,
        "label": _plain("Why should this commit not be deployed?"),
        "hint": _plain("It is kept with the decision and shown in the channel."),
        "element": field,
    }
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": json.dumps(bound, separators=(",", ":")),
        "title": _plain("Deny"),
        "submit": _plain("Deny"),
        "close": _plain("Cancel"),
        "blocks": [asked],
    }


def read_denial(payload: Json) -> Click:
    """The denial that a submitted dialog stands for. Raises Reject, and nothing else whatever the payload holds."""
    opened = part_of(payload, "view")
    if opened.get("callback_id") != CALLBACK:
        raise Reject("unsupported_interaction", "not a dialog of ours")
    bound = object_of(text_of(opened, "private_metadata", _LONGEST_METADATA), "private_metadata")
    user = part_of(payload, "user")
    return Click(
        kind=ClickKind.DENY,
        user=text_of(user, "id"),
        user_name=name_of(user),
        team=team_of(payload),
        app=app_of(payload),
        token=text_of(opened, "id"),
        reason=_typed(opened),
        **{name: text_of(bound, name) for name in _BOUND},
    )


def refused(why: str) -> dict[str, object]:
    """The answer to a submitted dialog that keeps it open and says why it does not count."""
    return {"response_action": "errors", "errors": {FIELD: why[:_LONGEST_REASON]}}


def _typed(opened: Json) -> str:
    """ "" where nothing was typed."""
    found: object = opened.get("state")
    for name in ("values", FIELD, FIELD, "value"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found[:_LONGEST_REASON] if isinstance(found, str) else ""


def _plain(words: str) -> dict[str, object]:
    return {"type": "plain_text", "text": words, "emoji": False}
