"""One of Google's APIs over REST: a path and a JSON body go in, the JSON of the answer comes out.

For what a function does before its first answer: importing a client takes several times as long as the requests.
Connections are kept, as many as there were requests at once. A request that may be repeated is, for a moment, because
the connection of an instance that slept is often gone; one that changes something goes out once, on a connection that
is not that old.
https://cloud.google.com/apis/design/errors
"""

import json
import ssl
import time
import weakref
from collections import deque
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
_LATER = frozenset(("ABORTED", "CANCELLED", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "UNKNOWN", "408", "429", "499"))
_SOON = frozenset(("INTERNAL", "UNAVAILABLE", "500", "502", "503", "504"))
"""Names of errors, and codes of answers that name none, after which a request may succeed."""
_EMULATED = Secret("owner")
"""What emulators take for somebody who may do everything."""


class Unavailable(Retry):
    """Nobody answered, or somebody in between: the next moment may be better."""


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


@dataclass(frozen=True, slots=True)
class _Kept:
    connection: HTTPConnection
    used: float


class Rest:
    """Posts to one API, from any number of threads. `seconds` is how long one request may take."""

    def __init__(self, there: Reached, seconds: float) -> None:
        self._there = there
        self._seconds = seconds
        self._idle: deque[_Kept] = deque()
        weakref.finalize(self, _hang_up, self._idle)

    def post(self, path: str, body: Mapping[str, object], *, again: float = 0.0) -> Any:
        """`again` is for how many seconds the request may be repeated. Raises Refused, Retry."""
        until = time.monotonic() + again
        pause = _SHORTEST_PAUSE
        while True:
            try:
                return self._once(path, json.dumps(body, separators=(",", ":")).encode("ascii"))
            except Unavailable:
                if time.monotonic() + pause > until:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def close(self) -> None:
        """Hangs up."""
        _hang_up(self._idle)

    def _once(self, path: str, body: bytes) -> Any:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._there.token().reveal()}"}
        connection = self._taken()
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, HTTPException) as error:
            connection.close()
            raise Unavailable(f"{self._there.host} did not answer: {type(error).__name__}") from error
        self._idle.append(_Kept(connection, time.monotonic()))
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
        status = str(error["status"]) if isinstance(error, dict) and error.get("status") else str(code)
        if status in _SOON or (code < 300 and told is None):
            raise Unavailable(f"{self._there.host} did not answer: {status}")
        if status in _LATER:
            raise Retry(f"{self._there.host} could not do it now: {status}")
        raise Refused(status, str(error.get("message", ""))[:300] if isinstance(error, dict) else "")

    def _taken(self) -> HTTPConnection:
        while self._idle:
            try:
                kept = self._idle.pop()
            except IndexError:  # another thread was faster
                break
            if time.monotonic() - kept.used <= _LONGEST_REST:
                return kept.connection
            kept.connection.close()
        return self._opened()

    def _opened(self) -> HTTPConnection:
        if self._there.plain:
            return HTTPConnection(self._there.host, timeout=self._seconds)
        return HTTPSConnection(self._there.host, timeout=self._seconds, context=self._trusted)

    @cached_property
    def _trusted(self) -> ssl.SSLContext:
        return ssl.create_default_context()


def _hang_up(idle: deque[_Kept]) -> None:
    while idle:
        idle.pop().connection.close()
