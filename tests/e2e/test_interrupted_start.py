"""Ctrl-C ends a command with 130 and one line, also while it still imports what it needs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HOOK = """
import os, signal, sys

class Interrupting:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == {module!r}:
            sys.meta_path.remove(Interrupting)
            os.kill(os.getpid(), signal.SIGINT)
        return None

sys.meta_path.insert(0, Interrupting)
"""
MODULES = ["functions", "functions.cli.command_line", "typer", "shared.errors", "functions.cli.check"]
"""In the order in which the command asks for them; the last one when it runs already."""


@pytest.mark.parametrize("module", MODULES)
def test_interrupt_ends_the_command_during_any_import(tmp_path: Path, module: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(HOOK.format(module=module), "utf-8")
    command = [str(Path(sys.executable).with_name("provenfix")), "check", "--repo", str(tmp_path)]
    ended = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "provenfix: stopped\n")


def test_a_command_in_the_background_is_not_stopped(tmp_path: Path) -> None:
    """A shell lets what it starts with `&` ignore Ctrl-C."""
    (tmp_path / "sitecustomize.py").write_text(
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n" + HOOK.format(module="typer"), "utf-8"
    )
    command = [str(Path(sys.executable).with_name("provenfix")), "--help"]
    ended = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
