"""Slack, as setup needs it: whose token this is, and a first message. Two methods of its Web API."""

from collections.abc import Mapping
from typing import Any

from shared.adapters.slack import single_call
from shared.errors import InputError
from shared.secret import Secret

_TIMEOUT_SECONDS = 20
_AGAIN = "Then run `provenfix setup` again."
_REMEDIES = {
    "not_in_channel": "in that channel of Slack: /invite @provenfix",
    "channel_not_found": "give the channel's id with --channel, and invite the bot to it where it is private",
    "invalid_auth": "paste the bot's token, which begins with xoxb-",
    "missing_scope": "reinstall the app with all scopes of its manifest",
}


class SlackWorkspace:
    """Implements `functions.setup.ports.Workspace`. `base` answers in Slack's place, on loopback."""

    def __init__(self, base: str = "") -> None:
        self._base = base

    def find_team(self, token: Secret) -> str:
        """See `Workspace`."""
        return str(self._call("auth.test", token)["team_id"])

    def greet(self, token: Secret, channel: str, text: str) -> str:
        """See `Workspace`. A message tells which app posted it; no scope of ours does."""
        message = self._call("chat.postMessage", token, channel=channel, text=text).get("message", {})
        return str(message.get("app_id", "") if isinstance(message, dict) else "")

    def _call(self, method: str, token: Secret, **given: str) -> Mapping[str, Any]:
        try:
            answer = single_call.call_method(self._base, method, token, given, _TIMEOUT_SECONDS)
        except single_call.SlackUnreachable as error:
            raise InputError(f"Slack could not be asked ({method}): {error}. {_AGAIN}") from None
        if answer.is_ok:
            return answer.value
        known = answer.error_code if answer.value else f"HTTP {answer.status}"
        remedy = _REMEDIES.get(answer.error_code, "see its documentation")
        raise InputError(f"Slack answers {known} to {method}: {remedy}. {_AGAIN}")
