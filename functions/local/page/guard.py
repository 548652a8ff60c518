"""Guards the page: refuses requests that are not addressed to it, or that another site sends.

A page on loopback is reachable from every site that the same browser has open. So the Host must be the page's own (no
name that points at loopback), a form must come from the page itself (its Origin, and a token that only the
page knows), no other page may read it or hold its stream of changes open, and whatever is shown can run, load or send
nothing but the page's own files.
"""

import hmac
import secrets
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from functions.local.request_origin import PROBLEM_STATUS, check_read_origin, check_write_origin, is_own_host

_SAFE_METHODS = frozenset(("GET", "HEAD"))
_SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
        "trusted-types 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


class RequestGuard:
    """Wraps the application; `port` is the one that it is served on."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self._port = port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers, or lets the request through; every answer gets the headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_SECURITY_HEADERS)
            await send(message)

        refused = self._find_refusal(scope["method"], Headers(scope=scope))
        await (PlainTextResponse(*refused) if refused else self._app)(scope, receive, guarded)

    def _find_refusal(self, method: str, headers: Headers) -> tuple[str, int] | None:
        if not is_own_host(headers.get("host", ""), self._port):
            return "This page answers only under its own address on loopback.\n", 421
        doubt = check_read_origin(headers) if method in _SAFE_METHODS else check_write_origin(headers)
        return ("Only the page itself may ask for this.\n", PROBLEM_STATUS[doubt]) if doubt else None


class FormToken:
    """What forms carry: known to this process and to the pages that it has drawn."""

    def __init__(self) -> None:
        self.text = secrets.token_urlsafe(24)

    def matches(self, given: object) -> bool:
        """In constant time."""
        return isinstance(given, str) and hmac.compare_digest(given.encode("utf-8", "replace"), self.text.encode())
