"""A chat for one machine: messages are documents of the store, found again by their marker."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import cast

from shared.domain.moment import rfc3339
from shared.domain.proposal import Message
from shared.domain.service import Service
from shared.errors import Reject, Retry
from shared.ports import Store

KIND = "local-messages"
REPLIES = "local-replies"
GROUPS = "local-groups"


class KeptChat:
    """Implements `shared.ports.Chat`. A message's reference is the key of its document."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, service: Service, marker: str) -> str | None:
        """See `shared.ports.Chat`."""
        key = f"{service.channel}.{marker}"
        return key if self._store.read(KIND, key) else None

    def post(self, service: Service, marker: str, message: Message) -> str:
        """See `shared.ports.Chat`."""
        key = f"{service.channel}.{marker}"
        value = {"channel": service.channel, "updates": 0, "message": _document(message)}
        if not self._store.create(KIND, key, value):
            raise Retry(f"{KIND}/{key} was posted by somebody else")
        return key

    def update(self, service: Service, reference: str, message: Message) -> None:  # noqa: ARG002  # as the port has it
        """See `shared.ports.Chat`."""
        stored = self._store.read(KIND, reference)
        if stored is None:
            raise Reject("no_such_message", reference)
        updates = cast("int", stored.value["updates"]) + 1
        value = {**stored.value, "updates": updates, "message": _document(message)}
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
        value = {"channel": service.channel, "message": reference, "lines": list(lines)}
        if not self._store.create(REPLIES, f"{reference}.{marker}", value):
            raise Retry(f"{REPLIES}/{reference}.{marker} was posted by somebody else")


def _document(message: Message) -> dict[str, object]:
    """As JSON values: every time as text, every tuple as a list."""
    return {name: _plain(value) for name, value in asdict(message).items()}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return rfc3339(value)
    return list(value) if isinstance(value, tuple) else value
