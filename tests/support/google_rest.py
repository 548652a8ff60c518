"""What functions ask of Google over HTTP, on loopback: tokens, versions of secrets, and the function `compile`."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from functions import compile as compile_function
from tests.support.github.server import NOT_FOUND, FakeRequest, FakeResponse

_ACCOUNT = "/computeMetadata/v1/instance/service-accounts/default"
COMPILE = "/compile"


@dataclass
class GoogleRest:
    """`secrets` by the name of their version. `more` are further routes, asked first."""

    secrets: dict[str, str] = field(default_factory=dict)
    extra_routes: list[Callable[[FakeRequest], FakeResponse | None]] = field(default_factory=list)
    requested_paths: list[str] = field(default_factory=list)
    """Methods, as the published clients would name them."""
    secrets_read: list[str] = field(default_factory=list)
    """The versions of secrets that were read."""
    address: str = ""

    def answer(self, asked: FakeRequest) -> FakeResponse:
        for route in self.extra_routes:
            told = route(asked)
            if told is not None:
                return told
        if asked.path == f"{_ACCOUNT}/token":
            return FakeResponse(200, {"access_token": "of-this-machine", "expires_in": 3600, "token_type": "Bearer"})
        if asked.path == COMPILE:
            self.requested_paths.append("compile")
            return FakeResponse(200, _compile_answer(asked.body))
        if asked.path.startswith("/v2/"):
            self.requested_paths.append("registry")
            return NOT_FOUND  # such as an image that was deleted
        name, _, verb = asked.path.removeprefix("/v1/").partition(":")
        if verb == "access" and name in self.secrets:
            self.requested_paths.append("google.cloud.secretmanager.v1.SecretManagerService/AccessSecretVersion")
            self.secrets_read.append(name)
            data = base64.b64encode(self.secrets[name].encode()).decode()
            return FakeResponse(200, {"name": name, "payload": {"data": data}})
        return NOT_FOUND


def _compile_answer(body: Any) -> dict[str, Any]:
    sources = [compile_function.read_source(source, number) for number, source in enumerate(body["sources"])]
    return compile_function.compile_sources(sources)
