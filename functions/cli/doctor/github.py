"""Checks of GitHub: the token's permissions on each watched repository, and the webhook.

Reading is tried. Writing is tried with requests that cannot succeed: GitHub answers 422 or 404 to a token that may
write, 403 to one that may not, and changes nothing. Only an administrator's token can list webhooks.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from functions.cli.access import Access
from functions.cli.doctor.check import (
    Check,
    CheckResult,
    CheckState,
    CheckUnavailable,
    build_missing_result,
    build_ok_result,
)
from functions.cli.doctor.http import ApiResponse, send_request
from shared.secret import Secret
from shared.service import Service

API = "https://api.github.com"
_READ_PATHS = {
    "actions": "/actions/runs?per_page=1",
    "checks": "/commits/HEAD/check-runs?per_page=1",
    "contents": "/commits?per_page=1",
    "issues": "/issues?per_page=1",
    "metadata": "",
    "pull_requests": "/pulls?per_page=1",
    "statuses": "/commits/HEAD/status?per_page=1",
}
_HARMLESS_WRITES: Mapping[str, tuple[str, Any]] = {
    "checks": ("/check-runs", {}),
    "actions": ("/actions/workflows/provenfix-doctor.yml/dispatches", {"ref": "HEAD"}),
    "issues": ("/issues", {}),
}
"""Requests that no token can make: a workflow that does not exist, an issue or a check run without a title."""
_EVENTS = {"issues", "issue_comment"}
_APP_ONLY = "checks"
"""What a token cannot write, whatever it is given: only an App can."""


class GitHubChecks:
    """The checks of all repositories. `base` answers in GitHub's place, on loopback."""

    def __init__(
        self,
        access: Access,
        token: Callable[[], Secret],
        services: Sequence[Service],
        base: str = "",
        *,
        is_app: bool = False,
    ) -> None:
        self._access, self._token, self._base, self._is_app = access, token, base or API, is_app
        self._repositories = tuple(dict.fromkeys(service.repository for service in services))
        self._methods = {
            at: {service.deploy_method for service in services if service.repository == at} for at in self._repositories
        }

    def checks(self, *, webhook: bool) -> Iterator[Check]:
        """By repository; `webhook` where one is configured."""
        for repository in self._repositories:
            required = self._access.required_repository_permissions(self._methods[repository])
            for name, wanted in required.items():
                level = "read" if name == _APP_ONLY and not self._is_app else wanted
                yield Check(
                    "github",
                    f"{repository}: {name} {level}",
                    lambda at=repository, what=name, how=level: self._check_permission(at, what, how),  # type: ignore[misc]
                )
            if webhook:
                yield Check("github", f"{repository}: webhook", lambda at=repository: self._check_webhook(at))  # type: ignore[misc]

    def _call(self, verb: str, repository: str, path: str, body: Any = None) -> ApiResponse:
        token = self._token().reveal()
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}
        headers |= {"User-Agent": "provenfix-doctor", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        answer = send_request(verb, f"{self._base}/repos/{repository}{path}", headers, data)
        if answer.status >= 500 or answer.status == 429 or answer.headers.get("x-ratelimit-remaining") == "0":
            raise CheckUnavailable(f"GitHub answered {answer.status}; try again later.")
        return answer

    def _check_permission(self, repository: str, name: str, level: str) -> CheckResult:
        settings = "https://github.com/settings/personal-access-tokens"
        grant = f"open {settings} and give the token {name.replace('_', ' ')}: {level} on {repository}"
        if name not in _READ_PATHS:
            raise CheckUnavailable(f"There is no check for the permission {name}.")
        answer = self._call("GET", repository, _READ_PATHS[name])
        if answer.status == 401:
            return build_missing_result("GitHub refuses the token.", grant)
        # An empty repository has neither commits nor checks: 409, and 422 for its HEAD.
        if answer.status in {403, 404}:
            return build_missing_result("The token may not read it.", grant)
        if level != "write":
            return build_ok_result()
        path, body = _HARMLESS_WRITES[name]
        tried = self._call("POST", repository, path, body)
        return (
            build_ok_result()
            if tried.status in {404, 422}
            else build_missing_result("The token may read it, but not write.", grant)
        )

    def _check_webhook(self, repository: str) -> CheckResult:
        answer = self._call("GET", repository, "/hooks?per_page=100")
        page = f"https://github.com/{repository}/settings/hooks"
        if answer.status in {403, 404}:
            return CheckResult(CheckState.UNSEEN, "The token may not list webhooks, and need not.", f"check {page}")
        hooks = [hook for hook in answer.value.get("items", []) if hook.get("active")]
        if any("*" in hook["events"] or set(hook["events"]) >= _EVENTS for hook in hooks):
            return build_ok_result()
        events = "events issues and issue_comment, content type application/json, the secret of github.webhook_secret"
        return build_missing_result("No active webhook sends issue events.", f"add one at {page}: {events}")
