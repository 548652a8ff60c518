"""A press of Approve without a browser: a posted message goes in; the very request that Slack would send is sent.

The button is taken from the blocks that Slack would be sent, the request is signed as Slack signs, and the function
that answers it is the one that Slack would call.
"""

import json
import time
from collections.abc import Mapping
from datetime import datetime
from http.client import HTTPConnection
from typing import cast
from urllib.parse import urlencode

from functions.local.stack.process import LOOPBACK
from shared.adapters.slack.interaction import APPROVE
from shared.adapters.slack.layout import blocks
from shared.adapters.slack.verify import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from shared.domain.finding import Kind
from shared.domain.proposal import Message, Standing
from shared.domain.service import Service
from shared.ports import Document
from shared.secret import Secret

_SECONDS = 20.0


def approve(service: Service, posted: Document, secret: Secret, port: int) -> int:
    """The status of the answer. `posted` is a message as the chat of one machine keeps it. Raises OSError."""
    body = urlencode({"payload": json.dumps(_payload(service, _message(posted)))}).encode()
    now = str(int(time.time()))
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        TIMESTAMP_HEADER: now,
        SIGNATURE_HEADER: sign(now, body, secret),
    }
    connection = HTTPConnection(LOOPBACK, port, timeout=_SECONDS)
    try:
        connection.request("POST", "/", body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def _payload(service: Service, message: Message) -> Mapping[str, object]:
    """https://docs.slack.dev/reference/interaction-payloads/block_actions-payload"""
    user = service.approvers[0]
    return {
        "type": "block_actions",
        "trigger_id": f"{time.time_ns()}.1",
        "user": {"id": user, "username": user.lower()},
        "team": {"id": service.team or "T0LOCAL"},
        "channel": {"id": service.channel},
        "actions": [{"action_id": APPROVE, "value": _button(service, message)}],
    }


def _button(service: Service, message: Message) -> str:
    """What the button carries. Raises StopIteration for a message that shows none."""
    elements = (
        element
        for block in blocks(service, message)
        if block.get("type") == "actions"
        for element in cast("list[dict[str, object]]", block["elements"])
    )
    return str(next(element["value"] for element in elements if element["action_id"] == APPROVE))


def _message(posted: Document) -> Message:
    value = cast("Mapping[str, str]", posted["message"])
    return Message(
        proposal=value["proposal"],
        incident=value["incident"],
        commit=value["commit"],
        evidence_hash=value["evidence_hash"],
        title=value["title"],
        lines=tuple(value["lines"]),
        issue_url=value["issue_url"],
        standing=Standing(value["standing"]),
        expires_at=datetime.fromisoformat(value["expires_at"]),
        kind=Kind(value["kind"]),
    )
