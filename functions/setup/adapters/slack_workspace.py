"""Slack, as setup needs it: whose token this is, and a first message. Two methods of its Web API."""

from collections.abc import Mapping
from http.client import HTTPException
from typing import Any

from shared.errors import InputError
from shared.secret import Secret

API = "https://slack.com/api/"
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
        self._base = base or API

    def find_team(self, token: Secret) -> str:
        """See `Workspace`."""
        return str(self._call("auth.test", token)["team_id"])

    def greet(self, token: Secret, channel: str, text: str) -> str:
        """See `Workspace`. A message tells which app posted it; no scope of ours does."""
        message = self._call("chat.postMessage", token, channel=channel, text=text).get("message", {})
        return str(message.get("app_id", "") if isinstance(message, dict) else "")

    def _call(self, method: str, token: Secret, **given: str) -> Mapping[str, Any]:
        # Imported here: a setup without Slack needs no client of it. Nothing is repeated: a message would come twice.
        from slack_sdk import WebClient  # noqa: PLC0415
        from slack_sdk.errors import SlackApiError, SlackClientError  # noqa: PLC0415

        client = WebClient(token.reveal(), self._base, timeout=_TIMEOUT_SECONDS, retry_handlers=[])
        try:
            answer = client.api_call(method, data=given).data
        except SlackApiError as error:
            raise _name_refusal(method, error.response) from None
        except (SlackClientError, HTTPException, OSError, ValueError) as error:
            raise InputError(f"Slack could not be asked ({method}): {type(error).__name__}. {_AGAIN}") from None
        if not isinstance(answer, dict):
            raise InputError(f"Slack could not be asked ({method}): no JSON. {_AGAIN}")
        return answer


def _name_refusal(method: str, response: object) -> InputError:
    """The sentence for an answer that says no; a text of others is not repeated."""
    body = getattr(response, "data", response)
    code = str(body.get("error", "")) if isinstance(body, Mapping) else f"HTTP {getattr(response, 'status_code', 0)}"
    known = code if code.replace("_", "").replace(" ", "").isalnum() else "something unknown"
    return InputError(f"Slack answers {known} to {method}: {_REMEDIES.get(code, 'fix this')}. {_AGAIN}")
