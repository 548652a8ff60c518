"""One request to GitHub at a time: a path or a query in, JSON out, or `Retry` / `Reject`.

Reads are repeated after a failure of the other side, and wait as long as they are told to, up to a limit. Writes are
sent exactly once: whether one that seemed to fail was carried out, only a later look tells (`shared.workflow.ledger`).
"""

import json
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from shared.adapters.github.credentials import Credentials, GitHubApp, GitHubHost, InstallationTokens, parse_expiry
from shared.errors import Reject, Retry
from shared.ports import Clock

if TYPE_CHECKING:
    from github.Requester import Requester

PUBLIC_API = GitHubHost().api
_TIMEOUT_SECONDS = 20
"""How long one answer may take; GitHub itself gives up on a query after ten."""
_RETRY_PAUSES = (1.0, 3.0, 9.0)
"""Seconds before each repetition of a read."""
_MAX_WAIT_SECONDS = 60.0
"""Seconds that one read may wait in all; whoever is told to wait longer asks to be called again."""
_MAX_PAGES = 100
_MAX_CACHED_RESPONSES = 64
_MAX_MESSAGE_LENGTH = 300
_TOKEN_REFUSED = "GitHub refused the token (HTTP 401); the next attempt uses a new one, if there is one"  # noqa: S105  # no token
_IGNORED_ERROR_TYPES = frozenset({"NOT_FOUND", "FORBIDDEN"})


@dataclass(frozen=True, slots=True)
class Timing:
    """The time, and how it passes: `sleep` takes seconds."""

    clock: Clock
    sleep: Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Response:
    """A response: `headers` by lower-case name, `value` the parsed body (None without one)."""

    status: int
    headers: Mapping[str, str]
    value: Any

    @property
    def summary(self) -> str:
        """What GitHub says about it."""
        message = self.value.get("message", "") if isinstance(self.value, dict) else ""
        return f"HTTP {self.status} {str(message)[:_MAX_MESSAGE_LENGTH]}".strip()


class GitHubClient:
    """The API of github.com or of an Enterprise server (`https://HOST/api/v3`). `requests` counts what was sent."""

    def __init__(self, credentials: Credentials, timing: Timing, address: str = PUBLIC_API) -> None:
        self._credentials = credentials
        self._timing = timing
        self._address = address.rstrip("/")
        self.requests_sent = 0
        self._cached_responses: OrderedDict[str, tuple[str, Any]] = OrderedDict()
        """Answers with their ETags, by path, the latest last."""
        self._lock = Lock()

    @property
    def is_app(self) -> bool:
        """Whether what is written stands there as an App's, whose account is a bot's and never a person's."""
        return isinstance(self._credentials, InstallationTokens)

    def now(self) -> datetime:
        """The clock's time."""
        return self._timing.clock.now()

    # -- reading --------------------------------------------------------------------------------------------------

    def get(self, path: str, **parameters: str) -> Any:
        """The answer to a GET. Raises Retry, Reject."""
        return _require_success(self._read("GET", path, parameters, None))

    def find(self, path: str, **parameters: str) -> Any:
        """The same; None where there is no such thing (404, 409 for an empty repository, 410, 422)."""
        answer = self._read("GET", path, parameters, None)
        return None if answer.status in {404, 409, 410, 422} else _require_success(answer)

    def get_cached(self, path: str) -> Any:
        """The answer to a GET that was made before, asked for only if it is another one by now; None where deleted.

        An answer that nothing has changed counts against no limit:
        https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
        """
        known = self._cached_responses.get(path)
        answer = self._read("GET", path, {}, None, {"If-None-Match": known[0]} if known else {})
        if answer.status == 410:
            return None
        if answer.status == 304 and known:
            tag, value = known
        else:
            tag, value = answer.headers.get("etag", ""), _require_success(answer)
        with self._lock:
            self._cached_responses.pop(path, None)
            if tag:
                self._cached_responses[path] = (tag, value)
            if len(self._cached_responses) > _MAX_CACHED_RESPONSES:
                self._cached_responses.popitem(last=False)
        return value

    def get_pages(self, path: str, **parameters: str) -> Iterator[Any]:
        """The items of a list, page after page, at most 10,000."""
        for page in range(1, _MAX_PAGES + 1):
            answer = self._read("GET", path, {"per_page": "100", **parameters, "page": str(page)}, None)
            yield from _require_success(answer)
            if 'rel="next"' not in answer.headers.get("link", ""):
                return

    def query(self, text: str, variables: Mapping[str, object]) -> Any:
        """`data` of a GraphQL query. What is missing in it, or may not be seen, is None; every other error raises."""
        answer = self._read("POST", self._requester.graphql_url, {}, {"query": text, "variables": dict(variables)})
        value = _require_success(answer)
        errors = [each for each in value.get("errors", ()) if each.get("type") not in _IGNORED_ERROR_TYPES]
        if errors or value.get("data") is None:
            told = str((errors or value.get("errors") or [{}])[0].get("message", "no data"))[:_MAX_MESSAGE_LENGTH]
            raise Retry(f"GitHub could not answer a query: {told}")
        return value["data"]

    def _read(
        self,
        verb: str,
        path: str,
        parameters: Mapping[str, str],
        body: object,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Response:
        patience, renewed = _MAX_WAIT_SECONDS, False
        for pause in (*_RETRY_PAUSES, None):
            try:
                answer = self._send(verb, path, parameters, body, headers)
            except OSError as error:
                wait, why = pause, f"GitHub could not be reached ({type(error).__name__})"
            else:
                if answer.status == 401:
                    if renewed or not self._credentials.discard():
                        raise Retry(_TOKEN_REFUSED)  # whoever mends the token mends this, too
                    renewed = True
                    continue
                limited = _rate_limit_wait(answer, self._timing.clock.now())
                if limited is None and answer.status < 500:
                    return answer
                wait = pause if limited is None else limited
                why = f"GitHub answered {answer.summary}"
            if pause is None or wait is None or wait > patience:
                break
            patience -= wait
            self._timing.sleep(wait)
        raise Retry(why)

    # -- writing --------------------------------------------------------------------------------------------------

    def write(self, verb: str, path: str, body: Mapping[str, object] | list[str]) -> Any:
        """Sends a change once. Raises Retry where its fate is unknown or it may be taken later, Reject where not."""
        try:
            answer = self._send(verb, path, {}, body)
        except OSError as error:
            raise Retry(f"GitHub could not be reached ({type(error).__name__}), or its answer was lost") from error
        if answer.status == 401:
            self._credentials.discard()
            raise Retry(_TOKEN_REFUSED)
        if answer.status >= 500 or _rate_limit_wait(answer, self._timing.clock.now()) is not None:
            raise Retry(f"GitHub answered {answer.summary}")
        return _require_success(answer)

    # -- the wire -------------------------------------------------------------------------------------------------

    def _send(
        self,
        verb: str,
        path: str,
        parameters: Mapping[str, str],
        body: object,
        sent: Mapping[str, str] = MappingProxyType({}),
    ) -> Response:
        self.requests_sent += 1
        status, headers, text = self._requester.requestJson(verb, path, dict(parameters), dict(sent), body)
        try:
            value = json.loads(text) if text else None
        except ValueError as error:
            if status < 400:
                raise ConnectionError("the answer was cut off") from error
            value = None
        return Response(status, headers, value)

    @cached_property
    def _requester(self) -> "Requester":
        from github import Auth, Github  # noqa: PLC0415

        credentials = self._credentials

        class Asked(Auth.Auth):
            """Asks for the token at every request."""

            token_type = "Bearer"  # noqa: S105

            @property
            def token(self) -> str:
                return credentials.token()

        return Github(
            auth=Asked(), base_url=self._address, timeout=_TIMEOUT_SECONDS, retry=0, user_agent="provenfix", per_page=100,
            seconds_between_requests=None, seconds_between_writes=None,
        ).requester  # fmt: skip


def installation_tokens(app: GitHubApp, timing: Timing, address: str = PUBLIC_API) -> InstallationTokens:
    """The tokens of an App's installation, each asked for with the App's own signature."""

    def exchange(jwt: str, number: int) -> tuple[str, datetime]:
        signed = GitHubClient(_JwtCredentials(jwt), timing, address)
        told = signed.write("POST", f"/app/installations/{number}/access_tokens", {})
        return str(told["token"]), parse_expiry(str(told["expires_at"]))

    return InstallationTokens(app, timing.clock, exchange)


@dataclass(frozen=True, slots=True)
class _JwtCredentials:
    jwt: str

    def token(self) -> str:
        return self.jwt

    def discard(self) -> bool:
        return False


def _require_success(answer: Response) -> Any:
    if answer.status >= 400:
        raise Reject("github_refused", answer.summary)
    return answer.value


def _rate_limit_wait(answer: Response, now: datetime) -> float | None:
    """Seconds to wait where a rate limit was met, None where none was.

    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api: `retry-after` first, then the reset
    time where nothing remains, else a minute. GraphQL tells its limit in an answer of 200.
    """
    kinds = {each.get("type") for each in answer.value.get("errors", ())} if _is_graphql_error(answer) else set()
    spent = answer.headers.get("x-ratelimit-remaining") == "0"
    after = answer.headers.get("retry-after", "")
    limited = answer.status in {403, 429} and (answer.status == 429 or spent or after or "rate limit" in answer.summary)
    if not limited and "RATE_LIMITED" not in kinds:
        return None
    if after.isdecimal():
        return float(after)
    reset = answer.headers.get("x-ratelimit-reset", "")
    return max(0.0, float(reset) - now.timestamp()) + 1.0 if spent and reset.isdecimal() else 60.0


def _is_graphql_error(answer: Response) -> bool:
    if answer.status != 200 or not isinstance(answer.value, dict):
        return False
    errors = answer.value.get("errors")
    return isinstance(errors, list) and all(isinstance(each, dict) for each in errors)
