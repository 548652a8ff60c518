"""`provenfix demo`, end to end: what it prints, and that it leaves nothing behind however it ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-c", "from functions.local.cli import main; main()", "demo"]
SECONDS = 90
"""The most that a run may take before the test gives up."""


def start(temporary: Path) -> "subprocess.Popen[str]":
    """In a process group of its own, so that whatever it leaves behind can be seen."""
    environment = os.environ | {"TMPDIR": str(temporary), "COLUMNS": "100", "NO_COLOR": "1"}
    return subprocess.Popen(
        COMMAND,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def assert_nothing_is_left(process: "subprocess.Popen[str]", temporary: Path) -> None:
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    assert list(temporary.iterdir()) == []


def test_the_demo_breaks_a_service_and_proves_the_fix(tmp_path: Path) -> None:
    process = start(tmp_path)
    report, progress = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, progress
    assert progress.count("closed with 1011 (internal error)") == 2
    assert "1 message received, then closed with 1000" in progress
    told = report.lower()
    assert "redeploy" in told
    assert "agents_execute.py" in told
    assert "676" in told
    assert "fix: resolve" in told
    assert "provenfix investigate --repo . --log log.json" in report
    assert_nothing_is_left(process, tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_stopped_while_it_serves_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    process = start(tmp_path)
    assert process.stderr is not None
    while "Serving the commit" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(number)
    _, said = process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert_nothing_is_left(process, tmp_path)


def test_without_git_the_demo_says_so_and_ends_with_3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    process = start(tmp_path)
    _, said = process.communicate(timeout=SECONDS)
    assert process.returncode == 3
    assert said.splitlines()[-1].startswith("provenfix: git was not found on PATH")
    assert_nothing_is_left(process, tmp_path)
