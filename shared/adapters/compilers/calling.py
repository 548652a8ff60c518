"""One JSON request to a private function: a body and an identity token go out, the decoded answer comes back.

What may pass (no connection, no answer in time, 429, 5xx) is tried again; a redirect is never followed, because the
token is meant for one URL only.
"""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from shared.secret import Secret

REQUEST_SECONDS = 60.0
RETRY_PAUSES = (0.5, 2.0)
"""Seconds before the second and the third attempt."""
MAX_RESPONSE_BYTES = 64 << 20
_TOO_MANY_REQUESTS = 429


class RequestFailed(Exception):
    """There is no answer to be had; the text says why and never holds the token."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """None: the redirect is the answer."""
        return


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects())


def post_json(url: str, body: bytes, token: Secret, sleep: Callable[[float], None]) -> dict[str, Any]:
    """The JSON object that the function answers. Raises `RequestFailed`."""
    for pause in RETRY_PAUSES:
        try:
            return _post_once(url, body, token)
        except _TransientFailure:
            sleep(pause)
    return _post_once(url, body, token)


class _TransientFailure(RequestFailed):
    """It may be answered the next time."""


def _post_once(url: str, body: bytes, token: Secret) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"}
    if token:  # a function on this machine wants none
        headers["Authorization"] = f"Bearer {token.reveal()}"
    request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310  # settings allow only HTTP(S)
    try:
        with _OPENER.open(request, timeout=REQUEST_SECONDS) as answer:
            text = answer.read(MAX_RESPONSE_BYTES)
    except urllib.error.HTTPError as error:
        with error:
            passing = error.code == _TOO_MANY_REQUESTS or error.code >= 500
            raise (_TransientFailure if passing else RequestFailed)(f"{url} answered {error.code}") from None
    except (OSError, http.client.HTTPException) as error:
        raise _TransientFailure(f"{url} could not be reached: {error}") from None
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        raise RequestFailed(f"{url} answered something that is not JSON") from None
    if not isinstance(told, dict):
        raise RequestFailed(f"{url} answered something else than an object")
    return told
