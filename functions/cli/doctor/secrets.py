"""Checks of the secrets that provenfix.yaml refers to; other checks take their values from here. None is printed."""

import base64
from collections.abc import Iterator, Mapping
from threading import Lock

from functions.cli.doctor.accounts import Accounts
from functions.cli.doctor.check import Check, CheckResult, CheckUnavailable, build_missing_result, build_ok_result
from shared.secret import Secret, SecretReference, SecretSource

_API = "secretmanager.googleapis.com"


class SecretChecks:
    """`references` by their key in provenfix.yaml; `held` are those of the environment, by the variable's name."""

    def __init__(
        self, accounts: Accounts, references: Mapping[str, SecretReference | None], held: Mapping[str, Secret]
    ) -> None:
        self._accounts, self._references, self._held = accounts, references, held
        self._lock = Lock()
        self._read: dict[str, Secret] = {}

    def checks(self) -> Iterator[Check]:
        """One for each secret."""
        for key in self._references:
            yield Check("secret", key, lambda at=key: self._check_secret(at))  # type: ignore[misc]

    def read_secret(self, key: str) -> Secret:
        """Raises CheckUnavailable where it cannot be read."""
        with self._lock:
            if key not in self._read:
                secret = self._fetch(key)
                if isinstance(secret, CheckResult):
                    raise CheckUnavailable(f"{key} cannot be read: {secret.detail}", secret.remedy)
                self._read[key] = secret
            return self._read[key]

    def list_known_values(self) -> list[str]:
        """Returns all values that were read or are held: no line may show them."""
        return [secret.reveal() for secret in (*self._read.values(), *self._held.values()) if secret]

    def _check_secret(self, key: str) -> CheckResult:
        secret = self._fetch(key)
        if isinstance(secret, CheckResult):
            return secret
        with self._lock:
            self._read[key] = secret
        return build_ok_result()

    def _fetch(self, key: str) -> Secret | CheckResult:
        reference = self._references[key]
        if reference is None:
            line = f"{key.partition('.')[0]}: {{{key.partition('.')[2]}: {{secret: projects/P/secrets/S/versions/1}}}}"
            return build_missing_result("provenfix.yaml does not refer to it.", f"add to provenfix.yaml: {line}")
        if reference.source is SecretSource.ENVIRONMENT:
            value = self._held.get(reference.name)
            return value or build_missing_result("The variable is not set.", f"export {reference.name}=…")
        answer = self._accounts.user_client.call("GET", _API, f"/v1/{reference.name}:access")
        if answer.is_denied:
            raise CheckUnavailable(f"These credentials may not read it ({_API} answered {answer.status}).")
        if not answer.is_success:
            _, project, _, secret, _, _ = reference.name.split("/")
            add = f'printf %s "$VALUE" | gcloud secrets versions add {secret} --data-file=- --project={project}'
            return build_missing_result("This version does not exist or is disabled.", add)
        return _decode_secret(answer.value)


def _decode_secret(value: Mapping[str, object]) -> Secret | CheckResult:
    payload = value.get("payload")
    try:
        text = base64.b64decode(str(payload["data"])).decode("utf-8").strip()  # type: ignore[index]
    except (KeyError, TypeError, ValueError):
        raise CheckUnavailable(f"{_API} did not answer with a secret.") from None
    return Secret(text) if text else build_missing_result("It is empty.", "add a version that holds the value")
