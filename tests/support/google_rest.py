"""What functions ask of Google over HTTP, on loopback: tokens, versions of secrets, and the function `compile`."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from functions import compile as compile_function
from tests.support.github.server import MISSING, Asked, Told

_ACCOUNT = "/computeMetadata/v1/instance/service-accounts/default"
COMPILE = "/compile"


@dataclass
class GoogleRest:
    """`secrets` by the name of their version. `more` are further routes, asked first."""

    secrets: dict[str, str] = field(default_factory=dict)
    more: list[Callable[[Asked], Told | None]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """Methods, as the published clients would name them."""
    read: list[str] = field(default_factory=list)
    """The versions of secrets that were read."""
    address: str = ""

    def answer(self, asked: Asked) -> Told:
        for route in self.more:
            told = route(asked)
            if told is not None:
                return told
        if asked.path == f"{_ACCOUNT}/token":
            return Told(200, {"access_token": "of-this-machine", "expires_in": 3600, "token_type": "Bearer"})
        if asked.path == COMPILE:
            self.asked.append("compile")
            return Told(200, _judged(asked.body))
        name, _, verb = asked.path.removeprefix("/v1/").partition(":")
        if verb == "access" and name in self.secrets:
            self.asked.append("google.cloud.secretmanager.v1.SecretManagerService/AccessSecretVersion")
            self.read.append(name)
            data = base64.b64encode(self.secrets[name].encode()).decode()
            return Told(200, {"name": name, "payload": {"data": data}})
        return MISSING


def _judged(body: Any) -> dict[str, Any]:
    sources = [compile_function.read_source(one, number) for number, one in enumerate(body["sources"])]
    return compile_function.compile_sources(sources)
