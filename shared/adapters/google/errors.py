"""The one table of Google's errors: what a status means for a message, whether a client or REST reports it.

https://cloud.google.com/apis/design/errors
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.errors import Reject, Retry

if TYPE_CHECKING:
    from google.api_core.exceptions import GoogleAPICallError

GRANT_SECONDS = 600.0
"""A role that was granted takes two minutes to take effect, sometimes seven or more.

https://cloud.google.com/iam/docs/access-change-propagation
"""
PROCESS_START = time.monotonic()
"""Every deployed function runs this module when it makes its store, before its first answer."""


@dataclass(frozen=True, slots=True)
class ErrorRule:
    """`reason` names a refusal that is final; "" means: deliver the message again."""

    reason: str = ""
    may_repeat: bool = False
    """A read may be repeated within the same delivery."""


_AGAIN, _REPEAT = ErrorRule(), ErrorRule(may_repeat=True)
_RULES = {
    "ABORTED": ErrorRule("stale"),
    "ALREADY_EXISTS": ErrorRule("stale"),
    "FAILED_PRECONDITION": ErrorRule("stale"),
    "PERMISSION_DENIED": ErrorRule("denied"),
    "UNAUTHENTICATED": ErrorRule("denied"),
    "NOT_FOUND": ErrorRule("not_found"),
    "INVALID_ARGUMENT": ErrorRule("invalid"),
    "OUT_OF_RANGE": ErrorRule("invalid"),
    "UNIMPLEMENTED": ErrorRule("invalid"),
    "CANCELLED": _AGAIN,
    "DATA_LOSS": _AGAIN,
    "DEADLINE_EXCEEDED": _AGAIN,
    "RESOURCE_EXHAUSTED": _AGAIN,
    "UNKNOWN": _AGAIN,
    "INTERNAL": _REPEAT,
    "UNAVAILABLE": _REPEAT,
    # Answers of a server in between, which name no status.
    "401": ErrorRule("denied"),
    "403": ErrorRule("denied"),
    "408": _AGAIN,
    "429": _AGAIN,
    "499": _AGAIN,
    "500": _REPEAT,
    "502": _REPEAT,
    "503": _REPEAT,
    "504": _REPEAT,
}
_FORBIDDEN = frozenset({"PERMISSION_DENIED", "403"})


def find_rule(status: str) -> ErrorRule | None:
    """The rule for a status by its name or, where an answer names none, its HTTP code; None for an unknown one."""
    return _RULES.get(status)


def require_grants_in_effect(action: str, status: str) -> None:
    """Raises Retry for a missing permission while this process is young: its roles may be as new as itself."""
    if status in _FORBIDDEN and time.monotonic() < PROCESS_START + GRANT_SECONDS:
        raise Retry(f"{action}: {status}; a role that was granted just now takes some minutes to take effect")


@contextmanager
def translate_errors(action: str, *, is_granted: bool = True) -> Iterator[None]:
    """Raises Retry, or Reject with `stale`, `denied`, `not_found` or `invalid`. `action` begins the sentence.

    `is_granted` is False where nobody grants this account anything, as in a project of others: a refusal is final then,
    however young this process is.
    """
    from google.api_core import exceptions as api  # noqa: PLC0415
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415

    try:
        yield
    except api.GoogleAPICallError as error:
        raise _translate(action, error, is_granted=is_granted) from error
    except (api.RetryError, GoogleAuthError) as error:
        raise Retry(f"{action}: {type(error).__name__}") from error


def _translate(action: str, error: "GoogleAPICallError", *, is_granted: bool) -> Retry | Reject:
    status = error.grpc_status_code.name if error.grpc_status_code is not None else str(error.code)
    if is_granted:
        require_grants_in_effect(action, status)
    rule = find_rule(status) or _AGAIN
    if not rule.reason:
        return Retry(f"{action}: {type(error).__name__}")
    advice = "grant the function's account the role it needs " if rule.reason == "denied" else ""
    return Reject(rule.reason, f"{action}: {advice}({error.message})" if advice else f"{action}: {error.message}")
