"""One of Google's APIs over REST: a path and a JSON body go in, the JSON of the answer comes out.

For what a function does before its first answer: importing a client takes several times as long as the requests.
Connections, time limits and TLS are urllib3's, which repeats nothing here: it counts attempts and sees codes alone,
while what may be repeated is told by the body of an answer, and how long by the time limit of a function. So a request
that changes something goes out once, whatever happens to its connection; a read is repeated for a moment.
https://cloud.google.com/apis/design/errors
"""

import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import urllib3

from shared.errors import Retry
from shared.secret import Secret

_MAX_IDLE_SECONDS = 30.0
"""Seconds of silence after which connections are not trusted: urllib3 sees that one was ended, not that it is lost."""
_MAX_CONNECTIONS = 32
"""Connections that are kept; there may be more at once."""
_MIN_PAUSE_SECONDS = 0.05
_MAX_PAUSE_SECONDS = 0.5
_REDELIVER_STATUSES = frozenset(
    ("ABORTED", "CANCELLED", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "UNKNOWN", "408", "429", "499")
)
_RETRY_STATUSES = frozenset(("INTERNAL", "UNAVAILABLE", "500", "502", "503", "504"))
"""Names of errors, and codes of answers that name none, after which a request may succeed."""
_EMULATOR_TOKEN = Secret("owner")
"""What emulators take for somebody who may do everything."""


class Unavailable(Retry):
    """Nobody answered, or somebody in between: the next moment may be better."""


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
        self._seconds = seconds
        self._last_used = time.monotonic()

    def post(self, path: str, body: Mapping[str, object], *, retry_for: float = 0.0) -> Any:
        """`again` is for how many seconds the request may be repeated. Raises Refused, Retry."""
        until = time.monotonic() + retry_for
        pause = _MIN_PAUSE_SECONDS
        while True:
            try:
                return self._post_once(path, json.dumps(body, separators=(",", ":")).encode("ascii"))
            except Unavailable:
                if time.monotonic() + pause > until:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, _MAX_PAUSE_SECONDS)

    def close(self) -> None:
        """Hangs up."""
        self._pools.clear()

    def _post_once(self, path: str, body: bytes) -> Any:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._endpoint.token().reveal()}"}
        url = f"{'http' if self._endpoint.is_plain_http else 'https'}://{self._endpoint.host}{path}"
        if time.monotonic() - self._last_used > _MAX_IDLE_SECONDS:
            self.close()
        try:
            answer = self._pools.request("POST", url, body=body, headers=headers, retries=False, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            raise Unavailable(f"{self._endpoint.host} did not answer: {type(error).__name__}") from error
        self._last_used = time.monotonic()
        return self._parse_response(answer.status, answer.data)

    def _parse_response(self, code: int, content: bytes) -> Any:
        try:
            told: Any = json.loads(content)
        except ValueError:
            told = None
        first = told[0] if isinstance(told, list) and told else told
        error = first.get("error") if isinstance(first, dict) else None
        if code < 300 and told is not None and error is None:
            return told
        status = str(error["status"]) if isinstance(error, dict) and error.get("status") else str(code)
        if status in _RETRY_STATUSES or (code < 300 and told is None):
            raise Unavailable(f"{self._endpoint.host} did not answer: {status}")
        if status in _REDELIVER_STATUSES:
            raise Retry(f"{self._endpoint.host} could not do it now: {status}")
        raise ApiRefusal(status, str(error.get("message", ""))[:300] if isinstance(error, dict) else "")

    @cached_property
    def _pools(self) -> urllib3.PoolManager:
        trusted = (
            None if self._endpoint.is_plain_http else ssl.create_default_context()
        )  # once: urllib3 reads it per connection
        return urllib3.PoolManager(maxsize=_MAX_CONNECTIONS, timeout=self._seconds, ssl_context=trusted)
