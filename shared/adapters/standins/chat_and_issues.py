"""A chat for one machine: messages and dialogs are documents of the store, found again by marker and by interaction.

Each message is stored with what Slack would receive, made by the same layout, so every view shows the same.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import cast

from shared.adapters.pager import events_v2
from shared.adapters.slack import interaction, message_layout, reminder_layout
from shared.errors import Reject, Retry
from shared.ports import IssueRef, IssueState, Store, StoredDocument
from shared.proposal.decision import Click
from shared.proposal.proposal import Message, Reminder, update_title
from shared.report.incident_status import keep_ticked_items, replace_status_block
from shared.service import Service
from shared.text.timestamps import format_rfc3339

MESSAGES_KIND = "local-messages"
REPLIES_KIND = "local-replies"
GROUPS_KIND = "local-groups"
DIALOGS_KIND = "local-dialogs"


class LocalChat:
    """Implements `shared.ports.Chat` and `ReasonDialog`. A message's reference is the key of its document.

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
        value = {"channel": service.channel, "updates": 0, **_build_message_document(service, message)}
        if not self._store.create(MESSAGES_KIND, key, value):
            raise Retry(f"{MESSAGES_KIND}/{key} was posted by another process")
        return key

    def update(self, service: Service, reference: str, message: Message) -> None:
        """See `shared.ports.Chat`."""
        stored = self._store.read(MESSAGES_KIND, reference)
        if stored is None:
            raise Reject("no_such_message", reference)
        updates = cast("int", stored.value["updates"]) + 1
        value = {**stored.value, "updates": updates, **_build_message_document(service, message)}
        if not self._store.replace(MESSAGES_KIND, reference, value, stored.version):
            raise Retry(f"{MESSAGES_KIND}/{reference} was changed by another process")

    def list_group_members(self, group: str) -> Collection[str]:
        """The list `members` of the document `local-groups/GROUP`; nobody where there is none."""
        stored = self._store.read(GROUPS_KIND, group)
        return tuple(cast("list[str]", stored.value["members"])) if stored else ()

    def has_reply(self, service: Service, reference: str, marker: str) -> bool:  # noqa: ARG002  # as the port has it
        """See `shared.ports.Chat`."""
        return self._store.read(REPLIES_KIND, f"{reference}.{marker}") is not None

    def reply(self, service: Service, reference: str, marker: str, lines: Sequence[str]) -> None:
        """See `shared.ports.Chat`."""
        text, blocks = message_layout.build_detail_blocks(lines)
        body = {"text": text, "blocks": blocks}
        value = {"channel": service.channel, "message": reference, "lines": list(lines), "body": body}
        if not self._store.create(REPLIES_KIND, f"{reference}.{marker}", value):
            raise Retry(f"{REPLIES_KIND}/{reference}.{marker} was posted by another process")

    def remind(self, service: Service, reference: str, reminder: Reminder) -> None:
        """See `shared.ports.Chat`."""
        body = reminder_layout.build_reminder_body(service, reminder)
        lines = [f"Still waiting for a decision: {reminder.title}"]
        value = {"channel": service.channel, "message": reference, "lines": lines, "body": body}
        if not self._store.create(REPLIES_KIND, f"{reference}.{reminder.marker}", value):
            raise Retry(f"{REPLIES_KIND}/{reference}.{reminder.marker} was posted by another process")

    def open_reason_dialog(self, click: Click) -> None:
        """See `shared.ports.ReasonDialog`. Kept under the click's own token: Slack opens it for that click."""
        self._store.create(
            DIALOGS_KIND, click.token, {"user": click.user, "view": interaction.build_denial_dialog(click)}
        )


def _build_message_document(service: Service, message: Message) -> dict[str, object]:
    """As JSON values, every time as text, every tuple as a list; and the body of the request that Slack would get."""
    fields = {name: _to_json(value) for name, value in asdict(message).items()}
    return {"message": fields, "body": message_layout.build_message_body(service, message)}


def _to_json(value: object) -> object:
    if isinstance(value, datetime):
        return format_rfc3339(value)
    return list(value) if isinstance(value, tuple) else value


ALERTS_KIND = "local-alerts"


class LocalPager:
    """Implements `shared.ports.Pager`: an alert is the very body that the webhook would get, without its key."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def alert(self, service: Service, reminder: Reminder) -> None:
        """See `shared.ports.Pager`."""
        self._store.create(ALERTS_KIND, reminder.marker, events_v2.build_event(service, reminder))

    def resolve(self, service: Service, marker: str) -> None:  # noqa: ARG002  # a service has one receiver here
        """See `shared.ports.Pager`."""
        self._store.create(ALERTS_KIND, f"{marker}.resolved", events_v2.build_resolve_event(marker))


ISSUES_KIND = "local-issues"
_MAX_ATTEMPTS = 20


class LocalIssues:
    """Implements `shared.ports.Issues`. Its own writes are compare-and-set, as any number of functions use it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, service: Service, marker: str) -> IssueRef | None:
        """See `shared.ports.Issues`."""
        for stored in self._store.find(ISSUES_KIND, "marker", marker):
            if stored.value["repository"] == service.repository:
                return _issue_ref(stored)
        return None

    def open(self, service: Service, marker: str, title: str, body: str, labels: Sequence[str] = ()) -> IssueRef:
        """See `shared.ports.Issues`."""
        number = 1 + len(self._store.find(ISSUES_KIND, "repository", service.repository))
        for taken in range(_MAX_ATTEMPTS):
            value: dict[str, object] = {"repository": service.repository, "number": number + taken, "marker": marker}
            value |= {"title": title, "body": body, "open": True, "labels": [*labels], "comments": []}
            key = _issue_key(service, number + taken)
            if self._store.create(ISSUES_KIND, key, value):
                return _issue_ref(StoredDocument(ISSUES_KIND, key, value, ""))
        raise Retry(f"{service.repository}: no number was free for an issue")

    def has_comment(self, service: Service, number: int, marker: str) -> bool:
        """See `shared.ports.Issues`."""
        return any(marker in comment for comment in _parse_text_list(self._read(service, number), "comments"))

    def comment(self, service: Service, number: int, marker: str, body: str) -> None:  # noqa: ARG002  # as the port has it
        """See `shared.ports.Issues`."""
        stored = self._read(service, number)
        self._replace(stored, {"comments": [*_parse_text_list(stored, "comments"), body]})

    def close(self, service: Service, number: int) -> None:
        """See `shared.ports.Issues`."""
        self._replace(self._read(service, number), {"open": False})

    def reopen(self, service: Service, number: int) -> None:
        """See `shared.ports.Issues`."""
        self._replace(self._read(service, number), {"open": True})

    def replace_content(self, service: Service, number: int, title: str, body: str) -> None:
        """See `shared.ports.Issues`. The marker of another incident, if it has one, is that by which it is found."""
        stored = self._read(service, number)
        body = keep_ticked_items(str(stored.value["body"]), body)
        self._replace(stored, {"title": title, "body": body, "marker": body.partition("\n")[0]})

    def update_status_section(self, service: Service, number: int, status_section: str, title: str = "") -> None:
        """See `shared.ports.Issues`."""
        stored = self._read(service, number)
        body = replace_status_block(str(stored.value["body"]), status_section)
        if body is not None:
            self._replace(stored, {"body": body, "title": update_title(str(stored.value["title"]), title)})

    def create_labels(self, service: Service) -> None:
        """See `shared.ports.Issues`. Nobody sets labels here."""

    def state(self, service: Service, number: int) -> IssueState:
        """See `shared.ports.Issues`."""
        stored = self._read(service, number)
        return IssueState(
            bool(stored.value["open"]), frozenset(_parse_text_list(stored, "labels")), str(stored.value["body"])
        )

    def _read(self, service: Service, number: int) -> StoredDocument:
        stored = self._store.read(ISSUES_KIND, _issue_key(service, number))
        if stored is None:
            raise Reject("no_such_issue", f"{service.repository}#{number}")
        return stored

    def _replace(self, stored: StoredDocument, changes: Mapping[str, object]) -> None:
        if not self._store.replace(ISSUES_KIND, stored.key, {**stored.value, **changes}, stored.version):
            raise Retry(f"{ISSUES_KIND}/{stored.key} was changed by another process")


def _issue_key(service: Service, number: int) -> str:
    return f"{service.repository}#{number}"


def _issue_ref(stored: StoredDocument) -> IssueRef:
    return IssueRef(cast("int", stored.value["number"]), f"local:{stored.key}")


def _parse_text_list(stored: StoredDocument, field: str) -> list[str]:
    return cast("list[str]", stored.value[field])
