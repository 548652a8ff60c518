"""Verifies that a request comes from Slack, by its headers and raw body.

The signature is HMAC-SHA256 over `v0:<timestamp>:<raw body>`
(https://api.slack.com/authentication/verifying-requests-from-slack). Slack's own library raises on a timestamp that is
no number or a huge one, on a signature outside ASCII and on a body that is not UTF-8; here each is an answer.
"""

import hashlib
import hmac
import re
from enum import StrEnum
from typing import Protocol

from shared.secret import Secret

TIMESTAMP_HEADER = "X-Slack-Request-Timestamp"
SIGNATURE_HEADER = "X-Slack-Signature"
WINDOW_SECONDS = 300

# Until the year 33658; a longer number would only cost time.
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


class SignatureError(StrEnum):
    """Why a request is not accepted as Slack's. The sender learns none of these reasons."""

    NO_SECRET = "no_signing_secret"  # noqa: S105  # the name of a reason
    NO_TIMESTAMP = "no_timestamp"
    BAD_TIMESTAMP = "bad_timestamp"
    STALE = "stale_timestamp"
    NO_SIGNATURE = "no_signature"
    WRONG_SIGNATURE = "wrong_signature"


class Headers(Protocol):
    """Those of a request; names in whatever case the web server accepts."""

    def get(self, key: str, default: str, /) -> str:
        """The value, or `default`."""


def verify_signature(headers: Headers, body: bytes, secret: Secret, now: float) -> SignatureError | None:
    """None where the request is Slack's and not older or younger than five minutes. `now` in seconds since 1970.

    Never raises because of what the request holds.
    """
    if not secret:  # any client can sign with an empty key
        return SignatureError.NO_SECRET
    timestamp, signature = headers.get(TIMESTAMP_HEADER, ""), headers.get(SIGNATURE_HEADER, "")
    if not timestamp:
        return SignatureError.NO_TIMESTAMP
    if not _TIMESTAMP.fullmatch(timestamp):
        return SignatureError.BAD_TIMESTAMP
    if abs(now - int(timestamp)) > WINDOW_SECONDS:
        return SignatureError.STALE
    if not signature:
        return SignatureError.NO_SIGNATURE
    # As bytes: compare_digest refuses text outside ASCII.
    right = hmac.compare_digest(sign(timestamp, body, secret).encode(), signature.encode("utf-8", "backslashreplace"))
    return None if right else SignatureError.WRONG_SIGNATURE


def sign(timestamp: str, body: bytes, secret: Secret) -> str:
    """The signature that Slack sends with this body: `v0=` and 64 hexadecimal digits."""
    signed = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.reveal().encode(), signed, hashlib.sha256).hexdigest()
