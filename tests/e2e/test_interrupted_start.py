"""Ctrl-C ends a command with 130 and one line, also while it still imports what it needs."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

HOOK = """
import os, signal, sys

waiting = [("/{path}.py", "/{path}/__init__.py")]

def interrupt(event, arguments):
    if event == "exec" and waiting and arguments[0].co_filename.endswith(waiting[0]):
        waiting.clear()
        os.kill(os.getpid(), signal.SIGINT)

sys.addaudithook(interrupt)
"""
"""Interrupts when a module begins to run: one that waits for its first use is found long before."""
MODULES = ["functions", "functions.cli.command_line", "typer", "shared.errors", "functions.cli.check"]
"""In the order in which the command asks for them; the last one when it runs already."""


@pytest.mark.parametrize("module", MODULES)
def test_interrupt_ends_the_command_during_any_import(tmp_path: Path, module: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(HOOK.format(path=module.replace(".", "/")), "utf-8")
    command = [str(Path(sys.executable).with_name("provenfix")), "check", "--repo", str(tmp_path)]
    ended = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "provenfix: stopped\n")


def test_ctrl_c_is_answered_at_once_on_a_terminal(tmp_path: Path) -> None:
    """What is to be ended may take seconds: the answer comes before it. A file or a pipe gets the last line alone."""
    (tmp_path / "sitecustomize.py").write_text(HOOK.format(path=MODULES[-1].replace(".", "/")), "utf-8")
    command = [str(Path(sys.executable).with_name("provenfix")), "check", "--repo", str(tmp_path)]
    screen, terminal = pty.openpty()
    process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(tmp_path)}, stderr=terminal)
    assert process.wait(60) == 130
    os.close(terminal)
    said = os.read(screen, 4096).decode().split("\r\n")
    os.close(screen)
    assert said == ["", "Stopping...", "provenfix: stopped", ""]


def test_a_command_in_the_background_is_not_stopped(tmp_path: Path) -> None:
    """A shell lets what it starts with `&` ignore Ctrl-C."""
    (tmp_path / "sitecustomize.py").write_text(
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n" + HOOK.format(path="typer"), "utf-8"
    )
    command = [str(Path(sys.executable).with_name("provenfix")), "--help"]
    ended = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
