"""Parses a verified interactivity request of Slack into a click on a proposal, or a named reason why it is none.

https://docs.slack.dev/reference/interaction-payloads/block_actions-payload. The value of the button is also written
here, so that both sides agree. The client sees it and sends it back, so it is never trusted: every part of it is
compared with what is stored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from shared.adapters.slack.rich_text import plain_text
from shared.errors import Reject
from shared.proposal.decision import Click, ClickKind

Json = Mapping[str, object]

_MAX_LENGTH = 1_000


def parse_object(text: str, what: str) -> Json:
    """The JSON object that a text holds."""
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        raise Reject("malformed_interaction", f"the {what} is not JSON") from None
    if not isinstance(parsed, dict):
        raise Reject("malformed_interaction", f"the {what} is no object")
    return parsed


def get_object(value: Json, key: str) -> Json:
    """An object within an object."""
    member = value.get(key)
    if not isinstance(member, dict):
        raise Reject("malformed_interaction", f"no {key}")
    return member


def get_text(value: Json, key: str, max_length: int = _MAX_LENGTH) -> str:
    """A text that is not empty, of one line."""
    text = value.get(key)
    if not isinstance(text, str) or not 0 < len(text) <= max_length or not text.isprintable():
        raise Reject("malformed_interaction", f"no usable {key}")
    return text


def get_team_id(payload: Json) -> str:
    """The workspace's id; that of the organisation where the app is installed for all of it and `team` is null."""
    owner = "team" if payload.get("team") is not None else "enterprise"
    return get_text(get_object(payload, owner), "id")


def get_app_id(payload: Json) -> str:
    """The id of the app that the interaction belongs to; "" where the request has none."""
    return get_text(payload, "api_app_id") if "api_app_id" in payload else ""


def get_user_name(user: Json) -> str:
    """What the user is called; an id decides, never a name."""
    return get_text(user, "username" if "username" in user else "name")


DENIAL_CALLBACK = "provenfix_denial"
REASON_FIELD = "reason"
"""The block in which a refusal can be shown."""
_MAX_REASON_LENGTH = 500
_MAX_METADATA_LENGTH = 3_000
_BOUND_FIELDS = ("proposal", "incident", "commit", "evidence_hash", "channel", "message")


def build_denial_dialog(click: Click) -> dict[str, object]:
    """The dialog for `views.open`."""
    bound = {name: getattr(click, name) for name in _BOUND_FIELDS}
    field = {
        "type": "plain_text_input",
        "action_id": REASON_FIELD,
        "multiline": True,
        "max_length": _MAX_REASON_LENGTH,
        "placeholder": plain_text("Wrong commit, bad time, already fixed manually, …"),
    }
    question = {
        "type": "input",
        "block_id": REASON_FIELD,
        "optional": True,
        "label": plain_text("Why should this commit not be deployed?"),
        "hint": plain_text("Stored with the decision and shown in the channel."),
        "element": field,
    }
    return {
        "type": "modal",
        "callback_id": DENIAL_CALLBACK,
        "private_metadata": json.dumps(bound, separators=(",", ":")),
        "title": plain_text("Deny"),
        "submit": plain_text("Deny"),
        "close": plain_text("Cancel"),
        "blocks": [question],
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
        reason=_read_typed_reason(opened),
        **{name: get_text(bound, name) for name in _BOUND_FIELDS},
    )


def build_dialog_error(why: str) -> dict[str, object]:
    """The answer to a submitted dialog that keeps it open and says why it does not count."""
    return {"response_action": "errors", "errors": {REASON_FIELD: why[:_MAX_REASON_LENGTH]}}


def _read_typed_reason(opened: Json) -> str:
    """ "" where nothing was typed."""
    value: object = opened.get("state")
    for name in ("values", REASON_FIELD, REASON_FIELD, "value"):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value[:_MAX_REASON_LENGTH] if isinstance(value, str) else ""


if TYPE_CHECKING:  # a message knows the whole report, which a click does not need
    from shared.proposal.proposal import Message

APPROVE = "provenfix_approve"
DENY = "provenfix_deny"
ROLL_BACK = "provenfix_roll_back"
SNOOZE = "provenfix_snooze"
CLICK_KINDS = {
    APPROVE: ClickKind.APPROVE,
    DENY: ClickKind.DENY,
    ROLL_BACK: ClickKind.APPROVE,
    SNOOZE: ClickKind.SNOOZE,
}
"""The action ids of the buttons; to roll back instead is to approve the other proposal, which its button names.
Others (links) are acknowledged and mean nothing."""
_MAX_VALUE_LENGTH = 2_000
_MAX_BODY_BYTES = 256 * 1024
_MAX_FIELDS = 20


def build_button_value(message: Message) -> str:
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


def read_response_url(body: bytes) -> str:
    """The address for a reply that only the user sees; "" where the request names none."""
    url = _parse_payload(body).get("response_url")
    return url if isinstance(url, str) else ""


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
        message=_read_message_reference(payload, channel),
    )


def _read_message_reference(payload: Json, channel: str) -> str:
    """`channel/timestamp`, as the chat calls it. A button that is in no message of ours decides nothing."""
    container = get_object(payload, "container")
    if container.get("channel_id") != channel:
        raise Reject("malformed_interaction", "the message is in a different channel from the click")
    return f"{channel}/{get_text(container, 'message_ts')}"


def _parse_payload(body: bytes) -> Json:
    if len(body) > _MAX_BODY_BYTES:
        raise Reject("malformed_interaction", "the body is too long")
    try:
        fields = parse_qs(body.decode("utf-8"), strict_parsing=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise Reject("malformed_interaction", "not a form") from None
    payloads = fields.get("payload", [])
    if len(payloads) != 1:
        raise Reject("malformed_interaction", "not exactly one payload")
    return parse_object(payloads[0], "payload")
