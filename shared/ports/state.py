"""What a function asks of the ground that it stands on: documents, messages, the time, random ids."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

Document = Mapping[str, object]
"""JSON values only; times as RFC 3339 text, so that every store orders and compares them alike."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A document as read. `version` is opaque: it changes with every write, and a replacement must name it."""

    kind: str
    key: str
    value: Document
    version: str


class Store(Protocol):
    """Documents by kind and key. Every write is either a first one or names the version that it replaces.

    Raises `shared.errors.Retry` where the store cannot be reached.
    """

    def create(self, kind: str, key: str, value: Document) -> bool:
        """Writes a document that must not exist yet. False where it does.

        A client may retry a write whose answer was lost: False can mean one's own earlier write. Whoever needs to know
        reads the document back and compares an owner token in it.
        """

    def read(self, kind: str, key: str) -> Stored | None:
        """The document, as of now."""

    def replace(self, kind: str, key: str, value: Document, version: str) -> bool:
        """Writes a document if it still has `version`. False where somebody wrote in between, or it is gone."""

    def find(self, kind: str, field: str, value: str, limit: int = 500) -> Sequence[Stored]:
        """Documents of a kind whose top-level `field` equals `value`, by key."""


class Bus(Protocol):
    """Publishes messages between the functions; delivery is at least once, in any order."""

    def publish(self, topic: str, message: Mapping[str, str]) -> None:
        """Hands over one message. Raises `shared.errors.Retry` where it may not have been taken."""


class Clock(Protocol):
    """The time, so that tests can turn it."""

    def now(self) -> datetime:
        """Aware, in UTC."""


class Ids(Protocol):
    """Randomness, so that tests can repeat it."""

    def token(self) -> str:
        """A value that nobody else has: at least 64 random bits as hex digits."""
