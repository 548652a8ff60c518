"""The tokens of the checks: the user's own, and those of each function's account, for a few minutes.

A function's permissions are tested as that function: another policy may override one that looks right.
https://cloud.google.com/iam/docs/create-short-lived-credentials-direct
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from threading import Lock
from typing import Any

import google.auth
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request

from functions.cli.doctor.check import CheckUnavailable
from functions.cli.doctor.http import GoogleClient
from shared.secret import Secret

_IAM = "iamcredentials.googleapis.com"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_GRANT_DURATION = timedelta(days=1)
LOGIN_COMMAND = "gcloud auth application-default login"


class Accounts:
    """`base` as in `GoogleClient`. Tokens are asked for once each, however many checks want them."""

    def __init__(self, project: str, prefix: str, base: str = "") -> None:
        self._project, self._prefix = project, prefix
        # The fake APIs of a test need no secret.
        person = (lambda: Secret("of-this-machine")) if base else _cache_token(_read_default_token)
        self.user_client = GoogleClient(person, base, project)
        self.function_client: Callable[[str], GoogleClient] = cache(
            lambda name: GoogleClient(_cache_token(lambda: self._create_access_token(name)), base)
        )

    def service_account_email(self, function: str) -> str:
        """As terraform/accounts.tf names it."""
        return f"{self._prefix}{function}@{self._project}.iam.gserviceaccount.com"

    def create_identity_token(self, function: str, audience: str) -> Secret:
        """An identity token by which a private function knows another one. Raises CheckUnavailable."""
        return self._generate_token(function, "generateIdToken", {"audience": audience, "includeEmail": True}, "token")

    def _create_access_token(self, function: str) -> Secret:
        return self._generate_token(
            function, "generateAccessToken", {"scope": [_SCOPE], "lifetime": "600s"}, "accessToken"
        )

    def _generate_token(self, function: str, verb: str, body: dict[str, Any], key: str) -> Secret:
        email = self.service_account_email(function)
        answer = self.user_client.call("POST", _IAM, f"/v1/projects/-/serviceAccounts/{email}:{verb}", body)
        if answer.status == 404:
            raise CheckUnavailable(f"The account {email} does not exist.", "terraform -chdir=terraform apply")
        if not answer.is_success:
            raise CheckUnavailable(
                f"You may not impersonate {email}, so its permissions cannot be checked.",
                _build_grant_command(email, self._project),
            )
        return Secret(str(answer.value.get(key, "")))


def _build_grant_command(email: str, project: str) -> str:
    """For that account alone, and for a day: who may act as it may do all that the function may."""
    person, until = "user:$(gcloud config get account)", datetime.now(UTC) + _GRANT_DURATION
    return (
        f"gcloud iam service-accounts add-iam-policy-binding {email} --project={project} "
        f"--member={person} --role=roles/iam.serviceAccountTokenCreator "
        f"""--condition='title=doctor,expression=request.time < timestamp("{until:%Y-%m-%dT%H:%M:%SZ}")'"""
    )


def _cache_token(make: Callable[[], Secret]) -> Callable[[], Secret]:
    """A refusal is remembered, too: to find out may take seconds, and a hundred checks want the same token."""
    lock, made = Lock(), list[Secret | CheckUnavailable]()

    def token() -> Secret:
        with lock:
            if not made:
                try:
                    made.append(make())
                except CheckUnavailable as refused:
                    made.append(refused)
            if isinstance(made[0], CheckUnavailable):
                raise made[0]
            return made[0]

    return token


def _read_default_token() -> Secret:
    """The token of `gcloud auth application-default login`, or of the machine. Raises CheckUnavailable."""
    try:
        credentials, _ = google.auth.default(scopes=[_SCOPE])
        credentials.refresh(Request())  # type: ignore[no-untyped-call]
    except GoogleAuthError:
        raise CheckUnavailable("This machine has no usable Google credentials.", LOGIN_COMMAND) from None
    return Secret(str(credentials.token))
