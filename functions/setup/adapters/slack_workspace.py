"""Slack, as setup needs it: whose token this is, and a first message. Two methods of its Web API."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from shared.adapters.http import HttpClient, NoResponse
from shared.errors import InputError
from shared.secret import Secret

API = "https://slack.com/api/"
_TIMEOUT_SECONDS = 20.0
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
        self._base = base or API
        self._http = HttpClient(_TIMEOUT_SECONDS, uses_proxies=True)

    def find_team(self, token: Secret) -> str:
        """See `Workspace`."""
        return str(self._call("auth.test", token)["team_id"])

    def greet(self, token: Secret, channel: str, text: str) -> str:
        """See `Workspace`. A message tells which app posted it; no scope of ours does."""
        message = self._call("chat.postMessage", token, channel=channel, text=text).get("message", {})
        return str(message.get("app_id", "") if isinstance(message, dict) else "")

    def _call(self, method: str, token: Secret, **given: str) -> Mapping[str, Any]:
        headers = {
            "Authorization": f"Bearer {token.reveal()}",
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
        }
        try:
            response = self._http.request("POST", self._base + method, headers, urlencode(given).encode())
            answer = json.loads(response.body) if response.is_success else {"error": f"HTTP {response.status}"}
        except (NoResponse, ValueError) as error:
            raise InputError(f"Slack could not be asked ({method}): {error}. {_AGAIN}") from None
        if not isinstance(answer, dict) or answer.get("ok") is not True:
            code = str(answer.get("error", "")) if isinstance(answer, dict) else ""
            known = code if code.replace("_", "").replace(" ", "").isalnum() else "something unknown"
            raise InputError(f"Slack answers {known} to {method}: {_REMEDIES.get(code, 'fix this')}. {_AGAIN}")
        return answer
