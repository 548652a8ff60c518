"""Whose tokens are used: the person's own, and with them those of each function's account, for a few minutes.

What a function may do is asked as that function: a policy that looks right may still be shadowed by another one.
https://cloud.google.com/iam/docs/create-short-lived-credentials-direct
"""

from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import Any

from functions.cli.doctor_checks.finding import Unanswered
from functions.cli.doctor_checks.google_api import Google
from shared.secret import Secret

_IAM = "iamcredentials.googleapis.com"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
LOGIN = "gcloud auth application-default login"


class Accounts:
    """`base` as in `Google`. Tokens are asked for once each, however many checks want them."""

    def __init__(self, project: str, prefix: str, base: str = "") -> None:
        self._project, self._prefix = project, prefix
        # The one that answers for everybody in a test needs no secret.
        person = (lambda: Secret("of-this-machine")) if base else _once(_application_default)
        self.person = Google(person, base, project)
        self.function: Callable[[str], Google] = cache(lambda name: Google(_once(lambda: self._access(name)), base))

    def email(self, function: str) -> str:
        """As terraform/accounts.tf names it."""
        return f"{self._prefix}{function}@{self._project}.iam.gserviceaccount.com"

    def identity(self, function: str, audience: str) -> Secret:
        """An identity token by which a private function knows another one. Raises Unanswered."""
        return self._made(function, "generateIdToken", {"audience": audience, "includeEmail": True}, "token")

    def _access(self, function: str) -> Secret:
        return self._made(function, "generateAccessToken", {"scope": [_SCOPE], "lifetime": "600s"}, "accessToken")

    def _made(self, function: str, verb: str, body: dict[str, Any], key: str) -> Secret:
        email = self.email(function)
        answer = self.person.ask("POST", _IAM, f"/v1/projects/-/serviceAccounts/{email}:{verb}", body)
        if answer.status == 404:
            raise Unanswered(f"There is no account {email}.", "terraform -chdir=terraform apply")
        if not answer.done:
            raise Unanswered(f"You may not act as {email}, so nobody can see what it may.", _lend(email, self._project))
        return Secret(str(answer.value.get(key, "")))


def _lend(email: str, project: str) -> str:
    person = "user:$(gcloud config get account)"
    return (
        f"gcloud iam service-accounts add-iam-policy-binding {email} --project={project} "
        f"--member={person} --role=roles/iam.serviceAccountTokenCreator"
    )


def _once(make: Callable[[], Secret]) -> Callable[[], Secret]:
    """A refusal is remembered, too: to find out may take seconds, and a hundred checks want the same token."""
    lock, made = Lock(), list[Secret | Unanswered]()

    def token() -> Secret:
        with lock:
            if not made:
                try:
                    made.append(make())
                except Unanswered as refused:
                    made.append(refused)
            if isinstance(made[0], Unanswered):
                raise made[0]
            return made[0]

    return token


def _application_default() -> Secret:
    """The token of `gcloud auth application-default login`, or of the machine. Raises Unanswered."""
    from google.auth import default  # noqa: PLC0415
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415
    from google.auth.transport.requests import Request  # noqa: PLC0415

    try:
        found, _ = default(scopes=[_SCOPE])
        found.refresh(Request())  # type: ignore[no-untyped-call]
    except GoogleAuthError:
        raise Unanswered("There are no usable Google credentials on this machine.", LOGIN) from None
    return Secret(str(found.token))
