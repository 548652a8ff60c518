"""Checks of the `compile` functions: each answers, and lets its callers in."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from functions.cli.access import Access
from functions.cli.doctor.accounts import Accounts
from functions.cli.doctor.check import Check, CheckResult, CheckUnavailable, build_missing_result, build_ok_result
from functions.cli.doctor.http import send_request
from shared.service import Service

_CALL = "compile"


class CompilerChecks:
    """`urls` by minor version. A function on this machine is called without a token."""

    def __init__(
        self, access: Access, accounts: Accounts, urls: Mapping[str, str], services: Sequence[Service]
    ) -> None:
        self._accounts, self._urls = accounts, urls
        self._callers = [name for name, use in access.functions.items() if _CALL in use.google]
        self._versions = sorted({*urls, *(service.python for service in services if service.python)})

    def checks(self) -> Iterator[Check]:
        """For each version, one for each function that calls it."""
        for version in self._versions:
            if version not in self._urls:
                yield Check("compile", version, partial(_report_missing_version, version))
                continue
            for function in self._callers:
                yield Check("compile", f"{version} for {function}", partial(self._check_function, version, function))

    def _check_function(self, version: str, function: str) -> CheckResult:
        url, headers = self._urls[version], {"Content-Type": "application/json"}
        if url.startswith("https://"):
            headers["Authorization"] = f"Bearer {self._accounts.create_identity_token(function, url).reveal()}"
        answer = send_request("POST", url, headers, json.dumps({"sources": []}).encode())
        if answer.is_denied:
            email = self._accounts.service_account_email(function)
            invoke = f"gcloud run services add-iam-policy-binding provenfix-compile-py{version.replace('.', '')}"
            member = f"--member=serviceAccount:{email} --role=roles/run.invoker --region=REGION"
            return build_missing_result(f"It refuses calls of {function}.", f"{invoke} {member}")
        if not answer.is_success:
            raise CheckUnavailable(f"It answered {answer.status}.", "terraform -chdir=terraform apply")
        python = str(answer.value.get("version", ""))
        if python.split(".")[:2] != version.split("."):
            return build_missing_result(
                f"It is Python {python[:20] or 'of no version'}.", f"correct compilers[{version!r}] in provenfix.yaml"
            )
        return build_ok_result(python[:20])


def _report_missing_version(version: str) -> CheckResult:
    name = f'google_cloudfunctions2_function.compile["{version}"]'
    apply = f"terraform -chdir=terraform apply -target='{name}', then add its URL to compilers in provenfix.yaml"
    return build_missing_result(
        "A service runs on this version, but no compile function exists for it; only ruff would check its code.", apply
    )
