"""The demo as a newcomer meets it: one command, a browser, one click; and the example service is well again.

That it failed before and does not any more is seen by a client of this test, with a WebSocket of its own.
"""

import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest
from playwright.sync_api import Page, expect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from functions.local.server_process import CODE_ROOT, find_free_port
from tests.support.e2e.browser import RecordedBrowser, open_browser
from tests.support.e2e.readme_screenshot import PICTURE, README_PICTURE

COMMAND = [sys.executable, "-c", "from provenfix.command import main; main()"]
SECONDS = 60.0
LARGEST_PICTURE = 250_000
VIEW = {"width": 1280, "height": 860}


@contextmanager
def demo(folder: Path) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """The address of the page of a running demo, once a person is asked."""
    port = find_free_port()
    arguments = ["demo", "--no-browser", "--port", str(port), "--folder", str(folder)]
    with (folder / "told.txt").open("w") as told:
        process = subprocess.Popen(
            [*COMMAND, *arguments], stdin=subprocess.DEVNULL, stdout=told, stderr=told, text=True
        )
    try:
        yield f"http://127.0.0.1:{port}/", process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(SECONDS)


def shown(page: Page, address: str, process: "subprocess.Popen[str]", folder: Path) -> None:
    """Opens the page as soon as there is one."""
    while True:
        assert process.poll() is None, (folder / "told.txt").read_text("utf-8")
        try:
            urllib.request.urlopen(address, timeout=SECONDS).close()
        except OSError:
            page.wait_for_timeout(100)
        else:
            page.goto(address)
            return


def socket_of(folder: Path) -> ClientConnection:
    """A client of the example service."""
    found = re.search(r"probe_url: (ws://127\.0\.0\.1:\d+/ws)", (folder / "provenfix.yaml").read_text("utf-8"))
    assert found is not None
    return connect(found[1], proxy=None, open_timeout=SECONDS)


def listen(socket: ClientConnection) -> NoReturn:
    """Until it is closed."""
    while True:
        socket.recv(timeout=SECONDS)


def close_code(folder: Path) -> int:
    """With which code the service closes a socket that nobody has closed."""
    with socket_of(folder) as socket, pytest.raises(ConnectionClosed) as closed:
        listen(socket)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


def stays_open(folder: Path) -> bool:
    """The service says all that it has to say, and then still answers: it has not closed the socket."""
    with socket_of(folder) as socket:
        while "session" not in json.loads(socket.recv(timeout=SECONDS)):
            pass
        return socket.ping().wait(SECONDS)


@pytest.fixture(scope="module")
def sight() -> Iterator[RecordedBrowser]:
    with open_browser() as found:
        yield found


def test_one_click_closes_the_loop_and_the_socket_stays_open(tmp_path: Path, sight: RecordedBrowser) -> None:
    with demo(tmp_path) as (address, process), sight.open_page(viewport=VIEW, color_scheme="light") as page:
        shown(page, address, process, tmp_path)
        card = page.get_by_role("listitem").filter(has_text="SyntaxError").filter(has_text="Decision needed")
        expect(card).to_be_visible()
        assert close_code(tmp_path) == 1011
        card.get_by_role("link").click()
        expect(page.locator("#live")).to_have_text("Live")
        assert len(page.screenshot(path=PICTURE)) < LARGEST_PICTURE
        page.get_by_role("button", name="Approve").click()
        page.get_by_role("button", name="Redeploy").click()
        expect(page.locator("#head .state")).to_have_text("Resolved")
        assert stays_open(tmp_path)
        expect(page.locator("#issue")).to_contain_text("Closed")
        expect(page.locator("#slack")).to_contain_text("Resolved automatically")
        page.get_by_role("link", name="Times").click()
        expect(page.get_by_role("table").first).to_contain_text("harbour-prod.harbour-chat")
        told = subprocess.run(
            [*COMMAND, "stats", "--format", "json", "--folder", str(tmp_path)], capture_output=True, check=True
        )
        [incident] = [each for each in json.loads(told.stdout)["incidents"] if each["state"] == "resolved"]
        assert incident["detected"] < incident["proposed"] < incident["approved"] < incident["verified"]
    assert process.returncode == 0, (tmp_path / "told.txt").read_text("utf-8")
    assert sight.log.hosts == {"127.0.0.1"}
    assert sight.log.errors == []


def test_the_picture_of_the_readme_is_one_of_this_page() -> None:
    """`python -m tests.support.e2e.readme_screenshot` makes it anew; its bytes are the machine's, its size is not."""
    picture = README_PICTURE.read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert (int.from_bytes(picture[16:20]), int.from_bytes(picture[20:24])) == (VIEW["width"], VIEW["height"])
    assert len(picture) < LARGEST_PICTURE
    assert f"({README_PICTURE.relative_to(CODE_ROOT)})" in (CODE_ROOT / "README.md").read_text("utf-8")
