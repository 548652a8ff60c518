"""A reference to a secret comes in, the secret that Secret Manager keeps under it goes out.

Asked over REST with the function's own token: one request in the life of a process, for which importing the client
would take longer than the request.
https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions/access
"""

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Callable

from shared.errors import Retry
from shared.secret import Secret

SECRET_MANAGER_API = "https://secretmanager.googleapis.com"
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
