"""Slack's interactivity request comes in, verified; the click on a proposal goes out, or a named reason.

https://api.slack.com/reference/interaction-payloads/block-actions. What the button carries is written here, too, so
that what is read is what was written.
"""

import json
from collections.abc import Mapping
from urllib.parse import parse_qs

from shared.domain.decision import Click, ClickKind
from shared.domain.proposal import Message
from shared.errors import Reject

ACTIONS = {"provenfix_approve": ClickKind.APPROVE, "provenfix_deny": ClickKind.DENY}
"""The action ids of the two buttons. Others (links) are acknowledged and mean nothing."""
_LONGEST = 1_000
_MOST_FIELDS = 20


def button_value(message: Message) -> str:
    """What both buttons of a message carry; at most 2,000 characters are allowed."""
    bound = {
        "proposal": message.proposal,
        "incident": message.incident,
        "commit": message.commit,
        "evidence": message.evidence_hash,
    }
    return json.dumps(bound, separators=(",", ":"))


def read_click(body: bytes) -> Click | None:
    """None for a click that decides nothing. Raises Reject, and nothing else whatever the body holds."""
    payload = _object(_payload(body), "payload")
    if payload.get("type") != "block_actions":
        raise Reject("unsupported_interaction", "not block_actions")
    actions = payload.get("actions")
    if not isinstance(actions, list) or len(actions) != 1 or not isinstance(actions[0], dict):
        raise Reject("malformed_interaction", "not exactly one action")
    kind = ACTIONS.get(str(actions[0].get("action_id")))
    if kind is None:
        return None
    bound = _object(_text(actions[0], "value"), "value")
    user, channel = _part(payload, "user"), _part(payload, "channel")
    return Click(
        kind=kind,
        proposal=_text(bound, "proposal"),
        incident=_text(bound, "incident"),
        commit=_text(bound, "commit"),
        evidence_hash=_text(bound, "evidence"),
        user=_text(user, "id"),
        user_name=_text(user, "username" if "username" in user else "name"),
        channel=_text(channel, "id"),
        team=_team(payload),
        token=_text(payload, "trigger_id"),
    )


def _payload(body: bytes) -> str:
    try:
        fields = parse_qs(body.decode("utf-8"), strict_parsing=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise Reject("malformed_interaction", "not a form") from None
    found = fields.get("payload", [])
    if len(found) != 1:
        raise Reject("malformed_interaction", "not exactly one payload")
    return found[0]


def _object(text: str, what: str) -> Mapping[str, object]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise Reject("malformed_interaction", f"the {what} is not JSON") from None
    if not isinstance(found, dict):
        raise Reject("malformed_interaction", f"the {what} is no object")
    return found


def _part(value: Mapping[str, object], key: str) -> Mapping[str, object]:
    found = value.get(key)
    if not isinstance(found, dict):
        raise Reject("malformed_interaction", f"no {key}")
    return found


def _text(value: Mapping[str, object], key: str) -> str:
    found = value.get(key)
    limit = 2 * _LONGEST if key == "value" else _LONGEST
    if not isinstance(found, str) or not 0 < len(found) <= limit or not found.isprintable():
        raise Reject("malformed_interaction", f"no usable {key}")
    return found


def _team(payload: Mapping[str, object]) -> str:
    """The workspace's id; that of the organisation where the app is installed for all of it and `team` is null."""
    owner = "team" if payload.get("team") is not None else "enterprise"
    return _text(_part(payload, owner), "id")
