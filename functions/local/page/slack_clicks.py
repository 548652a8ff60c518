"""Sends a user's click on a stored message to `decide`, as the signed request that Slack would send.

The button is taken from the very blocks that Slack would show, never from the browser; the request carries what Slack's
carries, form-encoded, with the signature over the raw body. https://docs.slack.dev/reference/interaction-payloads
"""

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from shared.adapters.http import HttpClient, NoResponse
from shared.adapters.slack.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from shared.errors import Reject
from shared.ports import Document
from shared.secret import Secret
from shared.service import Service
from shared.text.escaping import strip_invisible

_TIMEOUT_SECONDS = 30.0
_MAX_RESPONSE_BYTES = 1 << 16
_TEAM = "T0LOCAL"
_APP = "A0LOCAL"

BUTTON_GONE = "The message has changed meanwhile and no longer shows this button. Nothing was sent."


@dataclass(frozen=True, slots=True)
class ClickResponse:
    """`text` is the reply that only the user sees; `errors` are those of a dialog, by field."""

    status: int
    text: str = ""
    errors: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class ClickSender:
    """Sends clicks to `decide`. `decide` is its address on loopback."""

    decide_url: str
    read_secret: Callable[[], Secret]
    now: Callable[[], float] = time.time

    def press_button(
        self, service: Service, reference: str, message: Document, action: str, user: str
    ) -> tuple[str, ClickResponse]:
        """Presses a button of a stored message; returns the id of this interaction, and the response. Raises Reject."""
        button = find_button(message, action)
        if button is None:
            raise Reject("no_such_button", BUTTON_GONE)
        trigger = secrets.token_hex(12)
        channel, _, ts = reference.partition("/")
        payload = _build_payload("block_actions", service, user) | {
            "trigger_id": trigger,
            "channel": {"id": channel, "name": channel.lower()},
            "container": {"type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": False},
            "actions": [{**button, "action_ts": f"{self.now():.6f}"}],
        }
        return trigger, self._send_payload(payload)

    def submit_dialog(
        self, service: Service, view: Document, values_by_block: Mapping[str, str], user: str
    ) -> ClickResponse:
        """A dialog that was filled in; `typed` by block id."""
        values = {
            block: {action: {"type": "plain_text_input", "value": values_by_block.get(block) or None}}
            for block, action in find_inputs(view)
        }
        opened = {**view, "id": f"V{secrets.token_hex(8).upper()}", "state": {"values": values}}
        payload = _build_payload("view_submission", service, user) | {
            "trigger_id": secrets.token_hex(12),
            "view": opened,
        }
        return self._send_payload(payload)

    def _send_payload(self, payload: Mapping[str, object]) -> ClickResponse:
        body = urlencode({"payload": json.dumps(payload)}).encode()
        stamp = str(int(self.now()))
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            TIMESTAMP_HEADER: stamp,
            SIGNATURE_HEADER: sign(stamp, body, self.read_secret()),
        }
        http = HttpClient(_TIMEOUT_SECONDS, max_bytes=_MAX_RESPONSE_BYTES)
        try:
            response = http.request("POST", self.decide_url, headers, body)
        except NoResponse as error:
            return ClickResponse(503, f"The function that decides did not answer: {error}. Click again.")
        finally:
            http.close()
        return _parse_response(response.status, response.body)


def find_button(message: Document, action: str) -> Mapping[str, object] | None:
    """The button with this action id as the message shows it, with the id of its block; None where there is none."""
    for block in read_blocks(message):
        elements = block.get("elements")
        for item in elements if block.get("type") == "actions" and isinstance(elements, list) else ():
            if isinstance(item, Mapping) and item.get("action_id") == action:
                shown = {name: item[name] for name in ("action_id", "type", "text", "value", "style") if name in item}
                return {**shown, "block_id": block.get("block_id")}
    return None


def read_blocks(message: Document) -> list[Mapping[str, object]]:
    """The blocks of a kept message."""
    body = message.get("body")
    blocks = body.get("blocks") if isinstance(body, Mapping) else None
    return [item for item in blocks if isinstance(item, Mapping)] if isinstance(blocks, list) else []


def find_inputs(view: Document) -> Iterator[tuple[str, str]]:
    """Block id and action id of every text field of a dialog."""
    blocks = view.get("blocks")
    for block in blocks if isinstance(blocks, list) else ():
        element = block.get("element")
        if block.get("type") == "input" and isinstance(element, Mapping):
            yield str(block.get("block_id")), str(element.get("action_id"))


def _build_payload(kind: str, service: Service, user: str) -> dict[str, object]:
    team = service.team or _TEAM
    return {
        "type": kind,
        "user": {"id": user, "username": user.lower(), "team_id": team},
        "team": {"id": team, "domain": "local"},
        "api_app_id": service.chat_app or _APP,
        "enterprise": None,
        "is_enterprise_install": False,
    }


def _parse_response(status: int, body: bytes) -> ClickResponse:
    text = body.decode("utf-8", "replace")
    try:
        response = json.loads(text) if text.startswith("{") else {}
    except ValueError:
        response = {}
    errors = response.get("errors")
    if response.get("response_action") == "errors" and isinstance(errors, dict):
        return ClickResponse(status, errors={str(name): strip_invisible(str(why)) for name, why in errors.items()})
    return ClickResponse(status, strip_invisible(str(response.get("text") or ("" if response else text))).strip())
