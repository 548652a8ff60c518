"""A message as its receiver sees it: one attempt to deliver it, or a dead letter after the last attempt."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt. A message that is not acknowledged within its lease comes again, with the next `attempt`."""

    id: str
    topic: str
    data: bytes
    attributes: Mapping[str, str]
    published_at: datetime
    attempt: int
    """Counts from 1."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that all its attempts could not deliver. `topic` is the one that it was published to."""

    id: str
    topic: str
    data: bytes
    attributes: Mapping[str, str]
    published_at: datetime
    attempts: int


class RawPublisher(Protocol):
    """Takes messages that are not provenfix's own, as the log sink sends them."""

    def publish_raw(self, topic: str, bodies: Iterable[bytes], attributes: Mapping[str, str] | None = None) -> None:
        """Publishes bodies as they are. Raises `shared.errors.Retry` where some may not have been taken."""


class DeadLetters(Protocol):
    """The messages that were given up. Raises `shared.errors.Retry` where they cannot be reached."""

    def list_waiting(self, limit: int = 100) -> Sequence[DeadLetter]:
        """What is there, oldest first, without taking it away."""

    def replay(self, letter: DeadLetter) -> None:
        """Publishes it once more to the topic that it came from, and takes it out."""

    def discard(self, letter: DeadLetter) -> None:
        """Takes it out for good."""

    def close(self) -> None:
        """Ends what was opened to reach them."""
