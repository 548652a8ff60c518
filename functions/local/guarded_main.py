"""The functions as they are served on this machine: each refuses what a web page sends, and names that are not its own.

In the cloud the platform lets nobody in who may not. `decide` and `github` are called from outside, through whatever
name leads here, and look for themselves whether a request was signed.
"""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from functions import main
from functions.local.request_origin import PROBLEM_STATUS, check_host, check_not_browser

if TYPE_CHECKING:
    from flask import Request

Function = Callable[["Request"], Any]


def guard_function(function: Function, *, any_host: bool) -> Function:
    """The same function. `anywhere`: also under another name than loopback's."""

    @wraps(function)
    def guarded(request: "Request") -> Any:
        headers = {name.lower(): value for name, value in request.headers.items()}
        port = int(request.environ.get("SERVER_PORT", "0"))
        doubt = check_not_browser(headers) or (None if any_host else check_host(headers, port))
        return function(request) if doubt is None else (f"{doubt.value}\n", PROBLEM_STATUS[doubt])

    return guarded


check = guard_function(main.check, any_host=False)
decide = guard_function(main.decide, any_host=True)
github = guard_function(main.github, any_host=True)
investigate = guard_function(main.investigate, any_host=False)
record = guard_function(main.record, any_host=False)
redeploy = guard_function(main.redeploy, any_host=False)
verify = guard_function(main.verify, any_host=False)

__all__ = ["check", "decide", "github", "investigate", "record", "redeploy", "verify"]
