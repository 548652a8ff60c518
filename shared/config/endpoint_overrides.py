"""Loopback addresses that replace the vendors', for tests and measurements."""

import re
from dataclasses import dataclass

from shared.errors import UsageError

_ENDPOINT_OVERRIDE = re.compile(
    r"(google)=(127\.0\.0\.1:\d+)|(rest|github|slack|pager)=(http://127\.0\.0\.1:\d+(?:/\S*)?)"
)


@dataclass(frozen=True, slots=True)
class EndpointOverrides:
    """Loopback addresses that replace the vendors', without credentials; "" keeps the vendor's."""

    google: str = ""
    """For gRPC, as `127.0.0.1:PORT`; all others are URLs."""
    rest: str = ""
    github: str = ""
    slack: str = ""
    pager: str = ""


NO_OVERRIDES = EndpointOverrides()


def parse_endpoint_overrides(text: str) -> EndpointOverrides:
    """Only loopback: a variable must not send tokens to another host."""
    matches = [_ENDPOINT_OVERRIDE.fullmatch(override) for override in text.split()]
    if not all(matches):
        raise UsageError(
            "PROVENFIX_DOUBLES must be google=127.0.0.1:PORT and rest=, github=, slack= or pager= "
            "http://127.0.0.1:PORT."
        )
    return EndpointOverrides(**{str(match[1] or match[3]): str(match[2] or match[4]) for match in matches if match})
