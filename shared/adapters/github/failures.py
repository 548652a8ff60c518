"""What a failed request to GitHub means: its summary, and how long a rate limit lasts.

https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api: `retry-after` first, then the reset
time where nothing remains, else a minute. GraphQL reports its limit in an answer of 200.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from github import GithubException

_MAX_MESSAGE_LENGTH = 300
_DEFAULT_WAIT_SECONDS = 60.0


def summarise(error: GithubException) -> str:
    """The status and GitHub's own message, cut."""
    return f"HTTP {error.status} {_format_message(error)[:_MAX_MESSAGE_LENGTH]}".strip()


def find_rate_limit_wait(error: GithubException, now: datetime) -> float | None:
    """Seconds to wait where a rate limit was met, None where none was."""
    headers = {name: str(value) for name, value in (error.headers or {}).items()}
    is_spent, retry_after = headers.get("x-ratelimit-remaining") == "0", headers.get("retry-after", "")
    if not _is_rate_limit(error, is_announced=is_spent or bool(retry_after)):
        return None
    if retry_after.isdecimal():
        return float(retry_after)
    reset = headers.get("x-ratelimit-reset", "")
    return max(0.0, float(reset) - now.timestamp()) + 1.0 if is_spent and reset.isdecimal() else _DEFAULT_WAIT_SECONDS


def _is_rate_limit(error: GithubException, *, is_announced: bool) -> bool:
    if any(entry.get("type") == "RATE_LIMITED" for entry in list_graphql_errors(error.data)):
        return True
    return error.status == 429 or (error.status == 403 and (is_announced or "rate limit" in _format_message(error)))


def list_graphql_errors(answer: object) -> list[Mapping[str, Any]]:
    """The errors that a GraphQL answer lists; none of an answer that is no GraphQL answer."""
    errors = answer.get("errors") if isinstance(answer, dict) and "message" not in answer else None
    return [entry for entry in errors if isinstance(entry, dict)] if isinstance(errors, list) else []


def _format_message(error: GithubException) -> str:
    return str(error.data.get("message", "")) if isinstance(error.data, dict) else ""
