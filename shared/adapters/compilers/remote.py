"""The `compile` function of one Python version as compiler: sources go to it in batches, its verdicts come back.

It is a `shared.proof.model.ports.Compiler`, made of the function's URL and a source of identity tokens. While the
function cannot be reached, another compiler judges in its place, and each verdict's `checked_by` says which it was.
"""

import base64
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from shared.adapters.compilers.verdict import parse_verdict
from shared.adapters.http import HttpClient, NoResponse
from shared.errors import Retry
from shared.proof.model.compilation import Compilation, Source
from shared.proof.model.ports import Compiler
from shared.secret import Secret

REQUEST_SECONDS = 60.0
RETRY_PAUSES = (0.5, 2.0)
"""Seconds before the second and the third attempt."""
MAX_WAIT_SECONDS = 10.0
"""Where the function asks to wait for longer, the other compiler is faster."""
_TOO_MANY_REQUESTS = 429


class RequestFailed(Exception):
    """There is no answer to be had; the text says why and never holds the token."""


class _TransientFailure(RequestFailed):
    """It may be answered the next time, after `retry_after` seconds."""

    def __init__(self, detail: str, retry_after: float = 0.0) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


def post_json(http: HttpClient, url: str, body: bytes, token: Secret, sleep: Callable[[float], None]) -> dict[str, Any]:
    """The JSON object that the function answers. Raises `RequestFailed`."""
    for pause in RETRY_PAUSES:
        try:
            return _post_once(http, url, body, token)
        except _TransientFailure as failure:
            if failure.retry_after > MAX_WAIT_SECONDS:
                raise
            sleep(max(pause, failure.retry_after))
    return _post_once(http, url, body, token)


def _post_once(http: HttpClient, url: str, body: bytes, token: Secret) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"}
    if token:  # a function on this machine wants none
        headers["Authorization"] = f"Bearer {token.reveal()}"
    try:
        response = http.request("POST", url, headers, body)
    except NoResponse as error:
        raise _TransientFailure(f"{url}: {error}") from None
    if response.status == _TOO_MANY_REQUESTS or response.status >= 500:
        raise _TransientFailure(f"{url} answered {response.status}", response.retry_after)
    if not response.is_success:
        raise RequestFailed(f"{url} answered {response.status}")
    try:
        answer = json.loads(response.body)
    except (ValueError, RecursionError):
        raise RequestFailed(f"{url} answered something that is not JSON") from None
    if not isinstance(answer, dict):
        raise RequestFailed(f"{url} answered something else than an object")
    return answer


MAX_BATCH_SOURCES = 1000
MAX_BATCH_BYTES = 12 << 20
"""Of the sources in one request; base64 makes a third more of them, and the function takes 30 MiB."""
MAX_PATH_LENGTH = 4096
MAX_CACHED = 20_000
COOL_DOWN_SECONDS = 60.0
"""How long a function that could not be reached is left alone."""


class RemoteCompiler:
    """Implements `shared.proof.model.ports.Compiler` for one version. `requests_sent` counts, for tests.

    `token` gives the identity token for the function's URL. `clock` and `sleep` are in seconds. `unreached` says why
    the function could not be asked the last time, "" where it could.
    """

    def __init__(  # noqa: PLR0913  # the two last are there to be replaced by tests
        self,
        python: str,
        url: str,
        fetch_token: Callable[[str], Secret],
        fallback: Compiler,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.python = python
        self.requests_sent = 0
        self.last_failure = ""
        self._url = url
        self._token = fetch_token
        self._fallback = fallback
        self._clock = clock
        self._sleep = sleep
        self._http = HttpClient(REQUEST_SECONDS)
        self._version = ""
        self._cools_down_until = float("-inf")
        self._cache: dict[tuple[str, bytes], Compilation] = {}

    @property
    def checked_by(self) -> str:
        """`cpython-3.11.9`; that of the other one while the function cannot be reached."""
        if not self._version and self._is_available():
            self._request_verdicts([])
        return self._version if self._version and self._is_available() else self._fallback.checked_by

    def prepare(self, sources: Iterable[Source]) -> None:
        """Judges all of these in as few requests as their size allows."""
        new = list({_cache_key(source): source for source in sources if _cache_key(source) not in self._cache}.values())
        if len(self._cache) + len(new) > MAX_CACHED:
            self._cache.clear()
        for batch in _split_into_batches(new):
            answered = self._request_verdicts(batch) if self._is_available() else None
            if answered is None:
                self._fallback.prepare(batch)
            else:
                self._cache.update(zip(map(_cache_key, batch), answered, strict=True))

    def compile(self, source: Source) -> Compilation:
        """The function's verdict, else the other compiler's; the latter is not remembered."""
        self.prepare([source])
        return self._cache.get(_cache_key(source)) or self._fallback.compile(source)

    def _is_available(self) -> bool:
        return self._clock() >= self._cools_down_until

    def _request_verdicts(self, batch: Sequence[Source]) -> list[Compilation] | None:
        """The verdicts on a batch; None where there is no answer, and then nothing is asked for a while."""
        encoded = [
            {"path": source.path[-MAX_PATH_LENGTH:], "content": _encode_content(source.content)} for source in batch
        ]
        try:
            token = self._token(self._url)
            self.requests_sent += 1
            answer = post_json(
                self._http, self._url, json.dumps({"sources": encoded}).encode("ascii"), token, self._sleep
            )
            answered = self._parse_verdicts(answer, batch)
        except (RequestFailed, Retry) as error:
            self.last_failure = str(error)
            self._cools_down_until = self._clock() + COOL_DOWN_SECONDS
            return None
        self.last_failure = ""
        return answered

    def _parse_verdicts(self, reply: Mapping[str, Any], batch: Sequence[Source]) -> list[Compilation]:
        """Raises `RequestFailed` where this is not the answer to the batch, or another Python's."""
        try:
            implementation, version, answers = str(reply["implementation"]), str(reply["version"]), reply["verdicts"]
            if implementation != "cpython" or version.split(".")[:2] != self.python.split("."):
                raise RequestFailed(f"{self._url} is {implementation} {version}, not CPython {self.python}")
            checked_by = f"{implementation}-{version}"
            compilations = [
                _parse_compilation(answer, source, checked_by) for answer, source in zip(answers, batch, strict=True)
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise RequestFailed(f"{self._url} answered something else than verdicts") from error
        self._version = checked_by
        return compilations


def _parse_compilation(answer: Mapping[str, Any], source: Source, checked_by: str) -> Compilation:
    if answer["ok"] is None:
        return Compilation(
            compiles=None, fault=None, checked_by=checked_by, unjudged_reason=f"{checked_by} {answer['why']}."
        )
    return parse_verdict(answer, source, checked_by)


def _split_into_batches(sources: Sequence[Source]) -> Iterator[list[Source]]:
    batch: list[Source] = []
    size = 0
    for source in sources:
        if batch and (len(batch) == MAX_BATCH_SOURCES or size + len(source.content) > MAX_BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(source)
        size += len(source.content)
    if batch:
        yield batch


def _cache_key(source: Source) -> tuple[str, bytes]:
    return source.path, source.content


def _encode_content(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
