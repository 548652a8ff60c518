"""Registers a GitHub App by its manifest, and has it installed: a page of this machine, GitHub's, and two redirects.

    /            hands the manifest to GitHub, as a form that sends itself
    /created     GitHub's redirect with a code, which is exchanged once, within the hour, for the App with its secrets
    /installed   GitHub's redirect with the installation's id, by the App's setup URL

https://docs.github.com/apps/sharing-github-apps/registering-a-github-app-from-a-manifest, read 2026-11-26
"""

import html
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from functions.local.request_origin import is_own_host
from functions.setup.ports import RegisteredApp
from shared.adapters.http import HttpClient, NoResponse
from shared.errors import InputError
from shared.secret import Secret

LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 8765
"""Part of the App's setup URL, so it is the same one when a setup goes on."""
_TIMEOUT_SECONDS = 20.0
_WAIT_SECONDS = 1800.0
_AGAIN = "Run `provenfix setup` again: it goes on here."


@dataclass(frozen=True, slots=True)
class GitHubAddresses:
    """The pages and the API; other ones on loopback."""

    web: str = "https://github.com"
    api: str = "https://api.github.com"


@dataclass(slots=True)
class _Visit:
    """What one wait for a redirect shows and gets; `answer` is its query."""

    path: str
    page: str
    state: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    needs_state: bool = True
    answer: Mapping[str, str] | None = None

    def is_state(self, text: str) -> bool:
        """Whether a redirect belongs to this visit."""
        return secrets.compare_digest(text.encode(), self.state.encode())


class _LoopbackServer(ThreadingHTTPServer):
    """A thread for each connection: a browser opens some ahead of need, and says nothing on them."""

    allow_reuse_address = True
    visit: _Visit


class _Handler(BaseHTTPRequestHandler):
    """Answers the browser; nothing of a request is logged, because a query holds the code."""

    server: _LoopbackServer

    def do_GET(self) -> None:  # as http.server calls it
        visit, parts = self.server.visit, urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if not is_own_host(self.headers.get("Host", ""), self.server.server_port):
            self._answer(421, "This page is for this machine alone.")
        elif parts.path == "/" and visit.page:
            self._answer(200, visit.page)
        elif parts.path != visit.path:
            self._answer(404, "Nothing is expected here now.")
        elif visit.needs_state and not visit.is_state(query.get("state", "")):
            self._answer(403, "This answer belongs to another registration.")
        else:
            self._answer(200, "Done. Go back to the terminal; you can close this page.")
            visit.answer = query  # last: the process may end as soon as this is known

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # as http.server names it
        """Nothing."""

    def _answer(self, status: int, page: str) -> None:
        body = page.encode()
        self.send_response(status)
        for name, value in (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
            ("X-Frame-Options", "DENY"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class BrowserRegistration:
    """Implements `functions.setup.ports.AppRegistration`."""

    def __init__(
        self,
        addresses: GitHubAddresses = GitHubAddresses(),  # immutable
        port: int = DEFAULT_PORT,
        wait_seconds: float = _WAIT_SECONDS,
    ) -> None:
        self._addresses, self._port, self._wait_seconds = addresses, port, wait_seconds
        self._http = HttpClient(_TIMEOUT_SECONDS, uses_proxies=True)

    def register(self, owner: str, manifest: Mapping[str, Any], open_page: Callable[[str], None]) -> RegisteredApp:
        """See `AppRegistration`."""
        settings = f"{self._addresses.web}{self._settings_path(owner)}"
        visit = _Visit("/created", "")
        base = f"http://{LOOPBACK}:{self._port}"
        addresses = {"redirect_url": f"{base}/created", "setup_url": f"{base}/installed", "setup_on_update": True}
        visit.page = _form(f"{settings}?{urlencode({'state': visit.state})}", {**manifest, **addresses})
        code = self._await_redirect(visit, f"{base}/", open_page).get("code", "")
        return self._convert(code)

    def install(self, slug: str, open_page: Callable[[str], None]) -> int:
        """See `AppRegistration`. A user may reach GitHub's page by another way, so no state is asked for."""
        visit = _Visit("/installed", "", needs_state=False)
        url = f"{self._addresses.web}/apps/{quote(slug, safe='')}/installations/new"
        installation = self._await_redirect(visit, url, open_page).get("installation_id", "")
        if not installation.isascii() or not installation.isdecimal():
            raise InputError(f"GitHub's redirect names no installation. {_AGAIN}")
        return int(installation)

    def _await_redirect(self, visit: _Visit, url: str, open_page: Callable[[str], None]) -> Mapping[str, str]:
        try:
            server = _LoopbackServer((LOOPBACK, self._port), _Handler)
        except OSError:
            raise InputError(f"Port {self._port} of this machine is in use: end what uses it. {_AGAIN}") from None
        with server:
            server.visit, server.timeout = visit, 1.0
            open_page(url)
            until = time.monotonic() + self._wait_seconds
            while visit.answer is None:
                if time.monotonic() > until:
                    raise InputError(
                        f"GitHub's page was not finished within {self._wait_seconds:.0f} seconds. {_AGAIN}"
                    )
                server.handle_request()
        return visit.answer

    def _settings_path(self, owner: str) -> str:
        """Where an App is registered: an organisation has its own page."""
        status, account = self._ask("GET", f"/users/{quote(owner, safe='')}")
        if status == 404:
            raise InputError(f"GitHub knows no account {owner}: give the repository as OWNER/NAME. {_AGAIN}")
        if account.get("type") == "User":
            return "/settings/apps/new"
        return f"/organizations/{quote(owner, safe='')}/settings/apps/new"

    def _convert(self, code: str) -> RegisteredApp:
        """Once for a code. No error quotes the answer: it holds the key."""
        status, app = self._ask("POST", f"/app-manifests/{quote(code, safe='')}/conversions")
        if status != 201 or not app.get("pem"):
            raise InputError(f"GitHub answered {status} in place of the App: register it once more. {_AGAIN}")
        return RegisteredApp(
            str(app["id"]), str(app["slug"]), str(app["html_url"]), Secret(str(app["pem"])),
            Secret(str(app.get("webhook_secret") or "")),
        )  # fmt: skip

    def _ask(self, method: str, path: str) -> tuple[int, Mapping[str, Any]]:
        headers = {"Accept": "application/vnd.github+json", "User-Agent": "provenfix"}
        try:
            response = self._http.request(method, self._addresses.api + path, headers)
            value = json.loads(response.body or b"{}")
        except (NoResponse, ValueError) as error:
            raise InputError(f"GitHub could not be asked: {type(error).__name__}. {_AGAIN}") from None
        return response.status, value if isinstance(value, dict) else {}


def _form(action: str, manifest: Mapping[str, Any]) -> str:
    value = html.escape(json.dumps(manifest), quote=True)
    return (
        '<!doctype html><meta charset="utf-8"><title>provenfix</title>'
        f'<form action="{html.escape(action, quote=True)}" method="post">'
        f'<input type="hidden" name="manifest" value="{value}">'
        "<button>Register the GitHub App</button></form>"
        "<script>document.forms[0].submit()</script>"
    )
