"""A client of Google's REST APIs: returns status and JSON, and repeats nothing.

REST and no published client: every API speaks it, it needs a token and no import, and a refusal is a status.
https://cloud.google.com/apis/docs/http
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from functions.cli.doctor.check import CheckUnavailable
from shared.adapters.http import HttpClient, NoResponse
from shared.secret import Secret

TIMEOUT_SECONDS = 10.0
MAX_RESPONSE_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """`value` is {} where the body is no JSON object; `headers` by lower-case name."""

    status: int
    value: Mapping[str, Any]
    headers: Mapping[str, str]

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_denied(self) -> bool:
        return self.status in {401, 403}


_HTTP = HttpClient(TIMEOUT_SECONDS, max_bytes=MAX_RESPONSE_BYTES, uses_proxies=True)


def send_request(verb: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> ApiResponse:
    """One request. Raises CheckUnavailable."""
    try:
        response = _HTTP.request(verb, url, headers, body)
    except NoResponse as error:
        raise CheckUnavailable(f"{error}.") from None
    try:
        value = json.loads(response.body)
    except (ValueError, RecursionError):
        value = {}
    return ApiResponse(response.status, value if isinstance(value, dict) else {"items": value}, response.headers)


class GoogleClient:
    """Asks with one account's token. `base` answers in place of all APIs, on loopback; "" for the real ones.

    `quota_project` is charged for a user's requests: most APIs refuse a user who names none, and a service account
    has its own. https://cloud.google.com/docs/quotas/set-quota-project
    """

    def __init__(self, token: Callable[[], Secret], base: str = "", quota_project: str = "") -> None:
        self._token = token
        self._base = base
        self._quota_headers = {"x-goog-user-project": quota_project} if quota_project else {}

    def call(self, verb: str, api: str, path: str, body: object = None) -> ApiResponse:
        """`api` is a host such as `run.googleapis.com`. Raises CheckUnavailable also where the API is down."""
        url = f"{self._base}/{api}{path}" if self._base else f"https://{api}{path}"
        headers = {"Authorization": f"Bearer {self._token().reveal()}", "Content-Type": "application/json"}
        answer = send_request(
            verb, url, headers | self._quota_headers, None if body is None else json.dumps(body).encode()
        )
        if answer.status >= 500 or answer.status == 429:
            raise CheckUnavailable(f"{api} answered {answer.status}; try again.")
        return answer

    def get(self, api: str, path: str) -> ApiResponse:
        """Reads one thing. Raises CheckUnavailable where this account may not look at it, too."""
        answer = self.call("GET", api, path)
        if answer.is_denied:
            raise CheckUnavailable(f"These credentials may not read it ({api} answered {answer.status}).")
        return answer

    def find_missing_permissions(self, api: str, path: str, permissions: list[str]) -> list[str] | None:
        """Which of the permissions this account lacks on a thing; None where the thing does not exist."""
        answer = self.call("POST", api, f"{path}:testIamPermissions", {"permissions": permissions})
        if answer.status == 404:
            return None
        if answer.is_denied:
            return permissions
        held = answer.value.get("permissions", [])
        return [permission for permission in permissions if permission not in held]
