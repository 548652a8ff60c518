"""The functions as they are served on this machine: each refuses what a web page sends, and names that are not its own.

In the cloud the platform lets nobody in who may not. `decide` and `github` are called from outside, through whatever
name leads here, and look for themselves whether a request was signed.
"""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from functions import main
from functions.local.request_origin import STATUS, doubt_browser, doubt_host

if TYPE_CHECKING:
    from flask import Request

Function = Callable[["Request"], Any]


def guard(function: Function, *, anywhere: bool) -> Function:
    """The same function. `anywhere`: also under another name than loopback's."""

    @wraps(function)
    def guarded(request: "Request") -> Any:
        headers = {name.lower(): value for name, value in request.headers.items()}
        port = int(request.environ.get("SERVER_PORT", "0"))
        doubt = doubt_browser(headers) or (None if anywhere else doubt_host(headers, port))
        return function(request) if doubt is None else (f"{doubt.value}\n", STATUS[doubt])

    return guarded


decide = guard(main.decide, anywhere=True)
github = guard(main.github, anywhere=True)
investigate = guard(main.investigate, anywhere=False)
record = guard(main.record, anywhere=False)
redeploy = guard(main.redeploy, anywhere=False)
verify = guard(main.verify, anywhere=False)

__all__ = ["decide", "github", "investigate", "record", "redeploy", "verify"]
