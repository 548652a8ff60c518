"""What the workflow asks of the outside, as Protocols; a proof has its own in `shared.proof.model.ports`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:  # a message knows the whole report, which a port does not need
    from shared.detection.entry import LogEntry
    from shared.proof.model.target import CheckStatus, ImageCheck
    from shared.proposal.decision import Click
    from shared.proposal.proposal import Message, Reminder
    from shared.proposal.rollout import Deployment, ProbeResult, Revision, ServiceState
    from shared.report.links import Links
    from shared.service import Service

CHANGED_BY_HAND = "changed_by_hand"
"""The reason of a `Reject` by which the deployer leaves alone what a user has changed during a rollout."""
WRONG_LABEL = "provenfix:wrong"
"""The label by which a user stops all automation for an incident."""
MAX_NEIGHBOURS = 1_000
"""So many entries of a log are read around one."""


@dataclass(frozen=True, slots=True)
class IssueRef:
    """An issue that exists."""

    number: int
    url: str


@dataclass(frozen=True, slots=True)
class IssueState:
    """The state of an issue."""

    is_open: bool
    labels: frozenset[str]
    body: str = ""


class Logs(Protocol):
    """The platform's log of a service."""

    def read_neighbours(self, entry: LogEntry) -> Sequence[LogEntry]:
        """The entry and its at most `MAX_NEIGHBOURS` nearest of the same revision, instance and log, by time."""

    def read_entries(
        self, service: Service, since: datetime, until: datetime, revision: str = ""
    ) -> Sequence[LogEntry]:
        """What the service or one revision logged that may be a signal or a symptom, by time; at most 10,000."""

    def count_requests(self, service: Service, revision: str, since: datetime) -> int:
        """How many requests a revision answered."""

    def count_failed_requests(self, service: Service, revision: str, since: datetime) -> int | None:
        """How many of them it answered with a server error; None if this log does not say."""


class Issues(Protocol):
    """The issue tracker of a service's repository."""

    def find(self, service: Service, marker: str) -> IssueRef | None:
        """The issue whose body carries the marker, open or closed."""

    def open(self, service: Service, marker: str, title: str, body: str, labels: Sequence[str] = ()) -> IssueRef:
        """*Effect.* Opens an issue. The body carries the marker already; `labels` come with those of every issue."""

    def replace_content(self, service: Service, number: int, title: str, body: str) -> None:
        """*Effect.* Gives an issue another title and body; doing it twice is the same as once.

        Items of a list that users have ticked stay ticked where the new body has them, too.
        """

    def update_status_section(self, service: Service, number: int, status_section: str, title: str = "") -> None:
        """*Effect.* Replaces only the body's status section (`shared.report.incident_status`).

        Also the title (`shared.proposal.proposal.update_title`), unless "" is given or a user has changed it. Doing it
        twice is the same as once. A body without that section, and a deleted issue, stay as they are.
        """

    def create_labels(self, service: Service) -> None:
        """*Effect.* Makes the labels by which users act, unless they are there. Reject where that is not allowed."""

    def has_comment(self, service: Service, number: int, marker: str) -> bool:
        """Whether a comment with the marker is there."""

    def comment(self, service: Service, number: int, marker: str, body: str) -> None:
        """*Effect.* Adds a comment. The body carries the marker already."""

    def close(self, service: Service, number: int) -> None:
        """*Effect.* Closes an issue; one that is closed stays closed."""

    def reopen(self, service: Service, number: int) -> None:
        """*Effect.* Opens a closed issue again; one that is open stays open."""

    def state(self, service: Service, number: int) -> IssueState:
        """Open or closed, its labels and its body. A deleted issue is closed."""


class IssueCommand(StrEnum):
    """What a user can command at an incident's issue."""

    MUTE = "mute"
    REINVESTIGATE = "reinvestigate"


@dataclass(frozen=True, slots=True)
class IssueEvent:
    """An event at an issue that carries an incident's marker. Its signature was verified; its claims were not."""

    command: IssueCommand
    delivery_id: str
    """The sender's id of this delivery; a repetition carries the same."""
    repository: str
    issue_number: int
    incident_id: str
    actor: str
    """Who did it, by the code host's name for them."""


class Collaborators(Protocol):
    """Who works on a service's repository."""

    def has_write_access(self, service: Service, user: str) -> bool:
        """Whether a user may write there."""


class LinkBuilder(Protocol):
    """Links to what an issue reports."""

    def build_links(self, service: Service, commits: Sequence[str]) -> Links:
        """Addresses for a service. `commits` are those whose author and pull request matter, at most 20 are asked."""


class Chat(Protocol):
    """The chat in which approvers are asked."""

    def find(self, service: Service, marker: str) -> str | None:
        """The reference of the message whose metadata carry the marker."""

    def post(self, service: Service, marker: str, message: Message) -> str:
        """*Effect.* Posts to the service's channel and returns the message's reference."""

    def update(self, service: Service, reference: str, message: Message) -> None:
        """*Effect.* Replaces a message; doing it twice is the same as once."""

    def list_group_members(self, group: str) -> Collection[str]:
        """User ids of a user group."""

    def has_reply(self, service: Service, reference: str, marker: str) -> bool:
        """Whether a reply to the message carries the marker."""

    def reply(self, service: Service, reference: str, marker: str, lines: Sequence[str]) -> None:
        """*Effect.* Adds paragraphs of plain text below a message; there is at least one."""

    def remind(self, service: Service, reference: str, reminder: Reminder) -> None:
        """*Effect.* Reminds the channel of a message, and the user or group of `Service.escalate_to`.

        It is a reply to the message: `has_reply` finds it by its marker.
        """


class Pager(Protocol):
    """Who is on call, beside the chat."""

    def alert(self, service: Service, reminder: Reminder) -> None:
        """*Effect.* Alerts them; a second alert with the same marker is taken for the first one."""

    def resolve(self, service: Service, marker: str) -> None:
        """*Effect.* Ends the alert with this marker. Nothing happens where it is over, or where there was none."""


@runtime_checkable
class ReasonDialog(Protocol):
    """A chat that can ask the user who clicked, right away."""

    def open_reason_dialog(self, click: Click) -> None:
        """Asks why a proposal is denied, on that user's screen alone; the answer comes back as a click with its reason.

        Raises Retry and Reject where it cannot be asked (the chat gives three seconds): the denial then counts without.
        """


class Revisions(Protocol):
    """What the platform runs."""

    def get_service_state(self, service: Service) -> ServiceState:
        """The service as it is right now."""

    def get_traffic(self, service: Service) -> Mapping[str, int]:
        """Percent by revision name, with one request; empty where nothing serves."""

    def get_revision(self, service: Service, name: str) -> Revision | None:
        """One revision; None where it does not exist any more."""


class Deployer(Protocol):
    """Brings a commit into service."""

    def find(self, service: Service, marker: str) -> str | None:
        """The name of the operation that carries the marker, or of the revision that it made."""

    def check_image(self, service: Service, commit: str) -> ImageCheck:
        """Whether a commit can be deployed as it is. What nobody may look at is unknown, and no refusal."""

    def start(self, service: Service, marker: str, commit: str, etag: str) -> str:
        """*Effect.* Begins to deploy a commit without traffic and returns the operation's name.

        Raises `Reject("stale")` where the service has changed since `etag`.
        """

    def state(self, service: Service, operation: str) -> Deployment:
        """How far an operation is."""

    def shift_traffic(self, service: Service, revision: str, percent: int) -> None:
        """*Effect.* Gives a revision this share of the traffic, and the rest to those that served before.

        All of it for one that served before the rollout puts back the split that was there. Raises
        `Reject(CHANGED_BY_HAND)` if the service was changed by hand since the rollout began.
        """


class Probe(Protocol):
    """A client of the service."""

    def check(self, service: Service) -> ProbeResult:
        """Whether a WebSocket connects and stays open. A service that fails is an answer, not an error."""


class CheckRuns(Protocol):
    """The code host's checks."""

    def get_status(self, service: Service, commit: str) -> CheckStatus:
        """Their state at a commit; `unknown` where it has none, or nobody could be asked."""


Document = Mapping[str, object]
"""JSON values only; times as RFC 3339 text, so that every store orders and compares them alike."""


@dataclass(frozen=True, slots=True)
class StoredDocument:
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

        A client may retry a write whose answer was lost: False can mean the caller's own earlier write. A caller that
        needs to know reads the document back and compares an owner token in it.
        """

    def read(self, kind: str, key: str) -> StoredDocument | None:
        """The document, as of now."""

    def replace(self, kind: str, key: str, value: Document, version: str) -> bool:
        """Writes a document if it still has `version`. False where it was written in between, or is gone."""

    def find(self, kind: str, field: str, value: str, limit: int = 500) -> Sequence[StoredDocument]:
        """Documents of a kind whose top-level `field` equals `value`, by key."""


class Bus(Protocol):
    """Publishes messages between the functions; delivery is at least once, in any order."""

    def publish(self, topic: str, message: Mapping[str, str]) -> None:
        """*Effect.* Publishes one message. Raises `shared.errors.Retry` where it may not have been accepted."""

    def request(self, topic: str, message: Mapping[str, str]) -> None:
        """As `publish`, for what a tick or a delivery repeats: a message that comes twice changes nothing."""


class Clock(Protocol):
    """The time, so that tests can set it."""

    def now(self) -> datetime:
        """Aware, in UTC."""


class IdGenerator(Protocol):
    """Randomness, so that tests can repeat it."""

    def generate_id(self) -> str:
        """A unique value: at least 64 random bits as hex digits."""
