"""What a newcomer starts with: the Makefile, the module, the example service; each says what to do next."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli_runs import run_provenfix

ROOT = Path(__file__).parents[2]
_OLD_PYTHON = '#!/bin/sh\ncase "$1" in --version) echo Python 3.9.2;; *) exit 1;; esac\n'


def run_make(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    if shutil.which("make") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("make is not installed")
        pytest.skip("make is not installed")
    for name in ("Makefile", "requirements-dev.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("target", ["install", "demo"])
def test_make_looks_at_python_first_and_says_what_to_install(tmp_path: Path, target: str) -> None:
    old = tmp_path / "python3.9"
    old.write_text(_OLD_PYTHON, "utf-8")
    old.chmod(0o755)
    ended = run_make(tmp_path, target, f"PYTHON={old}")
    assert ended.returncode == 2
    assert [
        part for part in ("3.11", "3.9.2", "apt install", f"make {target} PYTHON=") if part not in ended.stderr
    ] == []
    assert not (tmp_path / ".venv").exists()


def test_make_install_names_its_steps_and_lets_pip_show_what_it_does(tmp_path: Path) -> None:
    lines = run_make(tmp_path, "--dry-run", "install", f"PYTHON={sys.executable}").stdout.splitlines()
    assert [step for step in ("1/3", "2/3", "3/3") if not any(step in line for line in lines)] == []
    [packages] = [line for line in lines if "--require-hashes" in line]
    assert "--quiet" not in packages


def test_the_module_is_the_command() -> None:
    command = [sys.executable, "-m", "provenfix", "--version"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout == run_provenfix("--version").out


def test_the_example_service_is_written_out_with_ci_and_log_and_can_be_investigated(tmp_path: Path) -> None:
    folder = tmp_path / "example"
    assert run_provenfix("demo", "--export", str(folder)).exit_code == 0
    assert (folder / "service/.github/workflows/ci.yml").is_file()
    ended = run_provenfix("investigate", "--repo", str(folder / "service"), "--log", str(folder / "log.json"))
    assert ended.exit_code == 0
    assert "fix_merged_not_deployed" in ended.out
