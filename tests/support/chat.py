"""A chat that keeps its messages with their metadata."""
# ruff: noqa: ARG002  # a port's method takes what the real one needs

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from shared.proposal.proposal import Message
from shared.service import Service
from tests.support.memory import Demand


@dataclass
class Posted:
    """One message as it stands, and the marker in its metadata."""

    channel: str
    marker: str
    message: Message
    updates: int = 0
    replies: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Below it: lines by marker."""
    says: list[Message] = field(default_factory=list)
    """All that it has ever said, the present one last."""


@dataclass
class FakeChat:
    """Implements `shared.ports.Chat`. A message's reference ends in its place in `all`."""

    groups: Mapping[str, Collection[str]] = field(default_factory=dict)
    all: list[Posted] = field(default_factory=list)
    demand: Demand = field(default_factory=lambda: Demand(strict=True))

    def find(self, service: Service, marker: str) -> str | None:
        for place, posted in enumerate(self.all):
            if (posted.channel, posted.marker) == (service.channel, marker):
                return _reference(posted.channel, place)
        return None

    def post(self, service: Service, marker: str, message: Message) -> str:
        self.demand("post a message")
        _check(service, message)
        self.all.append(Posted(service.channel, marker, message, says=[message]))
        return _reference(service.channel, len(self.all) - 1)

    def update(self, service: Service, reference: str, message: Message) -> None:
        self.demand("update a message")
        _check(service, message)
        posted = self.all[_place(reference)]
        assert posted.channel == service.channel
        posted.message = message
        posted.says.append(message)
        posted.updates += 1

    def list_group_members(self, group: str) -> Collection[str]:
        return self.groups.get(group, ())

    def has_reply(self, service: Service, reference: str, marker: str) -> bool:
        return marker in self.all[_place(reference)].replies

    def reply(self, service: Service, reference: str, marker: str, lines: Sequence[str]) -> None:
        self.demand("reply to a message")
        _check_details(lines)
        posted = self.all[_place(reference)]
        assert posted.channel == service.channel
        assert marker not in posted.replies, "said twice"
        posted.replies[marker] = tuple(lines)


def _reference(channel: str, place: int) -> str:
    """As Slack's: channel and timestamp."""
    return f"{channel}/1795000000.{place:06d}"


def _place(reference: str) -> int:
    return int(reference.rpartition(".")[2])


def _check(service: Service, message: Message) -> None:
    """Fails where Slack would refuse the message. Loaded when it is used: a test counts what a function loads."""
    from tests.support.slack.shown import shown_once  # noqa: PLC0415

    shown_once(service, message)


def _check_details(lines: Sequence[str]) -> None:
    """The same for what is said below it."""
    from tests.support.slack.shown import shown_details_once  # noqa: PLC0415

    shown_details_once(tuple(lines))
