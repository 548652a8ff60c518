"""A chat for one machine: messages and dialogs are documents of the store, found again by marker and by interaction.

Beside each message lies what Slack would get of it, made by the same layout: whoever shows it shows the very same.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import cast

from shared.errors import Reject, Retry
from shared.ports import Store
from shared.proposal.decision import Click
from shared.proposal.proposal import Message
from shared.service import Service
from shared.text.timestamps import format_rfc3339

MESSAGES_KIND = "local-messages"
REPLIES_KIND = "local-replies"
GROUPS_KIND = "local-groups"
DIALOGS_KIND = "local-dialogs"


class LocalChat:
    """Implements `shared.ports.Chat` and `Dialogs`. A message's reference is the key of its document.

    The reference is `channel/marker`, as Slack's is `channel/timestamp`: a click names its message by both parts.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, service: Service, marker: str) -> str | None:
        """See `shared.ports.Chat`."""
        key = f"{service.channel}/{marker}"
        return key if self._store.read(MESSAGES_KIND, key) else None

    def post(self, service: Service, marker: str, message: Message) -> str:
        """See `shared.ports.Chat`."""
        key = f"{service.channel}/{marker}"
        value = {"channel": service.channel, "updates": 0, **_message_document(service, message)}
        if not self._store.create(MESSAGES_KIND, key, value):
            raise Retry(f"{MESSAGES_KIND}/{key} was posted by somebody else")
        return key

    def update(self, service: Service, reference: str, message: Message) -> None:
        """See `shared.ports.Chat`."""
        stored = self._store.read(MESSAGES_KIND, reference)
        if stored is None:
            raise Reject("no_such_message", reference)
        updates = cast("int", stored.value["updates"]) + 1
        value = {**stored.value, "updates": updates, **_message_document(service, message)}
        if not self._store.replace(MESSAGES_KIND, reference, value, stored.version):
            raise Retry(f"{MESSAGES_KIND}/{reference} was changed by somebody else")

    def list_group_members(self, group: str) -> Collection[str]:
        """The list `members` of the document `local-groups/GROUP`; nobody where there is none."""
        stored = self._store.read(GROUPS_KIND, group)
        return tuple(cast("list[str]", stored.value["members"])) if stored else ()

    def has_reply(self, service: Service, reference: str, marker: str) -> bool:  # noqa: ARG002  # as the port has it
        """See `shared.ports.Chat`."""
        return self._store.read(REPLIES_KIND, f"{reference}.{marker}") is not None

    def reply(self, service: Service, reference: str, marker: str, lines: Sequence[str]) -> None:
        """See `shared.ports.Chat`."""
        from shared.adapters.slack.layout import detail_blocks  # noqa: PLC0415  # not before something is posted

        text, blocks = detail_blocks(lines)
        body = {"text": text, "blocks": blocks}
        value = {"channel": service.channel, "message": reference, "lines": list(lines), "body": body}
        if not self._store.create(REPLIES_KIND, f"{reference}.{marker}", value):
            raise Retry(f"{REPLIES_KIND}/{reference}.{marker} was posted by somebody else")

    def open_reason_dialog(self, click: Click) -> None:
        """See `shared.ports.ReasonDialog`. Kept under the click's own token: Slack opens it for that click."""
        from shared.adapters.slack.dialog import denial_dialog  # noqa: PLC0415  # only a denial needs it

        self._store.create(DIALOGS_KIND, click.token, {"user": click.user, "view": denial_dialog(click)})


def _message_document(service: Service, message: Message) -> dict[str, object]:
    """As JSON values, every time as text, every tuple as a list; and the body of the request that Slack would get."""
    from shared.adapters.slack.layout import message_body  # noqa: PLC0415  # not before something is posted

    said = {name: _to_json(value) for name, value in asdict(message).items()}
    return {"message": said, "body": message_body(service, message)}


def _to_json(value: object) -> object:
    if isinstance(value, datetime):
        return format_rfc3339(value)
    return list(value) if isinstance(value, tuple) else value
