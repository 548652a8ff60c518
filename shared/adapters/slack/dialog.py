"""A denial comes in, the dialog that asks for its reason goes out; and its answer is read back.

The dialog carries the proposal, the channel and the message that the click came from in `private_metadata`: Slack keeps
them, and signs them with the answer.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from shared.adapters.slack import button
from shared.adapters.slack.button import Bound
from shared.errors import Reject

CALLBACK = "provenfix.denial"
_BLOCK, _INPUT = "reason", "reason"
_LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Origin:
    """The button that opened the dialog."""

    of: Bound
    channel: str
    message: str
    """Timestamp of the message, Slack's id of it within its channel."""


def view(origin: Origin) -> dict[str, object]:
    """The dialog for `views.open`."""
    field: dict[str, object] = {
        "type": "plain_text_input",
        "action_id": _INPUT,
        "multiline": True,
        "max_length": _LONGEST_REASON,
        "placeholder": _plain("Wrong commit, wrong moment, already mended by hand, …"),
    }
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": json.dumps([button.value(origin.of), origin.channel, origin.message]),
        "title": _plain("Deny"),
        "submit": _plain("Deny"),
        "close": _plain("Cancel"),
        "blocks": [
            {
                "type": "input",
                "block_id": _BLOCK,
                "optional": True,
                "label": _plain("Why should this commit not be deployed?"),
                "hint": _plain("It is kept with the decision and shown in the channel."),
                "element": field,
            }
        ],
    }


def origin(metadata: str) -> Origin:
    """What `view` put there. Raises Reject for everything else."""
    try:
        fields = json.loads(metadata) if len(metadata) <= 3_000 else None
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, list) or len(fields) != 3 or not all(isinstance(each, str) for each in fields):
        raise Reject("malformed_dialog", "the dialog is not one of ours")
    return Origin(button.read(fields[0]), fields[1], fields[2])


def reason(state: Mapping[str, object]) -> str:
    """What was typed; "" where nothing was."""
    found: object = state
    for name in ("values", _BLOCK, _INPUT, "value"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found[:_LONGEST_REASON] if isinstance(found, str) else ""


def _plain(words: str) -> dict[str, object]:
    return {"type": "plain_text", "text": words, "emoji": False}
