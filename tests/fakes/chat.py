"""A chat that keeps its messages with their metadata."""
# a port's method takes what the real one needs

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from shared.domain.proposal import Message
from shared.domain.service import Service
from tests.fakes.memory import Demand


@dataclass
class Posted:
    """One message as it stands, and the marker in its metadata."""

    channel: str
    marker: str
    message: Message
    updates: int = 0


@dataclass
class FakeChat:
    """Implements `shared.ports.Chat`. A message's reference is its place in `all`."""

    groups: Mapping[str, Collection[str]] = field(default_factory=dict)
    all: list[Posted] = field(default_factory=list)
    demand: Demand = field(default_factory=lambda: Demand(strict=True))

    def find(self, service: Service, marker: str) -> str | None:
        for place, posted in enumerate(self.all):
            if (posted.channel, posted.marker) == (service.channel, marker):
                return str(place)
        return None

    def post(self, service: Service, marker: str, message: Message) -> str:
        self.demand("post a message")
        _check(service, message)
        self.all.append(Posted(service.channel, marker, message))
        return str(len(self.all) - 1)

    def update(self, service: Service, reference: str, message: Message) -> None:
        self.demand("update a message")
        _check(service, message)
        posted = self.all[int(reference)]
        assert posted.channel == service.channel
        posted.message = message
        posted.updates += 1

    def members(self, group: str) -> Collection[str]:
        return self.groups.get(group, ())


def _check(service: Service, message: Message) -> None:
    """Fails where Slack would refuse the message. Loaded when it is used: a test counts what a function loads."""
    from tests.fakes.slack.shown import shown  # noqa: PLC0415

    shown(service, message)
