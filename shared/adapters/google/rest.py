"""One of Google's APIs over REST: a path and a JSON body go in, the JSON of the answer comes out.

For what a function does before its first answer: importing a client takes several times as long as the requests.
Connections are kept, one for each thread. A request that may be repeated is, for a moment, because the connection of an
instance that slept is often gone; one that changes something goes out once, on a connection that is not that old.
https://cloud.google.com/apis/design/errors
"""

import json
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any

from shared.errors import Retry
from shared.secret import Secret

_LONGEST_REST = 30.0
"""Seconds after which a kept connection is not trusted any more; Google's own servers wait for minutes."""
_SHORTEST_PAUSE = 0.05
_LONGEST_PAUSE = 0.5
_PASSING = frozenset(
    ("ABORTED", "CANCELLED", "DEADLINE_EXCEEDED", "INTERNAL", "RESOURCE_EXHAUSTED", "UNAVAILABLE", "UNKNOWN")
)
_PASSING_CODES = frozenset((408, 429, 499, 500, 502, 503, 504))
_EMULATED = Secret("owner")
"""What emulators take for somebody who may do everything."""


class Refused(Exception):
    """The API's answer is no: `status` is its name for why, such as `ALREADY_EXISTS`."""

    def __init__(self, status: str, told: str) -> None:
        super().__init__(f"{status}: {told}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Reached:
    """Where an API is: `host` with or without a port, and what authorises a request."""

    host: str
    token: Callable[[], Secret]
    plain: bool = False
    """Without TLS: an emulator."""


def reached(host: str, emulator: str, token: Callable[[], Secret] | None) -> Reached:
    """The emulator where there is one, else Google. Raises ValueError where neither can be reached."""
    if emulator:
        return Reached(emulator, lambda: _EMULATED, plain=True)
    if token is None:
        raise ValueError(f"{host} wants a token, and no emulator is named")
    return Reached(host, token)


@dataclass(slots=True)
class _Kept:
    connection: HTTPConnection
    used: float


class Rest:
    """Posts to one API, from any number of threads. `seconds` is how long one request may take."""

    def __init__(self, there: Reached, seconds: float) -> None:
        self._there = there
        self._seconds = seconds
        self._thread = threading.local()
        self._all: list[HTTPConnection] = []

    def post(self, path: str, body: Mapping[str, object], *, again: float = 0.0) -> Any:
        """`again` is for how many seconds the request may be repeated. Raises Refused, Retry."""
        until = time.monotonic() + again
        pause = _SHORTEST_PAUSE
        while True:
            try:
                return self._once(path, json.dumps(body, separators=(",", ":")).encode("ascii"))
            except Retry:
                if time.monotonic() + pause > until:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def close(self) -> None:
        """Hangs up, in all threads."""
        for connection in self._all:
            connection.close()

    def _once(self, path: str, body: bytes) -> Any:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._there.token().reveal()}"}
        kept = self._kept()
        try:
            kept.connection.request("POST", path, body, headers)
            answer = kept.connection.getresponse()
            content = answer.read()
        except (OSError, HTTPException) as error:
            kept.connection.close()  # the next request opens it again
            raise Retry(f"{self._there.host} did not answer: {type(error).__name__}") from error
        kept.used = time.monotonic()
        return self._read(answer.status, content)

    def _read(self, code: int, content: bytes) -> Any:
        try:
            told: Any = json.loads(content)
        except ValueError:
            told = None
        first = told[0] if isinstance(told, list) and told else told
        error = first.get("error") if isinstance(first, dict) else None
        if code < 300 and told is not None and error is None:
            return told
        status = str(error.get("status", "")) if isinstance(error, dict) else ""
        if status in _PASSING or code in _PASSING_CODES or (code < 300 and told is None):
            raise Retry(f"{self._there.host} did not answer: {status or code}")
        raise Refused(status or str(code), str(error.get("message", ""))[:300] if isinstance(error, dict) else "")

    def _kept(self) -> _Kept:
        kept: _Kept | None = getattr(self._thread, "kept", None)
        if kept is None:
            kept = self._thread.kept = _Kept(self._opened(), time.monotonic())
            self._all.append(kept.connection)
        elif time.monotonic() - kept.used > _LONGEST_REST:
            kept.connection.close()
        return kept

    def _opened(self) -> HTTPConnection:
        if self._there.plain:
            return HTTPConnection(self._there.host, timeout=self._seconds)
        return HTTPSConnection(self._there.host, timeout=self._seconds, context=self._trusted)

    @cached_property
    def _trusted(self) -> ssl.SSLContext:
        return ssl.create_default_context()
