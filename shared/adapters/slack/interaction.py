"""Slack's interactivity request comes in, verified; the click on a proposal goes out, or a named reason.

https://docs.slack.dev/reference/interaction-payloads/block_actions-payload. What the button carries is written here,
too, so that what is read is what was written. The value is shown to the client and comes back from it: whoever decides
believes none of it and compares all of it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from shared.adapters.slack.dialog import parse_denial
from shared.adapters.slack.reading import Json, get_app_id, get_user_name, parse_object, get_object, get_team_id, get_text
from shared.errors import Reject
from shared.proposal.decision import Click, ClickKind

if TYPE_CHECKING:  # a message knows the whole report, which a click does not need
    from shared.proposal.proposal import Message

APPROVE = "provenfix_approve"
DENY = "provenfix_deny"
ROLL_BACK = "provenfix_roll_back"
CLICK_KINDS = {APPROVE: ClickKind.APPROVE, DENY: ClickKind.DENY, ROLL_BACK: ClickKind.APPROVE}
"""The action ids of the buttons; to roll back instead is to approve the other proposal, which its button names.
Others (links) are acknowledged and mean nothing."""
_MAX_VALUE_LENGTH = 2_000
_MAX_BODY_BYTES = 256 * 1024
_MAX_FIELDS = 20


def button_value(message: Message) -> str:
    """What the buttons of a message carry; at most 2,000 characters are allowed."""
    bound = {
        "proposal": message.proposal,
        "incident": message.incident,
        "commit": message.commit,
        "evidence": message.evidence_hash,
    }
    return json.dumps(bound, separators=(",", ":"))


def parse_click(body: bytes) -> Click | None:
    """None for a click that decides nothing. Raises Reject, and nothing else whatever the body holds."""
    payload = _parse_payload(body)
    if payload.get("type") == "view_submission":
        return parse_denial(payload)
    if payload.get("type") != "block_actions":
        raise Reject("unsupported_interaction", "neither block_actions nor view_submission")
    actions = payload.get("actions")
    if not isinstance(actions, list) or len(actions) != 1 or not isinstance(actions[0], dict):
        raise Reject("malformed_interaction", "not exactly one action")
    kind = CLICK_KINDS.get(get_text(actions[0], "action_id"))
    return _build_click(payload, kind, actions[0]) if kind else None


def is_dialog_answer(body: bytes) -> bool:
    """Whether a dialog was submitted: it closes on an empty answer, and shows what an answer objects to."""
    return _parse_payload(body).get("type") == "view_submission"


def needs_reason_dialog(click: Click, body: bytes) -> bool:
    """Whether the click is a denial whose reason nobody has asked for yet: the button's, not the dialog's."""
    return click.kind is ClickKind.DENY and not is_dialog_answer(body)


def response_url(body: bytes) -> str:
    """Where the clicker alone can be told something; "" where the request names no such place."""
    found = _parse_payload(body).get("response_url")
    return found if isinstance(found, str) else ""


def _build_click(payload: Json, kind: ClickKind, action: Json) -> Click:
    bound = parse_object(get_text(action, "value", _MAX_VALUE_LENGTH), "value")
    user, channel = get_object(payload, "user"), get_text(get_object(payload, "channel"), "id")
    return Click(
        kind=kind,
        proposal=get_text(bound, "proposal"),
        incident=get_text(bound, "incident"),
        commit=get_text(bound, "commit"),
        evidence_hash=get_text(bound, "evidence"),
        user=get_text(user, "id"),
        user_name=get_user_name(user),
        channel=channel,
        team=get_team_id(payload),
        app=get_app_id(payload),
        token=get_text(payload, "trigger_id"),
        message=_message_reference(payload, channel),
    )


def _message_reference(payload: Json, channel: str) -> str:
    """`channel/timestamp`, as the chat calls it. A button that stands in no message of ours decides nothing."""
    container = get_object(payload, "container")
    if container.get("channel_id") != channel:
        raise Reject("malformed_interaction", "the message lies in another channel than the click")
    return f"{channel}/{get_text(container, 'message_ts')}"


def _parse_payload(body: bytes) -> Json:
    if len(body) > _MAX_BODY_BYTES:
        raise Reject("malformed_interaction", "the body is too long")
    try:
        fields = parse_qs(body.decode("utf-8"), strict_parsing=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise Reject("malformed_interaction", "not a form") from None
    found = fields.get("payload", [])
    if len(found) != 1:
        raise Reject("malformed_interaction", "not exactly one payload")
    return parse_object(found[0], "payload")
