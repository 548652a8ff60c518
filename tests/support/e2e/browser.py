"""A real Chromium for tests: a browser comes out that reaches loopback alone, and tells what its pages ask for.

Debian's, since Playwright's own download is not for CI. What it gets at the start keeps it from calling its maker.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, expect, sync_playwright

from tests.support.npm import install_packages

INSTALL = "Chromium is not installed: apt-get install --no-install-recommends chromium"
_QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
TIMEOUT_MILLISECONDS = 60_000.0
"""Milliseconds that an expectation may take to come true."""


@dataclass(slots=True)
class PageLog:
    """All that pages have asked for, and all that went wrong in them."""

    addresses: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def hosts(self) -> set[str]:
        return {urlsplit(address).hostname or address for address in self.addresses}


@dataclass(slots=True)
class RecordedBrowser:
    """One browser, and what it has seen so far."""

    browser: Browser
    log: PageLog = field(default_factory=PageLog)

    @contextmanager
    def open_page(self, **options: Any) -> Iterator[Page]:
        """A page of its own, in a context of its own."""
        context = self.browser.new_context(**options)
        context.set_default_timeout(TIMEOUT_MILLISECONDS)
        context.on("request", lambda request: self.log.addresses.append(request.url))
        page = context.new_page()
        page.on("pageerror", lambda error: self.log.errors.append(f"threw: {error}"))
        page.on("dialog", _dismiss_dialogs(self.log))
        page.on("console", _record_console(self.log))
        try:
            yield page
        finally:
            context.close()


def _dismiss_dialogs(seen: PageLog) -> Callable[[Dialog], None]:
    """No page of ours opens a dialog of the browser's."""

    def dismiss(dialog: Dialog) -> None:
        seen.errors.append(f"said: {dialog.message}")
        dialog.dismiss()

    return dismiss


def _record_console(seen: PageLog) -> Callable[[ConsoleMessage], None]:
    """What the Content-Security-Policy has stopped is reported there, too."""

    def hear(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            seen.errors.append(f"told: {message.text}")

    return hear


@contextmanager
def open_browser() -> Iterator[RecordedBrowser]:
    """Skips where there is no Chromium; where `CI=true` it fails."""
    program = shutil.which("chromium")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail(INSTALL, pytrace=False)
        pytest.skip(INSTALL)
    expect.set_options(timeout=TIMEOUT_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_QUIET))
        try:
            yield RecordedBrowser(browser)
        finally:
            browser.close()


def accessibility_violations(page: Page) -> list[str]:
    """What axe finds, a line each: the rule, and where. All its rules, its best practices as well.

    Evaluated by the browser's debugger, and so not subject to the page's own policy.
    """
    page.evaluate((install_packages("page") / "axe-core/axe.min.js").read_text("utf-8"))
    violations = page.evaluate("async () => (await axe.run(document)).violations")
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in violations
        for node in violation["nodes"]
    ]
