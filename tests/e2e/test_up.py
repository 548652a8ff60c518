"""`provenfix up` as a person uses it: it starts everything, tells what to do next, and Ctrl-C leaves nothing behind."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import socket
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from functions.cli.up import RUNNING
from functions.demo.build_repository import build_incident
from functions.demo.incident_log import write_incident_log
from functions.local.server_process import LOOPBACK, find_free_port, is_port_free
from functions.local.stack_folder import lock_folder
from shared.adapters.github.webhook import DELIVERY_HEADER, EVENT_HEADER, SIGNATURE_HEADER, sign
from shared.secret import Secret
from tests.support.e2e.storm import storm_configuration

DEADLINE = 60.0
PORTS = 10
COMMAND = str(Path(sys.executable).with_name("provenfix"))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a configuration, a repository and a log, as a user would have them who tries this."""
    story = build_incident(tmp_path / "service")
    (tmp_path / "provenfix.yaml").write_text(storm_configuration(story), "utf-8")
    write_incident_log(story, tmp_path / "log.json")
    return tmp_path


def first_port() -> int:
    """The first of eight free ports in a row."""
    for port in iter(find_free_port, None):
        if all(is_port_free(port + number) for number in range(PORTS)):
            return port
    raise AssertionError


@contextmanager
def up(home: Path, port: int, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    command = [COMMAND, "up", "--port", str(port), *arguments]
    with (home / "up.txt").open("w") as told:
        process = subprocess.Popen(command, cwd=home, stderr=told, text=True)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(DEADLINE)


def wait_for(condition: Callable[[], bool], process: "subprocess.Popen[str]", home: Path) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert process.poll() is None, (home / "up.txt").read_text("utf-8")
        assert time.monotonic() < deadline, (home / "up.txt").read_text("utf-8")
        time.sleep(0.05)


def provenfix(home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([COMMAND, *arguments], cwd=home, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("backing", "ending"), [("embedded", signal.SIGINT), ("emulators", signal.SIGTERM)], ids=["embedded", "emulators"]
)
def test_up_takes_a_log_to_a_proposal_and_leaves_nothing_running(
    home: Path, request: pytest.FixtureRequest, backing: str, ending: signal.Signals
) -> None:
    if backing == "emulators":
        request.getfixturevalue("emulators_installed")  # skips, or fails in CI, where there are none
    port = first_port()
    with up(home, port, *(["--embedded"] if backing == "embedded" else [])) as process:
        wait_for(lambda: RUNNING in (home / "up.txt").read_text("utf-8"), process, home)
        assert provenfix(home, "inject", "log.json").stderr == "26 log entries published\n"
        wait_for(lambda: " proposed " in provenfix(home, "show").stdout, process, home)
        listed = provenfix(home, "show").stdout.splitlines()
        [incident] = [line.split()[0] for line in listed if "SyntaxError" in line]
        told = provenfix(home, "show", incident).stdout.splitlines()
        assert told[0] == f"{incident}: proposed"
        assert [line.split()[1] for line in told[told.index("Timeline:") + 1 :]] == ["opened", "proposed"]
        assert provenfix(home, "dlq", "list").stdout == ""
        page = urlopen(f"http://{LOOPBACK}:{port + PORTS - 1}/incidents/{incident}", timeout=DEADLINE).read().decode()
        assert "Decision needed" in page
        assert "slack.signing_secret" in page  # none is set here: clicks cannot be signed
        process.send_signal(ending)
        assert process.wait(DEADLINE) == 128 + ending
    assert all(is_port_free(port + number) for number in range(PORTS))
    assert (home / ".provenfix" / "stack.json").exists() == (backing == "embedded")


def test_the_code_host_is_heard_where_its_secret_is_configured(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (home / "provenfix.yaml").open("a") as file:
        file.write("github:\n  token: {env: TOKEN}\n  webhook_secret: {env: HOOK}\n")
    monkeypatch.setenv("TOKEN", "t")
    monkeypatch.setenv("HOOK", "5eaf0am")
    port = first_port()
    body = b"{}"
    signed = {EVENT_HEADER: "ping", DELIVERY_HEADER: "0b0e7f0e-2222-4d4d-8c8c-aaaaaaaaaaaa"}
    signed[SIGNATURE_HEADER] = sign(body, Secret("5eaf0am"))
    with up(home, port, "--embedded") as process:
        wait_for(lambda: RUNNING in (home / "up.txt").read_text("utf-8"), process, home)
        [url] = re.findall(r"Webhooks of the code host go to (\S+)\.", (home / "up.txt").read_text("utf-8"))
        assert urlopen(Request(url, body, signed), timeout=DEADLINE).status == 204
        with pytest.raises(HTTPError, match="401") as refused:
            urlopen(Request(url, body, {**signed, SIGNATURE_HEADER: "sha256=" + "0" * 64}), timeout=DEADLINE)
        refused.value.close()


def test_a_port_that_is_taken_is_told_in_one_sentence(home: Path) -> None:
    with socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = provenfix(home, "up", "--embedded", "--port", str(port))
    assert ended.returncode == 3
    told = ended.stderr.splitlines()[-1]
    assert re.match(rf"provenfix: .*\b{port}\b.*\bdecide\b.* --port\b", told)


def test_two_stacks_do_not_share_a_folder(home: Path) -> None:
    folder = home / ".provenfix"
    commands = (
        ("up", "--embedded"),
        ("demo", "--no-browser", "--folder", str(folder)),
        ("watch", "--no-browser", "--config", "provenfix.yaml", "--log", "log.json"),
    )
    with lock_folder(folder):
        ended = [provenfix(home, *command) for command in commands]
    assert [each.returncode for each in ended] == [3, 3, 3]
    for each in ended:
        told = each.stderr.splitlines()[-1]
        assert re.match(r"provenfix: .*\.provenfix .* --folder\b", told)
    assert [file.name for file in folder.iterdir()] == ["held"]


def test_missing_java_is_told_with_what_to_install_and_how_to_do_without(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(home))
    ended = provenfix(home, "up")
    assert ended.returncode == 3
    [told] = ended.stderr.splitlines()
    assert re.match(r"provenfix: .*\bJava\b.*\bPATH\b", told)
    assert told.endswith("provenfix up --embedded")


def test_a_missing_configuration_is_told_before_anything_is_started(tmp_path: Path) -> None:
    ended = provenfix(tmp_path, "up", "--embedded")
    assert ended.returncode == 3
    assert len(ended.stderr.splitlines()) == 1
    assert "provenfix.yaml" in ended.stderr
    assert not (tmp_path / ".provenfix").exists()


def test_a_function_that_ends_ends_the_stack_in_one_sentence(home: Path) -> None:
    port = first_port()
    with up(home, port, "--embedded") as process:
        wait_for(lambda: RUNNING in (home / "up.txt").read_text("utf-8"), process, home)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("ascii").split()
        [verify] = [child for child in children if b"\0verify\0" in Path(f"/proc/{child}/cmdline").read_bytes()]
        os.kill(int(verify), signal.SIGTERM)
        assert process.wait(DEADLINE) == 3
    assert (home / "up.txt").read_text("utf-8").splitlines()[-1].startswith("provenfix: verify stopped: ")
    assert all(is_port_free(port + number) for number in range(PORTS))


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv: install util-linux 2.33 or newer")
def test_even_a_stack_that_is_killed_leaves_nothing_running(home: Path) -> None:
    port = first_port()
    with up(home, port, "--embedded") as process:
        wait_for(lambda: RUNNING in (home / "up.txt").read_text("utf-8"), process, home)
        assert not is_port_free(port)
        process.kill()
    deadline = time.monotonic() + DEADLINE
    while not all(is_port_free(port + number) for number in range(PORTS)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
