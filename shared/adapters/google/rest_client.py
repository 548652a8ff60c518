"""Calls one of Google's APIs over REST, with JSON bodies.

It serves what a function does before its first answer: importing the Firestore client took 0.7 s of processor time and
the Pub/Sub client 0.7 s, urllib3 0.2 s (2026-11, Python 3.11), and one request takes a few milliseconds.

A request that changes something goes out once, whatever happens to its connection; a read is repeated for a moment. A
refused token (401) is renewed once: the API refuses it before it does anything.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.adapters.google.credentials import renew_token
from shared.adapters.google.errors import find_rule, require_grants_in_effect
from shared.adapters.http import HttpClient, HttpResponse, NoResponse
from shared.errors import Retry
from shared.secret import Secret

_MIN_PAUSE_SECONDS = 0.05
_MAX_PAUSE_SECONDS = 0.5
_CONTENTION = "ABORTED"
"""Over REST another write was in the way; the clients' callers get `stale`, and decide themselves."""
_EMULATOR_TOKEN = Secret("owner")
"""What emulators take for an account that may do everything."""


class Unavailable(Retry):
    """No answer, or one of a server in between: the next moment may be better, after `retry_after` seconds."""

    def __init__(self, detail: str, retry_after: float = 0.0) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class ApiRefusal(Exception):
    """The API's answer is no: `status` is its name for why, such as `ALREADY_EXISTS`."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an API is: `host` with or without a port, and what authorises a request."""

    host: str
    token: Callable[[], Secret]
    is_plain_http: bool = False
    """Without TLS: an emulator."""


def resolve_endpoint(host: str, emulator: str, token: Callable[[], Secret] | None) -> Endpoint:
    """The emulator where there is one, else Google. Raises ValueError where neither can be reached."""
    if emulator:
        return Endpoint(emulator, lambda: _EMULATOR_TOKEN, is_plain_http=True)
    if token is None:
        raise ValueError(f"{host} wants a token, and no emulator is named")
    return Endpoint(host, token)


class RestClient:
    """Posts to one API, from any number of threads. `seconds` is how long one request may take."""

    def __init__(self, endpoint: Endpoint, seconds: float) -> None:
        self._endpoint = endpoint
        self._http = HttpClient(seconds)

    def post(self, path: str, body: Mapping[str, object], *, retry_for: float = 0.0) -> Any:
        """Posts JSON and returns the answer's. The request may be repeated for `retry_for` seconds.

        Raises ApiRefusal, Retry.
        """
        until = time.monotonic() + retry_for
        pause = _MIN_PAUSE_SECONDS
        content = json.dumps(body, separators=(",", ":")).encode("ascii")
        while True:
            try:
                return self._parse_response(self._post_authorized(path, content))
            except Unavailable as error:
                wait = max(pause, error.retry_after)
                if time.monotonic() + wait > until:
                    raise
            time.sleep(wait)
            pause = min(2 * pause, _MAX_PAUSE_SECONDS)

    def close(self) -> None:
        """Ends the connections."""
        self._http.close()

    def _post_authorized(self, path: str, content: bytes) -> HttpResponse:
        response = self._post_once(path, content)
        if response.status == 401 and renew_token(self._endpoint.token):
            return self._post_once(path, content)
        return response

    def _post_once(self, path: str, content: bytes) -> HttpResponse:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._endpoint.token().reveal()}"}
        url = f"{'http' if self._endpoint.is_plain_http else 'https'}://{self._endpoint.host}{path}"
        try:
            return self._http.request("POST", url, headers, content)
        except NoResponse as error:
            raise Unavailable(str(error)) from error

    def _parse_response(self, response: HttpResponse) -> Any:
        try:
            value: Any = json.loads(response.body)
        except ValueError:
            value = None
        first = value[0] if isinstance(value, list) and value else value
        error = first.get("error") if isinstance(first, dict) else None
        if response.is_success and value is not None and error is None:
            return value
        status = str(error["status"]) if isinstance(error, dict) and error.get("status") else str(response.status)
        self._require_final(status, response, is_cut_off=response.is_success and value is None)
        raise ApiRefusal(status, str(error.get("message", ""))[:300] if isinstance(error, dict) else "")

    def _require_final(self, status: str, response: HttpResponse, *, is_cut_off: bool) -> None:
        """Raises Unavailable or Retry where the same request may succeed later."""
        host, rule = self._endpoint.host, find_rule(status)
        if is_cut_off or (rule is not None and rule.may_repeat):
            raise Unavailable(f"{host} did not answer: {status}", response.retry_after)
        if status == _CONTENTION or (rule is not None and not rule.reason):
            raise Retry(f"{host} could not do it now: {status}")
        require_grants_in_effect(host, status)
