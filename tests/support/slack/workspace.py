"""A Slack workspace on loopback: requests of the Web API in, answers out; what was posted is kept, like the scopes.

Small on purpose: what a Slack of another make answers is tested in `tests/contract/test_slack_chat.py`.
"""

import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.github.server import FakeRequest, FakeResponse

SCOPES = ("chat:write", "channels:history", "channels:read", "usergroups:read")
BOT = "U0BOT"
TEAM = "T0"
APP = "A0BOAT"


@dataclass
class FakeWorkspace:
    """`channels` maps ids to whether the bot is a member, `groups` ids to their members. `lose` loses one answer."""

    scopes: Collection[str] = SCOPES
    channels: dict[str, bool] = field(default_factory=dict)
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    messages: list[dict[str, Any]] = field(default_factory=list)
    replies: list[dict[str, Any]] = field(default_factory=list)
    """What stands below messages."""
    organisation: str = ""
    """That the app is installed for."""
    token: str = ""
    """The only one that is taken; "" takes any."""
    lost_method: str = ""
    has_socket_mode: bool = False
    address: str = ""
    called_methods: list[str] = field(default_factory=list)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def answer(self, asked: FakeRequest) -> FakeResponse:
        method = asked.path.rpartition("/")[2]
        self.called_methods.append(method)
        given = {**asked.query, **(asked.body or {})}
        is_of_app = method == "apps.connections.open"  # which takes another token
        if self.token and not is_of_app and asked.headers.get("authorization") != f"Bearer {self.token}":
            return FakeResponse(200, {"ok": False, "error": "invalid_auth"})
        value = self._value(method, given)
        lost, self.lost_method = self.lost_method == method, "" if self.lost_method == method else self.lost_method
        return FakeResponse(200, value, {"x-oauth-scopes": ",".join(self.scopes)}, "timeout" if lost else "")

    def _post(self, given: Mapping[str, Any]) -> dict[str, Any]:
        if self.channels.get(given["channel"]) is False:
            return {"ok": False, "error": "not_in_channel"}
        posted = {**given, "ts": f"{next(self._numbers)}.0", "user": BOT}
        (self.replies if "thread_ts" in given else self.messages).append(posted)
        message = {"app_id": APP, "text": given.get("text", ""), "ts": posted["ts"]}
        return {"ok": True, "channel": given["channel"], "ts": posted["ts"], "message": message}

    def _value(self, method: str, given: Mapping[str, Any]) -> dict[str, Any]:  # noqa: C901, PLR0911  # one for each method
        if method == "auth.test":
            whose = {"enterprise_id": self.organisation} if self.organisation else {}
            return {"ok": True, "user_id": BOT, "bot_id": "B0BOT", "team_id": TEAM, "user": "provenfix", **whose}
        if method == "apps.connections.open":
            return {"ok": self.has_socket_mode, "error": "not_allowed_token_type", "url": "wss://slack.invalid/link"}
        if method == "bots.info":
            if "users:read" not in self.scopes:
                return {"ok": False, "error": "missing_scope", "needed": "users:read"}
            return {"ok": True, "bot": {"id": given["bot"], "app_id": APP}}
        if method == "chat.postMessage":
            return self._post(given)
        if method == "chat.update":
            next(message for message in self.messages if message["ts"] == given["ts"]).update(given)
            return {"ok": True}
        if method in {"conversations.history", "conversations.replies"}:
            if not self.channels.get(given["channel"]):
                known = given["channel"] in self.channels
                return {"ok": False, "error": "not_in_channel" if known else "channel_not_found"}
            messages = [message for message in self.messages if message["channel"] == given["channel"]]
            if method == "conversations.replies":
                messages = [message for message in messages if message["ts"] == given["ts"]]
                messages += [reply for reply in self.replies if reply["thread_ts"] == given["ts"]]
            return {"ok": True, "messages": messages}
        if method == "usergroups.users.list":
            known = given["usergroup"] in self.groups
            return {"ok": True, "users": self.groups[given["usergroup"]]} if known else {
                "ok": False, "error": "no_such_subteam",
            }  # fmt: skip
        return {"ok": method == "views.open", "error": "unknown_method"}
