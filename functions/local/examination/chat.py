"""Slack as the functions use it: the bot's token in; a check each for its scopes, the channels and user groups out."""

import urllib.parse
from collections.abc import Iterator, Sequence

from functions.local.access import Access
from functions.local.examination.asking import Answer, send
from functions.local.examination.finding import Check, Found, Unanswered, missing, ok
from functions.local.examination.secrets import Secrets
from shared.domain.service import Service

API = "https://slack.com/api/"
_KEY = "slack.bot_token"
_INSTALL = "add the scopes under https://api.slack.com/apps > OAuth & Permissions, then reinstall the app"
_PRIVATE = {"channels:history": "groups:history"}
"""Of a private channel the other scope does."""


class Slack:
    """The checks of one workspace. `base` answers in its place, on loopback."""

    def __init__(self, access: Access, secrets: Secrets, services: Sequence[Service], base: str = "") -> None:
        self._access, self._secrets, self._services, self._base = access, secrets, services, base or API

    def checks(self) -> Iterator[Check]:
        """The token first."""
        yield Check("slack", "scopes of the bot's token", self._scopes)
        for channel in dict.fromkeys(service.channel for service in self._services):
            yield Check("slack", f"channel {channel}", lambda at=channel: self._channel(at))  # type: ignore[misc]
        for group in dict.fromkeys(service.approver_group for service in self._services if service.approver_group):
            yield Check("slack", f"user group {group}", lambda at=group: self._group(at))  # type: ignore[misc]
        for service in self._services:
            if not (service.approvers or service.approver_group):
                yield Check("slack", f"approvers of {service.id}", _nobody)

    def _ask(self, method: str, **given: str) -> Answer:
        token = self._secrets.read(_KEY).reveal()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-www-form-urlencoded"}
        answer = send("POST", self._base + method, headers, urllib.parse.urlencode(given).encode())
        if not answer.done:
            raise Unanswered(f"Slack answered {answer.status}; try again.")
        return answer

    def _scopes(self) -> Found:
        answer = self._ask("auth.test")
        if answer.value.get("ok") is not True:
            return missing(f"Slack refuses the token: {_error(answer)}.", _INSTALL)
        held = {each.strip() for each in answer.headers.get("x-oauth-scopes", "").split(",")}
        lacking = [each for each in self._access.scopes() if each not in held and _PRIVATE.get(each, each) not in held]
        return missing(f"It lacks {', '.join(lacking)}.", _INSTALL) if lacking else ok(", ".join(self._access.scopes()))

    def _channel(self, channel: str) -> Found:
        answer = self._ask("conversations.history", channel=channel, limit="1")
        if answer.value.get("ok") is True:
            return ok()
        return missing(f"Slack answers {_error(answer)}.", f"in that channel of Slack: /invite @provenfix  ({channel})")

    def _group(self, group: str) -> Found:
        answer = self._ask("usergroups.users.list", usergroup=group)
        if answer.value.get("ok") is not True:
            return missing(f"Slack answers {_error(answer)}.", f"correct approver_group in provenfix.yaml ({group})")
        if not answer.value.get("users"):
            return missing("It has no members: nobody can approve.", "add members to the group in Slack")
        return ok(f"{len(answer.value['users'])} members")


def _error(answer: Answer) -> str:
    told = str(answer.value.get("error", ""))
    return told if told.replace("_", "").isalnum() and len(told) < 60 else "something unknown"


def _nobody() -> Found:
    return missing("An empty list approves nobody.", "add approvers or approver_group to the service in provenfix.yaml")
