"""Checks where a request to a port of the loopback comes from, by its headers.

Such a port is reachable from every page that a browser on this machine has open, and under every name that
points at loopback. A browser says where a request comes from (Origin, Sec-Fetch-Site); other programs say nothing.
https://developer.mozilla.org/docs/Glossary/Fetch_metadata_request_header
"""

from collections.abc import Mapping
from enum import StrEnum

LOOPBACK_NAMES = ("127.0.0.1", "localhost")


class OriginProblem(StrEnum):
    """Why a request is refused."""

    HOST = "foreign_host"
    ORIGIN = "foreign_origin"


PROBLEM_STATUS = {OriginProblem.HOST: 421, OriginProblem.ORIGIN: 403}


def is_own_host(host: str, port: int) -> bool:
    """Whether this is the port's address on loopback."""
    return host in {f"{name}:{port}" for name in LOOPBACK_NAMES}


def check_not_browser(headers: Mapping[str, str]) -> OriginProblem | None:
    """For a port that no page uses: whatever a browser sends is refused."""
    return OriginProblem.ORIGIN if "origin" in headers or "sec-fetch-site" in headers else None


def check_host(headers: Mapping[str, str], port: int) -> OriginProblem | None:
    """For a port that only programs of this machine use."""
    return None if is_own_host(headers.get("host", ""), port) else OriginProblem.HOST


def check_read_origin(headers: Mapping[str, str]) -> OriginProblem | None:
    """For what a page reads: it must be this page, or a user who follows a link to it."""
    origin, host = headers.get("origin"), headers.get("host", "")
    if origin is not None and origin != f"http://{host}":
        return OriginProblem.ORIGIN
    followed = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return None if followed else check_stream_origin(headers)


def check_stream_origin(headers: Mapping[str, str]) -> OriginProblem | None:
    """For what stays open: a link that was followed is not enough, or any site could open one after the other."""
    return None if headers.get("sec-fetch-site", "none") in {"same-origin", "none"} else OriginProblem.ORIGIN


def check_write_origin(headers: Mapping[str, str]) -> OriginProblem | None:
    """For what a page sends: it must be this page itself."""
    same = headers.get("origin") == f"http://{headers.get('host', '')}"
    return None if same and headers.get("sec-fetch-site", "same-origin") == "same-origin" else OriginProblem.ORIGIN
