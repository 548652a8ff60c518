"""The metadata server of the machine that this runs on: an audience goes in, an identity token for it comes out.

https://cloud.google.com/run/docs/securing/service-identity#fetching_identity_and_access_tokens_using_the_metadata_server
Asked over plain HTTP: it is reached only from the machine itself.
"""

import base64
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from functools import cached_property
from typing import Any

from shared.errors import Retry, UsageError
from shared.secret import Secret

METADATA_HOST = "metadata.google.internal"
METADATA_SECONDS = 5.0
IDENTITY_LIFETIME_SECONDS = 1800.0
"""How long an identity token is used; it is valid for an hour."""
RENEWAL_MARGIN_SECONDS = 300.0
"""How long before its end an access token is no longer used."""

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class MetadataServer:
    """Tokens of the function's own service account, kept until shortly before they end. `clock` is in seconds."""

    def __init__(self, host: str = METADATA_HOST, clock: Callable[[], float] = time.monotonic) -> None:
        self._account = f"http://{host}/computeMetadata/v1/instance/service-accounts/default"
        self._clock = clock
        self._cache: dict[str, tuple[Secret, float]] = {}

    def identity_token(self, audience: str) -> Secret:
        """A token by which the service at `audience` (its URL) knows who calls. Raises Retry."""
        wanted = urllib.parse.urlencode({"audience": audience, "format": "full"})
        return self._cached_token(f"/identity?{wanted}", lambda text: (text.strip(), IDENTITY_LIFETIME_SECONDS))

    def access_token(self) -> Secret:
        """A token for Google's own APIs. Raises Retry."""
        return self._cached_token("/token", _parse_access_token)

    def _cached_token(self, path: str, read: Callable[[str], tuple[str, float]]) -> Secret:
        kept = self._cache.get(path)
        if kept is not None and self._clock() < kept[1]:
            return kept[0]
        text, seconds = read(self._request(path))
        self._cache[path] = token, _ = Secret(text), self._clock() + seconds
        return token

    def _request(self, path: str) -> str:
        request = urllib.request.Request(self._account + path, headers={"Metadata-Flavor": "Google"})  # noqa: S310
        try:
            with _OPENER.open(request, timeout=METADATA_SECONDS) as answer:
                return str(answer.read().decode("utf-8"))
        except (OSError, ValueError) as error:
            raise Retry(f"The metadata server gave no token for {path.partition('?')[0]}: {error}") from error


def _parse_access_token(text: str) -> tuple[str, float]:
    try:
        told = json.loads(text)
        return str(told["access_token"]), float(told["expires_in"]) - RENEWAL_MARGIN_SECONDS
    except (ValueError, KeyError, TypeError) as error:
        raise Retry("The metadata server answered something else than an access token.") from error


_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)


class UserCredentials:
    """Renews the token when it ends."""

    def __call__(self) -> Secret:
        """Raises Misused where there are no credentials, Retry where they cannot be renewed now."""
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

    @cached_property
    def _credentials(self) -> Any:
        import google.auth  # noqa: PLC0415
        from google.auth.exceptions import DefaultCredentialsError  # noqa: PLC0415

        try:
            found, _ = google.auth.default(scopes=_SCOPES)
        except DefaultCredentialsError as error:
            raise UsageError("There are no credentials for Google; gcloud auth application-default login") from error
        return found


SECRET_MANAGER_API = "https://secretmanager.googleapis.com"  # noqa: S105
SECRET_MANAGER_SECONDS = 10.0


class SecretManager:
    """Reads versions of secrets. `token` is an access token for Google's APIs."""

    def __init__(self, token: Callable[[], Secret], api: str = SECRET_MANAGER_API) -> None:
        self._token = token
        self._api = api

    def read(self, version: str) -> Secret:
        """`version` is `projects/P/secrets/S/versions/V`. Raises Retry; no message holds the secret."""
        headers = {"Authorization": f"Bearer {self._token().reveal()}"}
        request = urllib.request.Request(f"{self._api}/v1/{version}:access", headers=headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=SECRET_MANAGER_SECONDS) as answer:  # noqa: S310  # the API's own URL
                told = json.loads(answer.read())
            return Secret(base64.b64decode(told["payload"]["data"]).decode("utf-8").strip())
        except urllib.error.HTTPError as error:
            with error:
                raise Retry(f"Secret Manager answered {error.code} for {version}") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Retry(f"Secret Manager gave no answer for {version}: {type(error).__name__}") from None
