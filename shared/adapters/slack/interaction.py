"""The raw body of Slack's interactivity request, already verified, comes in; the click that it reports goes out.

https://docs.slack.dev/reference/interaction-payloads. Everything unexpected is a Reject with a reason: what is not a
click on one of our buttons is never taken for one.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from shared.adapters.slack import button, dialog
from shared.domain.decision import Click, ClickKind
from shared.errors import Reject

LONGEST_BODY = 256 * 1024
_KINDS = {button.APPROVE: ClickKind.APPROVE, button.DENY: ClickKind.DENY, button.ROLL_BACK: ClickKind.APPROVE}

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Interaction:
    """A click, and what is needed to answer it."""

    click: Click
    message: str
    """`channel/timestamp` of the message whose button it was: what `Chat.post` returned for it."""
    trigger: str
    """Opens a dialog within three seconds; "" where the click comes from a dialog."""
    response_url: str
    """Where the clicker alone is answered; "" where there is none."""
    reason: str = ""
    """What was typed into the dialog of a denial."""

    @property
    def may_ask(self) -> bool:
        """Whether it is a denial whose reason nobody has asked for yet."""
        return self.click.kind is ClickKind.DENY and self.trigger != ""


def interaction(body: bytes) -> Interaction:
    """Raises Reject for everything that is not a click on a button, or the answer of a dialog, of ours."""
    payload = _payload(body)
    match payload.get("type"):
        case "block_actions":
            return _pressed(payload)
        case "view_submission":
            return _submitted(payload)
        case _:
            raise Reject("malformed_interaction", "neither a button nor a dialog")


def _payload(body: bytes) -> Json:
    if len(body) > LONGEST_BODY:
        raise Reject("malformed_interaction", "the body is too long")
    try:
        fields = parse_qsl(body.decode("utf-8"), strict_parsing=True, max_num_fields=10, errors="strict")
        payload = json.loads(dict(fields)["payload"])
    except (ValueError, KeyError, RecursionError):
        payload = None
    if not isinstance(payload, Mapping):
        raise Reject("malformed_interaction", "the body is not a form with a payload in JSON")
    return payload


def _pressed(payload: Json) -> Interaction:
    actions = payload.get("actions")
    if not isinstance(actions, list) or len(actions) != 1 or not isinstance(actions[0], Mapping):
        raise Reject("malformed_interaction", "not exactly one action")
    action: Json = actions[0]
    kind = _KINDS.get(_text(action, "action_id"))
    if kind is None:
        raise Reject("foreign_button", "the button is not one of ours")
    channel = _text(_part(payload, "channel"), "id")
    container = _part(payload, "container")
    if _text(container, "channel_id") != channel:
        raise Reject("malformed_interaction", "the message lies in another channel than the click")
    click = _click(payload, kind, button.read(_text(action, "value")), channel)
    message = f"{channel}/{_text(container, 'message_ts')}"
    return Interaction(click, message, _text(payload, "trigger_id"), _text(payload, "response_url"))


def _submitted(payload: Json) -> Interaction:
    view = _part(payload, "view")
    if view.get("callback_id") != dialog.CALLBACK:
        raise Reject("foreign_dialog", "the dialog is not one of ours")
    asked = dialog.origin(_text(view, "private_metadata"))
    reason = dialog.reason(_part(view, "state"))
    click = _click(payload, ClickKind.DENY, asked.of, asked.channel, token=_text(view, "id"))
    return Interaction(click, f"{asked.channel}/{asked.message}", "", "", reason)


def _click(payload: Json, kind: ClickKind, of: button.Bound, channel: str, token: str = "") -> Click:
    user = _part(payload, "user")
    return Click(
        kind=kind,
        proposal=of.proposal,
        incident=of.incident,
        commit=of.commit,
        evidence_hash=of.evidence_hash,
        user=_text(user, "id"),
        user_name=_text(user, "username") or _text(user, "name"),
        channel=channel,
        team=_text(_part(payload, "team"), "id"),
        token=token or _text(payload, "trigger_id"),
    )


def _text(part: Json, name: str) -> str:
    """ "" where there is no such text: an empty id belongs to nobody, and is refused as such."""
    found = part.get(name)
    return found if isinstance(found, str) else ""


def _part(part: Json, name: str) -> Json:
    found = part.get(name)
    return found if isinstance(found, Mapping) else {}
