"""One call of Slack's Web API, as a command makes it: a method in, what Slack answered out, also where it says no.

Nothing is repeated, since a message would come twice, and nothing is logged: the caller has a sentence for the user.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from shared.secret import Secret

_SILENT = logging.getLogger(__name__)
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False  # the library writes to stderr what failed
_MAX_CODE_LENGTH = 60


class SlackUnreachable(Exception):
    """Nothing usable came back; the text is the class of the error."""


@dataclass(frozen=True, slots=True)
class SlackAnswer:
    """`value` is {} where the body is no JSON object; `headers` by lower-case name."""

    status: int
    value: Mapping[str, Any]
    headers: Mapping[str, str]

    @property
    def is_success(self) -> bool:
        """Whether Slack was there to answer."""
        return 200 <= self.status < 300

    @property
    def is_ok(self) -> bool:
        """Whether Slack did what was asked."""
        return self.value.get("ok") is True

    @property
    def error_code(self) -> str:
        """Slack's code for why not; text of others is not repeated."""
        code = str(self.value.get("error", ""))
        return code if code.replace("_", "").isalnum() and len(code) < _MAX_CODE_LENGTH else "an unknown error"


def call_method(base: str, method: str, token: Secret, arguments: Mapping[str, str], seconds: int) -> SlackAnswer:
    """`base` ends in `/api/`, "" for Slack's own. Raises SlackUnreachable."""
    base = base or WebClient.BASE_URL
    client = WebClient(token.reveal(), base, timeout=seconds, retry_handlers=[], logger=_SILENT)
    try:
        response: Any = client.api_call(method, data=dict(arguments))
    except SlackApiError as error:
        response = error.response
    except (SlackClientError, HTTPException, OSError, ValueError) as error:
        raise SlackUnreachable(_name_error(error)) from None
    except AttributeError:  # the library asks a JSON array for its `ok`
        raise SlackUnreachable("no JSON object") from None
    if isinstance(response, Mapping):  # as the library hands over what is no JSON
        return SlackAnswer(int(response.get("status") or 0), {}, {})
    value = response.data if isinstance(response.data, Mapping) else {}
    headers = {str(name).lower(): str(text) for name, text in response.headers.items()}
    return SlackAnswer(response.status_code, value, headers)


def _name_error(error: Exception) -> str:
    reason = getattr(error, "reason", None)  # of urllib's wrapper
    return type(reason if isinstance(reason, Exception) else error).__name__
