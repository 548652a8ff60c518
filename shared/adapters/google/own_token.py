"""Who this is on a machine that is not Google's: the credentials that `gcloud auth application-default login` left.

In: nothing. Out: access tokens for Google's APIs. For the commands that look at what is deployed; a deployed function
asks the metadata server instead, and imports nothing for it.
https://cloud.google.com/docs/authentication/application-default-credentials
"""

from functools import cached_property
from typing import Any

from shared.errors import UsageError, Retry
from shared.secret import Secret

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
