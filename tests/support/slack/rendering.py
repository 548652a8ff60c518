"""A message comes in as the chat gets it; it is laid out for Slack and held to every rule that Slack publishes.

Slack's own models check lengths and styles; what they leave out is checked here: 50 blocks, unique ids, keys that the
models would drop. The shapes of all messages of a run are kept, for the one compiler run that checks keys and types.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from shared.adapters.slack.message_layout import build_detail_blocks, build_message_body
from shared.adapters.slack.reminder_layout import build_reminder_body
from shared.proposal.proposal import Message, Reminder
from shared.service import Service

seen_shapes: dict[str, None] = {}
"""Every list of blocks that was shown in this run, as JSON, its free words replaced: types do not depend on them."""
seen_views: dict[str, None] = {}
"""The same for dialogs."""

_accepted: set[str] = set()
"""Blocks that were judged already: crashes at every call send the same ones ten thousand times."""
_WORDS = {"text", "value", "url", "user_id", "private_metadata"}


def render_message(service: Service, message: Message) -> dict[str, Any]:
    """What Slack is sent; fails where Slack would refuse it."""
    sent: dict[str, Any] = build_message_body(service, message)
    assert 0 < len(sent["text"]) <= 4_000
    check_blocks(sent["blocks"])
    return sent


@lru_cache(maxsize=4_000)
def render_message_once(service: Service, message: Message) -> None:
    """`render_message` for a test that only asks whether Slack takes it: equal messages are laid out once.

    Crashes at every call send the same ones ten thousand times.
    """
    render_message(service, message)


def render_details(lines: Sequence[str]) -> list[dict[str, Any]]:
    """What Slack is sent below a message; fails where Slack would refuse it."""
    text, blocks = build_detail_blocks(lines)
    assert 0 < len(text) <= 4_000
    check_blocks(blocks)
    return blocks


@lru_cache(maxsize=4_000)
def render_details_once(lines: tuple[str, ...]) -> None:
    """The same for `render_details`."""
    render_details(lines)


@lru_cache(maxsize=4_000)
def render_reminder_once(service: Service, reminder: Reminder) -> None:
    """The same for what a reminder shows."""
    sent: dict[str, Any] = build_reminder_body(service, reminder)
    assert 0 < len(sent["text"]) <= 4_000
    check_blocks(sent["blocks"])


def check_blocks(blocks: list[dict[str, Any]]) -> None:
    """Fails where Slack would refuse the blocks of a message. The same ones are judged once in a run."""
    known = json.dumps(blocks)
    if known in _accepted:
        return
    assert 0 < len(blocks) <= 50
    _check_all(blocks)
    assert [block.to_dict() for block in Block.parse_all(blocks)] == blocks
    seen_shapes[json.dumps(_shape(blocks))] = None
    _accepted.add(known)


def check_view(view: dict[str, Any]) -> None:
    """Fails where Slack would refuse a dialog."""
    assert len(view["private_metadata"]) <= 3_000
    assert all(len(view[name]["text"]) <= 24 for name in ("title", "submit", "close"))
    _check_all(view["blocks"])
    assert View(**view).to_dict() == view
    seen_views[json.dumps(_shape(view))] = None


def _check_all(blocks: list[dict[str, Any]]) -> None:
    nodes = list(_nodes(blocks))
    for name, longest in (("block_id", 255), ("action_id", 255)):
        ids = [node[name] for node in nodes if name in node]
        assert len(ids) == len(set(ids))
        assert all(0 < len(node_id) <= longest for node_id in ids)
    for node in nodes:
        kind = node.get("type")
        if kind in {"text", "plain_text", "mrkdwn"}:
            assert 0 < len(node["text"]) <= 3_000
        if kind == "button":
            assert len(node["value"]) <= 2_000
        if kind == "header":
            assert len(node["text"]["text"]) <= 150
        if kind == "actions":
            assert 0 < len(node["elements"]) <= 25
    assert sum(len(node["text"]) for node in nodes if isinstance(node.get("text"), str)) <= 12_000


def _nodes(value: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for member in value:
            yield from _nodes(member)


def _shape(value: object, name: str = "") -> object:
    if isinstance(value, dict):
        return {key: _shape(member, key) for key, member in value.items()}
    if isinstance(value, list):
        return [_shape(member) for member in value]
    return "https://a.example" if name in _WORDS else value
