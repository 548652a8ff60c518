"""A real Chromium for tests: nothing goes in, a browser comes out that reaches loopback alone and tells what it asked for.

Debian's, since Playwright's own download is not for CI. What it is told at the start keeps it from talking to its maker.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.fakes.npm import packages

INSTALL = "Chromium is not installed: apt-get install --no-install-recommends chromium"
_QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
PATIENCE = 30_000.0
"""Milliseconds that an expectation may take to come true."""


@dataclass(slots=True)
class Seen:
    """All that pages have asked for, and all that went wrong in them."""

    addresses: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def hosts(self) -> set[str]:
        return {urlsplit(each).hostname or each for each in self.addresses}


@dataclass(slots=True)
class Eyes:
    """One browser, and what it has seen so far."""

    browser: Browser
    seen: Seen = field(default_factory=Seen)

    @contextmanager
    def page(self, **options: Any) -> Iterator[Page]:
        """A page of its own, in a context of its own."""
        context = self.browser.new_context(**options)
        context.set_default_timeout(PATIENCE)
        context.on("request", lambda request: self.seen.addresses.append(request.url))
        page = context.new_page()
        page.on("pageerror", lambda error: self.seen.wrong.append(f"threw: {error}"))
        page.on("dialog", lambda dialog: (self.seen.wrong.append(f"said: {dialog.message}"), dialog.dismiss()))
        page.on("console", lambda message: self._heard(message))
        try:
            yield page
        finally:
            context.close()

    def _heard(self, message: Any) -> None:
        """What the Content-Security-Policy has stopped is told here, too; a page that is left hangs up by itself."""
        if message.type in {"error", "warning"} and "ERR_INCOMPLETE_CHUNKED_ENCODING" not in message.text:
            self.seen.wrong.append(f"told: {message.text}")


@contextmanager
def eyes() -> Iterator[Eyes]:
    """Skips where there is no Chromium; where `CI=true` it fails."""
    found = shutil.which("chromium")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail(INSTALL, pytrace=False)
        pytest.skip(INSTALL)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(_QUIET))
        try:
            yield Eyes(browser)
        finally:
            browser.close()


def violations(page: Page) -> list[str]:
    """What axe finds, a line each: the rule, and where. All its rules, its best practices as well.

    Evaluated by the browser's debugger, and so not subject to the page's own policy.
    """
    page.evaluate((packages("page") / "axe-core/axe.min.js").read_text("utf-8"))
    found = page.evaluate("async () => (await axe.run(document)).violations")
    return [f"{each['id']}: {node['target']} {node['failureSummary']}" for each in found for node in each["nodes"]]
