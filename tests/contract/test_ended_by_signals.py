"""A command that is ended by a signal, wherever it is, leaves no scratch directory and no child behind.

The signal is sent by the process to itself, at the n-th process that it starts: audit events tell where it is.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shared.adapters.git.repository import GitRepository
from tests.support.cli_runs import run_plumbing, write_broken_history, write_log
from tests.support.history_builder import running_python

pytestmark = pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc to find the children")

COMMAND = """
import os, sys
from functions.cli import command_line as cli

left = {nth}

def watch(event, _details):
    global left
    if event == "subprocess.Popen":
        left -= 1
        if left == 0:
            os.kill(os.getpid(), {number})
            {again}

sys.addaudithook(watch)
cli.main()
"""
CODES = {signal.SIGTERM: 143, signal.SIGINT: 130}


def children(session: int) -> list[str]:
    """The command lines of what still runs in a session."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(stat.with_name("cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


def end_at(nth: int, number: signal.Signals, folder: Path, arguments: list[str], again: str = "pass") -> int:
    """Runs the command until its n-th start of a process; what it leaves fails the test."""
    scratch = folder / "scratch"
    scratch.mkdir()
    code = COMMAND.format(nth=nth, number=int(number), again=again)
    environment = {**os.environ, "TMPDIR": str(scratch)}
    command = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert command.stderr is not None
    with command.stderr as stderr:
        said = stderr.read()
    ended = command.wait(60)
    deadline = time.monotonic() + 10
    while children(command.pid) and time.monotonic() < deadline:
        os.sched_yield()
    assert children(command.pid) == []
    assert list(scratch.iterdir()) == []
    assert b"Traceback" not in said
    return ended


@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("nth", range(1, 9))
def test_investigate_leaves_nothing(tmp_path: Path, nth: int, number: signal.Signals) -> None:
    story = write_broken_history(tmp_path / "repo.git")
    arguments = [
        "investigate",
        "--repo",
        str(story.path),
        "--log",
        str(write_log(tmp_path)),
        "--python",
        running_python(),
    ]
    assert end_at(nth, number, tmp_path, arguments) == CODES[number]


@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("nth", [1, 3, 4, 5])
def test_check_leaves_nothing(tmp_path: Path, nth: int, number: signal.Signals) -> None:
    story = write_broken_history(tmp_path / "repo.git")
    work_tree = tmp_path / "clone"
    run_plumbing(tmp_path, "clone", "--quiet", str(story.path), str(work_tree))
    ended = end_at(
        nth, number, tmp_path, ["check", "--repo", str(work_tree), "--ref", "HEAD", "--python", running_python()]
    )
    assert ended == CODES[number]


def test_a_second_signal_does_not_cut_the_first_short(tmp_path: Path) -> None:
    story = write_broken_history(tmp_path / "repo.git")
    arguments = [
        "investigate",
        "--repo",
        str(story.path),
        "--log",
        str(write_log(tmp_path)),
        "--python",
        running_python(),
    ]
    twice = f"os.kill(os.getpid(), {int(signal.SIGINT)})"
    assert end_at(5, signal.SIGINT, tmp_path, arguments, twice) == CODES[signal.SIGINT]


def test_what_a_killed_process_left_goes_with_the_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    story = write_broken_history(tmp_path / "repo.git")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    gone = subprocess.Popen([sys.executable, "-c", "pass"])
    gone.wait()
    orphan, ours, foreign = (tmp_path / f"provenfix-git-{each}-00" for each in (gone.pid, os.getpid(), "x"))
    for folder in (orphan, ours, foreign):
        folder.mkdir()
    with GitRepository(str(story.path)):
        assert not orphan.exists()
        assert ours.exists()
        assert foreign.exists()
