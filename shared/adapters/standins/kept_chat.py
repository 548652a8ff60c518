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

KIND = "local-messages"
REPLIES = "local-replies"
GROUPS = "local-groups"
DIALOGS = "local-dialogs"


class KeptChat:
    """Implements `shared.ports.Chat` and `Dialogs`. A message's reference is the key of its document.

    The reference is `channel/marker`, as Slack's is `channel/timestamp`: a click names its message by both parts.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, service: Service, marker: str) -> str | None:
        """See `shared.ports.Chat`."""
        key = f"{service.channel}/{marker}"
        return key if self._store.read(KIND, key) else None

    def post(self, service: Service, marker: str, message: Message) -> str:
        """See `shared.ports.Chat`."""
        key = f"{service.channel}/{marker}"
        value = {"channel": service.channel, "updates": 0, **_document(service, message)}
        if not self._store.create(KIND, key, value):
            raise Retry(f"{KIND}/{key} was posted by somebody else")
        return key

    def update(self, service: Service, reference: str, message: Message) -> None:
        """See `shared.ports.Chat`."""
        stored = self._store.read(KIND, reference)
        if stored is None:
            raise Reject("no_such_message", reference)
        updates = cast("int", stored.value["updates"]) + 1
        value = {**stored.value, "updates": updates, **_document(service, message)}
        if not self._store.replace(KIND, reference, value, stored.version):
            raise Retry(f"{KIND}/{reference} was changed by somebody else")

    def members(self, group: str) -> Collection[str]:
        """The list `members` of the document `local-groups/GROUP`; nobody where there is none."""
        stored = self._store.read(GROUPS, group)
        return tuple(cast("list[str]", stored.value["members"])) if stored else ()

    def replied(self, service: Service, reference: str, marker: str) -> bool:  # noqa: ARG002  # as the port has it
        """See `shared.ports.Chat`."""
        return self._store.read(REPLIES, f"{reference}.{marker}") is not None

    def reply(self, service: Service, reference: str, marker: str, lines: Sequence[str]) -> None:
        """See `shared.ports.Chat`."""
        from shared.adapters.slack.layout import details  # noqa: PLC0415  # not before something is posted

        text, blocks = details(lines)
        body = {"text": text, "blocks": blocks}
        value = {"channel": service.channel, "message": reference, "lines": list(lines), "body": body}
        if not self._store.create(REPLIES, f"{reference}.{marker}", value):
            raise Retry(f"{REPLIES}/{reference}.{marker} was posted by somebody else")

    def ask_reason(self, click: Click) -> None:
        """See `shared.ports.ReasonDialog`. Kept under the click's own token: Slack opens it for that click."""
        from shared.adapters.slack.dialog import view  # noqa: PLC0415  # only a denial needs it

        self._store.create(DIALOGS, click.token, {"user": click.user, "view": view(click)})


def _document(service: Service, message: Message) -> dict[str, object]:
    """As JSON values, every time as text, every tuple as a list; and the body of the request that Slack would get."""
    from shared.adapters.slack.layout import body  # noqa: PLC0415  # not before something is posted

    said = {name: _plain(value) for name, value in asdict(message).items()}
    return {"message": said, "body": body(service, message)}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return format_rfc3339(value)
    return list(value) if isinstance(value, tuple) else value
