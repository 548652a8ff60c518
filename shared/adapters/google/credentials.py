"""Whom Google knows this process as: tokens of the metadata server or of the user, and secrets read with them.

https://cloud.google.com/run/docs/securing/service-identity#fetching_identity_and_access_tokens_using_the_metadata_server
The metadata server is asked over plain HTTP: it is reached only from the machine itself.
"""

import base64
import json
import time
import urllib.parse
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any, Protocol, runtime_checkable

from shared.adapters.http import HttpClient, HttpResponse, NoResponse
from shared.errors import Retry, UsageError
from shared.secret import Secret

METADATA_HOST = "metadata.google.internal"
METADATA_SECONDS = 5.0
IDENTITY_LIFETIME_SECONDS = 1800.0
"""How long an identity token is used; it is valid for an hour."""
RENEWAL_MARGIN_SECONDS = 300.0
"""How long before its end an access token is no longer used."""


@runtime_checkable
class RenewableToken(Protocol):
    """A token that is kept, and of which another one can be had."""

    def __call__(self) -> Secret:
        """The token for a request that is made now."""

    def discard(self) -> None:
        """The token was refused: the next call fetches another one."""


def renew_token(token: Callable[[], Secret]) -> bool:
    """Discards a refused token. False where there is no other one."""
    if not isinstance(token, RenewableToken):
        return False
    token.discard()
    return True


class CachedToken:
    """Implements `RenewableToken`. `fetch` returns a token, and for how many seconds it is used."""

    def __init__(self, fetch: Callable[[], tuple[str, float]], clock: Callable[[], float]) -> None:
        self._fetch = fetch
        self._clock = clock
        self._held: tuple[Secret, float] | None = None

    def __call__(self) -> Secret:
        """The token that is held while it may be used, else another one. Raises Retry."""
        held = self._held  # read once: another thread may discard it meanwhile
        if held is None or self._clock() >= held[1]:
            text, seconds = self._fetch()
            held = self._held = Secret(text), self._clock() + seconds
        return held[0]

    def discard(self) -> None:
        """See `RenewableToken`."""
        self._held = None


class MetadataServer:
    """Tokens of the function's own service account, kept until shortly before they end. `clock` is in seconds."""

    def __init__(self, host: str = METADATA_HOST, clock: Callable[[], float] = time.monotonic) -> None:
        self._account = f"http://{host}/computeMetadata/v1/instance/service-accounts/default"
        self._clock = clock
        self._http = HttpClient(METADATA_SECONDS)
        self._identities: dict[str, CachedToken] = {}
        self.access_token = CachedToken(self._fetch_access_token, clock)
        """A token for Google's own APIs."""

    def identity_token(self, audience: str) -> Secret:
        """A token by which the service at `audience` (its URL) knows who calls. Raises Retry."""
        if audience not in self._identities:
            self._identities[audience] = CachedToken(partial(self._fetch_identity_token, audience), self._clock)
        return self._identities[audience]()

    def _fetch_identity_token(self, audience: str) -> tuple[str, float]:
        query = urllib.parse.urlencode({"audience": audience, "format": "full"})
        return self._request(f"/identity?{query}").strip(), IDENTITY_LIFETIME_SECONDS

    def _fetch_access_token(self) -> tuple[str, float]:
        try:
            answer = json.loads(self._request("/token"))
            return str(answer["access_token"]), float(answer["expires_in"]) - RENEWAL_MARGIN_SECONDS
        except (ValueError, KeyError, TypeError) as error:
            raise Retry("The metadata server answered something else than an access token.") from error

    def _request(self, path: str) -> str:
        name = path.partition("?")[0]
        try:
            response = self._http.request("GET", self._account + path, {"Metadata-Flavor": "Google"})
        except NoResponse as error:
            raise Retry(f"The metadata server gave no token for {name}: {error}") from error
        if not response.is_success:
            raise Retry(f"The metadata server gave no token for {name}: it answered {response.status}")
        return response.body.decode("utf-8", "replace")


_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)


class UserCredentials:
    """Implements `RenewableToken` with the user's own credentials."""

    def __call__(self) -> Secret:
        """Raises UsageError where there are no credentials, Retry where they cannot be renewed now."""
        from google.auth.exceptions import RefreshError, TransportError  # noqa: PLC0415
        from google.auth.transport.requests import Request  # noqa: PLC0415

        if not self._credentials.valid:
            try:
                self._credentials.refresh(Request())
            except RefreshError as error:
                raise UsageError(
                    "Google does not take these credentials; gcloud auth application-default login"
                ) from error
            except TransportError as error:
                raise Retry("Google gave no access token: its server was not reached") from error
        return Secret(str(self._credentials.token))

    def discard(self) -> None:
        """See `RenewableToken`."""
        self._credentials.token = None

    @cached_property
    def _credentials(self) -> Any:
        import google.auth  # noqa: PLC0415
        from google.auth.exceptions import DefaultCredentialsError  # noqa: PLC0415

        try:
            credentials, _ = google.auth.default(scopes=_SCOPES)
        except DefaultCredentialsError as error:
            raise UsageError("There are no credentials for Google; gcloud auth application-default login") from error
        return credentials


SECRET_MANAGER_API = "https://secretmanager.googleapis.com"  # noqa: S105
SECRET_MANAGER_SECONDS = 10.0


class SecretManager:
    """Reads versions of secrets. `token` is an access token for Google's APIs."""

    def __init__(self, token: Callable[[], Secret], api: str = SECRET_MANAGER_API) -> None:
        self._token = token
        self._api = api
        self._http = HttpClient(SECRET_MANAGER_SECONDS)

    def read(self, version: str) -> Secret:
        """`version` is `projects/P/secrets/S/versions/V`. Raises Retry; no message holds the secret."""
        response = self._request(version)
        if response.status == 401 and renew_token(self._token):
            response = self._request(version)
        if not response.is_success:
            raise Retry(f"Secret Manager answered {response.status} for {version}")
        try:
            answer = json.loads(response.body)
            return Secret(base64.b64decode(answer["payload"]["data"]).decode("utf-8").strip())
        except (ValueError, KeyError, TypeError) as error:
            raise Retry(f"Secret Manager gave no secret for {version}: {type(error).__name__}") from None

    def _request(self, version: str) -> HttpResponse:
        headers = {"Authorization": f"Bearer {self._token().reveal()}"}
        try:
            return self._http.request("GET", f"{self._api}/v1/{version}:access", headers)
        except NoResponse as error:
            raise Retry(f"Secret Manager gave no answer for {version}: {error}") from None
