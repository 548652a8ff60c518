"""The client of GitHub's API: PyGithub's objects, with each failure as `Retry` or `Reject`.

Reads are repeated after a failure of the other side, and wait as long as GitHub asks, up to a limit. Writes are sent
exactly once: whether one that seemed to fail was carried out, only a later look shows (`shared.workflow.ledger`). The
one exception is a refused token (401): GitHub refuses it before it does anything, so it is renewed once.

Trees, blobs, comparisons and the exchange of an App's token are asked for as JSON (`get_json`): reading a tree of
100,000 entries as PyGithub's objects took 1.3 s, as JSON 0.2 s; its `AppAuth` reads the machine's clock, not ours.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from github import Auth, Github, GithubException

from shared.adapters.github.credentials import Credentials, GitHubApp, GitHubHost, InstallationTokens, parse_expiry
from shared.adapters.github.failures import find_rate_limit_wait, list_graphql_errors, summarise
from shared.errors import Reject, Retry
from shared.ports import Clock
from shared.pushes import LIMIT_REACHED

if TYPE_CHECKING:
    from github.GithubObject import GithubObject
    from github.PaginatedList import PaginatedList
    from github.Repository import Repository

Answer = TypeVar("Answer")
Item = TypeVar("Item", bound="GithubObject")

PUBLIC_API = GitHubHost().api
_TIMEOUT_SECONDS = 20
"""How long one answer may take; GitHub itself gives up on a query after ten."""
_RETRY_PAUSES = (1.0, 3.0, 9.0)
"""Seconds before each repetition of a read."""
_MAX_WAIT_SECONDS = 60.0
"""Seconds that one read may wait in all; where GitHub asks for more, the message is delivered again."""
_MAX_LIST_ITEMS = 10_000
_MAX_MESSAGE_LENGTH = 300
_TOKEN_REFUSED = "GitHub refused the token (HTTP 401); the next attempt uses a new one, if there is one"  # noqa: S105  # no token
_IGNORED_ERROR_TYPES = frozenset({"NOT_FOUND", "FORBIDDEN"})
_MISSING_STATUSES = frozenset({404, 409, 410, 422})
"""There is no such thing; 409 is what an empty repository answers."""


@dataclass(frozen=True, slots=True)
class Timing:
    """The time, and how it passes: `sleep` takes seconds."""

    clock: Clock
    sleep: Callable[[float], None]


@dataclass(frozen=True, slots=True)
class RequestLimit:
    """What one reader may cost: `requests` in all, and none after `deadline`."""

    requests: int
    deadline: datetime


class _Authorization(Auth.Auth):
    """Reads the token at every request, and counts the requests."""

    token_type = "Bearer"  # noqa: S105

    def __init__(self, credentials: Credentials, limit: RequestLimit | None) -> None:
        self._credentials = credentials
        self._limit = limit
        self.requests = 0

    @property
    def token(self) -> str:
        return self._credentials.token()

    def authentication(self, headers: dict[str, Any]) -> None:
        if self._limit is not None and self.requests >= self._limit.requests:
            raise Reject(LIMIT_REACHED, f"it takes more than {self._limit.requests} requests to GitHub")
        super().authentication(headers)
        self.requests += 1


class GitHubClient:
    """The API of github.com or of an Enterprise server (`https://HOST/api/v3`), from any number of threads."""

    def __init__(
        self, credentials: Credentials, timing: Timing, address: str = PUBLIC_API, limit: RequestLimit | None = None
    ) -> None:
        self._credentials = credentials
        self._timing = timing
        self._address = address
        self._limit = limit
        self._authorization = _Authorization(credentials, limit)
        self._github = Github(
            auth=self._authorization, base_url=address.rstrip("/"), timeout=_TIMEOUT_SECONDS, retry=0,
            user_agent="provenfix", per_page=100, seconds_between_requests=None, seconds_between_writes=None, lazy=True,
        )  # fmt: skip

    def limit(self, requests: int, seconds: float) -> "GitHubClient":
        """The same access for one reader; it raises `Reject(LIMIT_REACHED)` for what costs more."""
        limit = RequestLimit(requests, self.now() + timedelta(seconds=seconds))
        return GitHubClient(self._credentials, self._timing, self._address, limit)

    def check_deadline(self) -> None:
        """Raises `Reject(LIMIT_REACHED)` where the time of a limited reader is over."""
        if self._limit is not None and self.now() > self._limit.deadline:
            raise Reject(LIMIT_REACHED, "it takes too long")

    @property
    def is_app(self) -> bool:
        """Whether content is written as an App, whose account is a bot's and never a user's."""
        return isinstance(self._credentials, InstallationTokens)

    @property
    def requests_sent(self) -> int:
        """The number of requests so far."""
        return self._authorization.requests

    def now(self) -> datetime:
        """The clock's time."""
        return self._timing.clock.now()

    def repository(self, name: str) -> "Repository":
        """`owner/name` without a request: it and the objects below it are lazy."""
        return self._github.get_repo(name)

    # -- reading --------------------------------------------------------------------------------------------------

    def read(self, action: Callable[[], Answer]) -> Answer:
        """The result of an action that changes nothing. Raises Retry, Reject."""
        try:
            return self._repeat(action)
        except GithubException as refused:
            raise Reject("github_refused", summarise(refused)) from refused

    def find(self, action: Callable[[], Answer], missing: frozenset[int] = _MISSING_STATUSES) -> Answer | None:
        """The same; None where GitHub answers with a status in `missing`."""
        try:
            return self._repeat(action)
        except GithubException as refused:
            if refused.status in missing:
                return None
            raise Reject("github_refused", summarise(refused)) from refused

    def read_list(self, listed: "PaginatedList[Item]") -> Iterator[Item]:
        """The items of a list, at most 10,000; each page is requested when its first item is."""
        for index in range(_MAX_LIST_ITEMS):
            try:
                yield self.read(partial(listed.__getitem__, index))
            except IndexError:
                return

    def query(self, text: str, variables: Mapping[str, object]) -> Any:
        """`data` of a GraphQL query. What is missing in it, or may not be seen, is None; every other error raises."""
        answer = self.read(partial(self._query_once, text, dict(variables)))
        errors = [entry for entry in list_graphql_errors(answer) if entry.get("type") not in _IGNORED_ERROR_TYPES]
        if errors or answer.get("data") is None:
            first = (errors or list_graphql_errors(answer) or [{}])[0]
            raise Retry(
                f"GitHub could not answer a query: {str(first.get('message', 'no data'))[:_MAX_MESSAGE_LENGTH]}"
            )
        return answer["data"]

    def _query_once(self, text: str, variables: dict[str, Any]) -> Mapping[str, Any]:
        try:
            return self._github.requester.graphql_query(text, variables)[1]
        except GithubException as error:
            # PyGithub raises for an answer of 200 with errors; the data that came with them is in the exception.
            if not list_graphql_errors(error.data) or find_rate_limit_wait(error, self.now()) is not None:
                raise
            answer: Mapping[str, Any] = error.data
            return answer

    def get_json(self, path: str, **parameters: str) -> Any:
        """The answer to a GET. Raises Retry, Reject."""
        return self.read(partial(self._request_json, "GET", path, parameters))

    def find_json(self, path: str, **parameters: str) -> Any:
        """The same; None where there is no such thing."""
        return self.find(partial(self._request_json, "GET", path, parameters))

    def _repeat(self, action: Callable[[], Answer]) -> Answer:
        patience, is_renewed = _MAX_WAIT_SECONDS, False
        for pause in (*_RETRY_PAUSES, None):
            try:
                return action()
            except (OSError, ValueError) as error:  # ValueError: JSON that was cut off
                wait, reason = pause, f"GitHub could not be reached ({type(error).__name__})"
            except GithubException as error:
                if error.status == 401:
                    self._renew_token(error, is_renewed=is_renewed)
                    is_renewed = True
                    continue
                limit = find_rate_limit_wait(error, self.now())
                if limit is None and error.status < 500:
                    raise
                wait, reason = pause if limit is None else limit, f"GitHub answered {summarise(error)}"
            if pause is None or wait is None or wait > patience:
                break
            patience -= wait
            self._timing.sleep(wait)
        raise Retry(reason)

    # -- writing --------------------------------------------------------------------------------------------------

    def write(self, action: Callable[[], Answer]) -> Answer:
        """Sends a change once. Raises Retry where its fate is unknown or it may be taken later, Reject where not."""
        try:
            return self._send_once(action)
        except (OSError, ValueError) as error:
            raise Retry(f"GitHub could not be reached ({type(error).__name__}), or its answer was lost") from error
        except GithubException as error:
            if error.status >= 500 or find_rate_limit_wait(error, self.now()) is not None:
                raise Retry(f"GitHub answered {summarise(error)}") from error
            raise Reject("github_refused", summarise(error)) from error

    def _send_once(self, action: Callable[[], Answer]) -> Answer:
        try:
            return action()
        except GithubException as error:
            if error.status != 401:
                raise
            self._renew_token(error)
        try:
            return action()
        except GithubException as error:
            if error.status == 401:
                self._renew_token(error, is_renewed=True)
            raise

    def send_json(self, verb: str, path: str, body: Mapping[str, object]) -> Any:
        """Sends a change of which PyGithub has no object, once. Raises Retry, Reject."""
        return self.write(partial(self._request_json, verb, path, {}, dict(body)))

    # -- the wire -------------------------------------------------------------------------------------------------

    def _renew_token(self, refusal: GithubException, *, is_renewed: bool = False) -> None:
        """Raises Retry where there is no other token, or the new one was refused, too: a corrected token helps."""
        if not self._credentials.discard() or is_renewed:
            raise Retry(_TOKEN_REFUSED) from refusal

    def _request_json(self, verb: str, path: str, parameters: Mapping[str, str], body: object = None) -> Any:
        return self._github.requester.requestJsonAndCheck(verb, path, dict(parameters), input=body)[1]


def create_installation_tokens(app: GitHubApp, timing: Timing, address: str = PUBLIC_API) -> InstallationTokens:
    """The tokens of an App's installation, each asked for with the App's own signature."""

    def exchange(jwt: str, number: int) -> tuple[str, datetime]:
        signed = GitHubClient(_JwtCredentials(jwt), timing, address)
        answer = signed.send_json("POST", f"/app/installations/{number}/access_tokens", {})
        return str(answer["token"]), parse_expiry(str(answer["expires_at"]))

    return InstallationTokens(app, timing.clock, exchange)


@dataclass(frozen=True, slots=True)
class _JwtCredentials:
    jwt: str

    def token(self) -> str:
        return self.jwt

    def discard(self) -> bool:
        return False
