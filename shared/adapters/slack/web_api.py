"""Calls Slack's Web API, once; every failure becomes Retry or Reject.

Slack's own client would repeat a request after a reset connection, and a message whose answer was lost would be posted
twice: here a call is made once, and the ledger decides about another one.
https://docs.slack.dev/apis/web-api/rate-limits
"""

import time
from collections.abc import Callable, Mapping
from http.client import HTTPException
from threading import Lock

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.webhook import WebhookClient

from shared.errors import Reject, Retry
from shared.secret import Secret
from shared.text.escaping import escape_slack, truncate

SlackResponse = Mapping[str, object]

_TIMEOUT_SECONDS = 8
_SECONDS_BETWEEN_POSTS = 1.0
"""Seconds between two messages to one channel, as far as this process sends them; a 429 accounts for others."""
QUICK_TIMEOUT_SECONDS = 1
"""Seconds for calls that a user waits for: Slack allows three for the whole response."""
_DEFAULT_RETRY_AFTER = 1.0
_PERMANENT_ERRORS = frozenset(
    (
        "account_inactive", "as_user_not_supported", "cant_update_message", "channel_not_found", "edit_window_closed",
        "invalid_arguments", "invalid_auth", "invalid_blocks", "invalid_metadata_format", "is_archived",
        "message_not_found", "missing_scope", "msg_blocks_too_long", "msg_too_long", "no_permission", "no_such_subteam",
        "no_text", "not_authed", "not_in_channel", "restricted_action", "thread_not_found", "token_expired",
        "token_revoked",
    )
)  # fmt: skip
"""What Slack will say again, however often it is asked. Everything else is worth another delivery."""


class SlackApi:
    """The Web API with one token. `base_url` ends in `/api/`; `seconds` is any clock that only goes forward."""

    def __init__(
        self,
        token: Callable[[], Secret],
        base_url: str = "",
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._token = token
        self._base_url = base_url
        self._clock = clock
        self._sleep = sleep
        self._rate_limited_until: dict[str, float] = {}
        self._next_slots: dict[str, float] = {}
        self._lock = Lock()

    def write(self, method: str, body: Mapping[str, object], timeout: int = _TIMEOUT_SECONDS) -> SlackResponse:
        """A call that changes something, or that takes structured arguments. Raises Retry and Reject."""
        return self._call(method, timeout, json=dict(body))

    def post(self, method: str, body: Mapping[str, object]) -> SlackResponse:
        """A call that shows something in `body["channel"]`: each of a channel has a second to itself."""
        self._sleep(self._reserve_slot(str(body["channel"])))
        return self.write(method, body)

    def _reserve_slot(self, channel: str) -> float:
        """Seconds until the caller's turn, which is theirs from now on."""
        with self._lock:
            now = self._clock()
            turn = max(now, self._next_slots.get(channel, now))
            self._next_slots[channel] = turn + _SECONDS_BETWEEN_POSTS
            return turn - now

    def read(self, method: str, arguments: Mapping[str, object], timeout: int = _TIMEOUT_SECONDS) -> SlackResponse:
        """A call that changes nothing. Raises Retry and Reject."""
        return self._call(method, timeout, params=dict(arguments))

    def _call(self, method: str, seconds: int, **arguments: dict[str, object]) -> SlackResponse:
        wait = self._rate_limited_until.get(method, 0.0) - self._clock()
        if wait > 0:
            raise Retry(f"Slack's {method} wants to be left alone for another {wait:.0f} s")
        try:
            data = self._client(seconds).api_call(method, **arguments).data  # type: ignore[arg-type]  # JSON values
        except SlackApiError as error:
            raise self._failure(method, error) from error
        except (SlackClientError, HTTPException, OSError, ValueError) as error:
            raise Retry(f"Slack's {method} did not answer: {type(error).__name__}") from error
        return data if isinstance(data, dict) else {}

    def _failure(self, method: str, error: SlackApiError) -> Retry | Reject:
        status, headers, code = _parse_response(error.response)
        if status == 429 or code == "ratelimited":
            wait = _retry_after(headers)
            self._rate_limited_until[method] = self._clock() + wait
            return Retry(f"Slack's {method} has had enough calls; it asks to wait {wait:.0f} s")
        if code in _PERMANENT_ERRORS:
            return Reject("chat_refused", f"{method}: {code}")
        return Retry(f"Slack's {method} failed: {code or f'status {status}'}")

    def _client(self, seconds: int) -> WebClient:
        # An empty list: None would mean the library's own handlers, which post again after a reset.
        return WebClient(
            token=self._token().reveal(), base_url=self._base_url or WebClient.BASE_URL, timeout=seconds,
            retry_handlers=[],
        )  # fmt: skip


def _parse_response(response: object) -> tuple[int, Mapping[str, str], str]:
    """Status, headers and error code. Where the body was no JSON, the library hands over a dictionary instead."""
    if isinstance(response, Mapping):
        return int(response.get("status") or 0), response.get("headers") or {}, str(response.get("error") or "")
    data = getattr(response, "data", None)
    code = data.get("error") if isinstance(data, Mapping) else None
    return getattr(response, "status_code", 0), getattr(response, "headers", {}), str(code or "")


def name_failure(error: Exception) -> str:
    """Slack's code for why not, else the class of the error; no text of others."""
    if not isinstance(error, SlackApiError):
        return type(error).__name__
    status, _, code = _parse_response(error.response)
    return code or f"status {status}"


def _retry_after(headers: Mapping[str, str]) -> float:
    named = {name.lower(): value for name, value in headers.items()}
    try:
        return max(float(named["retry-after"]), _DEFAULT_RETRY_AFTER)
    except (KeyError, ValueError):
        return _DEFAULT_RETRY_AFTER


RESPONSE_URL_PREFIX = "https://hooks.slack.com/"
_EPHEMERAL_TIMEOUT_SECONDS = 1
_MAX_EPHEMERAL_LENGTH = 600


def send_ephemeral(response_url: str, text: str) -> None:
    """Raises Reject for an address that is not Slack's, Retry where nobody has taken the sentence."""
    if not response_url.startswith(RESPONSE_URL_PREFIX):
        raise Reject("foreign_address", "the request names an address that is not Slack's")
    client = WebhookClient(response_url, timeout=_EPHEMERAL_TIMEOUT_SECONDS, retry_handlers=[])
    try:
        answer = client.send(
            text=escape_slack(truncate(text, _MAX_EPHEMERAL_LENGTH)), response_type="ephemeral", replace_original=False
        )
    except (HTTPException, OSError, ValueError) as error:
        raise Retry(f"the user who clicked could not be answered: {type(error).__name__}") from error
    if answer.status_code != 200:
        raise Retry(f"the user who clicked could not be answered: status {answer.status_code}")
