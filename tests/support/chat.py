"""A chat that keeps its messages with their metadata."""
# ruff: noqa: ARG002  # a port's method takes what the real one needs

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from shared.proposal.proposal import Message, Reminder
from shared.service import PAGER, Service
from tests.support.memory import ClaimGuard


@dataclass
class PostedMessage:
    """One message as it stands, and the marker in its metadata."""

    channel: str
    marker: str
    message: Message
    update_count: int = 0
    replies: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Below it: lines by marker."""
    reminders: list[Reminder] = field(default_factory=list)
    versions: list[Message] = field(default_factory=list)
    """All that it has ever said, the present one last."""


@dataclass
class FakeChat:
    """Implements `shared.ports.Chat`. A message's reference ends in its place in `all`."""

    groups: Mapping[str, Collection[str]] = field(default_factory=dict)
    posted: list[PostedMessage] = field(default_factory=list)
    require_claim: ClaimGuard = field(default_factory=lambda: ClaimGuard(strict=True))

    def find(self, service: Service, marker: str) -> str | None:
        for index, posted in enumerate(self.posted):
            if (posted.channel, posted.marker) == (service.channel, marker):
                return _format_reference(posted.channel, index)
        return None

    def post(self, service: Service, marker: str, message: Message) -> str:
        self.require_claim("post a message")
        _check_message(service, message)
        self.posted.append(PostedMessage(service.channel, marker, message, versions=[message]))
        return _format_reference(service.channel, len(self.posted) - 1)

    def update(self, service: Service, reference: str, message: Message) -> None:
        self.require_claim("update a message")
        _check_message(service, message)
        posted = self.posted[_parse_index(reference)]
        assert posted.channel == service.channel
        posted.message = message
        posted.versions.append(message)
        posted.update_count += 1

    def list_group_members(self, group: str) -> Collection[str]:
        return self.groups.get(group, ())

    def has_reply(self, service: Service, reference: str, marker: str) -> bool:
        return marker in self.posted[_parse_index(reference)].replies

    def reply(self, service: Service, reference: str, marker: str, lines: Sequence[str]) -> None:
        self.require_claim("reply to a message")
        _check_reply(lines)
        posted = self.posted[_parse_index(reference)]
        assert posted.channel == service.channel
        assert marker not in posted.replies, "said twice"
        posted.replies[marker] = tuple(lines)

    def remind(self, service: Service, reference: str, reminder: Reminder) -> None:
        self.require_claim("remind of a message")
        _check_reminder(service, reminder)
        posted = self.posted[_parse_index(reference)]
        assert posted.channel == service.channel
        assert reminder.marker not in posted.replies, "reminded twice"
        posted.replies[reminder.marker] = (reminder.title,)
        posted.reminders.append(reminder)


@dataclass
class FakePager:
    """Implements `shared.ports.Pager`: a second alert with the same marker is no other one."""

    alerts: dict[str, Reminder] = field(default_factory=dict)
    resolved: set[str] = field(default_factory=set)
    """Markers; ending an alert that never was is no error, as with the real one."""
    require_claim: ClaimGuard = field(default_factory=lambda: ClaimGuard(strict=True))

    def alert(self, service: Service, reminder: Reminder) -> None:
        self.require_claim("alert who is on call")
        assert service.escalate_to == PAGER
        assert self.alerts.setdefault(reminder.marker, reminder) == reminder

    def resolve(self, service: Service, marker: str) -> None:
        self.require_claim("resolve an alert")
        assert service.escalate_to == PAGER
        self.resolved.add(marker)

    @property
    def ringing(self) -> set[str]:
        """The alerts that are not over."""
        return self.alerts.keys() - self.resolved


def _format_reference(channel: str, index: int) -> str:
    """As Slack's: channel and timestamp."""
    return f"{channel}/1795000000.{index:06d}"


def _parse_index(reference: str) -> int:
    return int(reference.rpartition(".")[2])


def _check_message(service: Service, message: Message) -> None:
    """Fails where Slack would refuse the message. Loaded when it is used: a test counts what a function loads."""
    from tests.support.slack.rendering import render_message_once  # noqa: PLC0415

    render_message_once(service, message)


def _check_reply(lines: Sequence[str]) -> None:
    """The same for what is said below it."""
    from tests.support.slack.rendering import render_details_once  # noqa: PLC0415

    render_details_once(tuple(lines))


def _check_reminder(service: Service, reminder: Reminder) -> None:
    """The same for a reminder of it."""
    from tests.support.slack.rendering import render_reminder_once  # noqa: PLC0415

    render_reminder_once(service, reminder)
