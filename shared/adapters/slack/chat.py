"""Slack as the chat. Approvers are looked up on the server.

A message carries its marker in its metadata; only one that this app posted itself counts when it is looked for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from shared.adapters.slack import interaction, message_layout, reminder_layout, web_api
from shared.errors import Reject
from shared.secret import Secret

if TYPE_CHECKING:  # a message loads the whole report, which listing members does not need
    from shared.proposal.decision import Click
    from shared.proposal.proposal import Message, Reminder
    from shared.service import Service

EVENT_TYPE = "provenfix_proposal"
"""The metadata's event type, by which a proposal's message is found again."""
_DETAILS_EVENT_TYPE = "provenfix_details"
_PAGE_SIZE = 200
_MAX_PAGES = 10
"""2,000 messages: a marker is looked for minutes after the attempt that left it."""
_MEMBERS_LIFETIME_SECONDS = 30.0
# Nothing in our text is to be read as a mention or a link, and no address in it is to be fetched.
_PLAIN_POST_OPTIONS: Mapping[str, object] = {
    "parse": "none", "link_names": False, "mrkdwn": False, "unfurl_links": False, "unfurl_media": False,
}  # fmt: skip


class SlackChat:
    """Implements `shared.ports.Chat` and `ReasonDialog`."""

    def __init__(
        self,
        token: Callable[[], Secret],
        base_url: str = "",
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._token = token
        self._base_url = base_url
        self._sleep = sleep
        self._clock = clock
        self._members: dict[str, tuple[float, frozenset[str]]] = {}

    def find(self, service: Service, marker: str) -> str | None:
        """See `shared.ports.Chat`."""
        pages = self._pages("conversations.history", {"channel": service.channel})
        return next((f"{service.channel}/{ts}" for ts in self._find_marked(pages, EVENT_TYPE, marker)), None)

    def post(self, service: Service, marker: str, message: Message) -> str:
        """See `shared.ports.Chat`. The reference is `channel/timestamp`."""
        posted = self._api.post(
            "chat.postMessage",
            {
                "channel": service.channel,
                **message_layout.build_message_body(service, message),
                **_PLAIN_POST_OPTIONS,
                "metadata": _build_metadata(EVENT_TYPE, marker),
            },
        )
        return f"{posted['channel']}/{posted['ts']}"

    def update(self, service: Service, reference: str, message: Message) -> None:
        """See `shared.ports.Chat`. The metadata stay. A deleted message needs no update."""
        # The reference names the channel, also where the configuration has moved on to another one.
        channel, ts = _split_reference(reference)
        inert = {name: _PLAIN_POST_OPTIONS[name] for name in ("parse", "link_names")}
        try:
            self._api.post(
                "chat.update",
                {"channel": channel, "ts": ts, **message_layout.build_message_body(service, message), **inert},
            )
        except Reject as refused:
            if not refused.detail.endswith("message_not_found"):
                raise

    def list_group_members(self, group: str) -> Collection[str]:
        """See `shared.ports.Chat`. An answer holds for thirty seconds."""
        read_at, known = self._members.get(group, (-_MEMBERS_LIFETIME_SECONDS, frozenset()))
        if self._clock() - read_at < _MEMBERS_LIFETIME_SECONDS:
            return known
        users = self._api.read("usergroups.users.list", {"usergroup": group}, web_api.QUICK_TIMEOUT_SECONDS).get(
            "users"
        )
        members = frozenset(user for user in users if isinstance(user, str)) if isinstance(users, list) else frozenset()
        self._members[group] = (self._clock(), members)
        return members

    def has_reply(self, service: Service, reference: str, marker: str) -> bool:
        """See `shared.ports.Chat`."""
        del service
        channel, ts = _split_reference(reference)
        pages = self._pages("conversations.replies", {"channel": channel, "ts": ts})
        return any(True for _ in self._find_marked(pages, _DETAILS_EVENT_TYPE, marker))

    def reply(self, service: Service, reference: str, marker: str, lines: Sequence[str]) -> None:
        """See `shared.ports.Chat`."""
        del service
        channel, ts = _split_reference(reference)
        text, blocks = message_layout.build_detail_blocks(lines)
        reply = {"channel": channel, "thread_ts": ts, "text": text, "blocks": blocks}
        self._api.post(
            "chat.postMessage",
            {**reply, **_PLAIN_POST_OPTIONS, "metadata": _build_metadata(_DETAILS_EVENT_TYPE, marker)},
        )

    def remind(self, service: Service, reference: str, reminder: Reminder) -> None:
        """See `shared.ports.Chat`. The reply is shown in the channel as well, and leads to the buttons."""
        channel, ts = _split_reference(reference)
        reply = {"channel": channel, "thread_ts": ts, "reply_broadcast": True}
        self._api.post(
            "chat.postMessage",
            {
                **reply,
                **reminder_layout.build_reminder_body(service, reminder),
                **_PLAIN_POST_OPTIONS,
                "metadata": _build_metadata(_DETAILS_EVENT_TYPE, reminder.marker),
            },
        )

    def open_reason_dialog(self, click: Click) -> None:
        """See `shared.ports.ReasonDialog`."""
        self._api.write(
            "views.open",
            {"trigger_id": click.token, "view": interaction.build_denial_dialog(click)},
            web_api.QUICK_TIMEOUT_SECONDS,
        )

    def _pages(self, method: str, arguments: Mapping[str, object]) -> Iterator[web_api.SlackResponse]:
        cursor: object = None
        for _ in range(_MAX_PAGES):
            more = {"cursor": cursor} if cursor else {}
            page = self._api.read(method, {**arguments, **more, "limit": _PAGE_SIZE, "include_all_metadata": "true"})
            yield page
            following = page.get("response_metadata")
            cursor = following.get("next_cursor") if isinstance(following, Mapping) else None
            if not cursor:
                return

    def _find_marked(self, pages: Iterator[web_api.SlackResponse], event_type: str, marker: str) -> Iterator[str]:
        """Timestamps of our own messages that carry the marker; another app could post the same metadata."""
        for page in pages:
            messages = page.get("messages")
            for message in messages if isinstance(messages, list) else ():
                metadata = message.get("metadata") or {}
                is_marked = metadata.get("event_type") == event_type and metadata.get("event_payload") == {
                    "marker": marker
                }
                if is_marked and message.get("user") == self._bot_user:
                    yield str(message["ts"])

    @cached_property
    def _api(self) -> web_api.SlackApi:
        """Slack's client library is imported for the first call, not for every click that makes this class."""
        return web_api.SlackApi(self._token, self._base_url, self._clock, self._sleep)

    @cached_property
    def _bot_user(self) -> object:
        return self._api.read("auth.test", {})["user_id"]


def _build_metadata(event_type: str, marker: str) -> Mapping[str, object]:
    return {"event_type": event_type, "event_payload": {"marker": marker}}


def _split_reference(reference: str) -> tuple[str, str]:
    channel, slash, ts = reference.partition("/")
    if not slash:
        raise Reject("unreadable_reference", f"{reference!r} is not `channel/timestamp`")
    return channel, ts
