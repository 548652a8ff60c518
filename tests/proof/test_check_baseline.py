"""`provenfix check --baseline` on real repositories: what is newly broken, in which form, and how it ends."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from functions.cli.arguments import OutputFormat
from functions.cli.check import check
from shared.errors import UsageError
from tests.support.history_builder import running_python
from tests.support.sarif import list_faults

ROOT = Path(__file__).parents[2]
DOCKERFILE = "FROM python:3.11-slim\nWORKDIR /srv\nCOPY . .\nCMD uvicorn lock.main:app\n"
FILES = {
    "Dockerfile": DOCKERFILE,
    "lock/__init__.py": "",
    "lock/main.py": "from lock.gates import open_gate\n\napp = open_gate\n",
    "lock/gates.py": "def open_gate(name):\n    return name\n\n\ndef count():\n    return misspelt\n",
    "tools/report.py": "from lock.gates import nothing\n",
}


def git(repo: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.test", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(repo), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def write(repo: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = repo / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One commit, with a name that nobody defines and an import that no service loads."""
    root = tmp_path / "lock"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=main")
    write(root, FILES)
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--message=first")
    monkeypatch.chdir(root)
    return root


def run(repo: Path, capsys: pytest.CaptureFixture[str], rev: str | None = None, baseline: str = "HEAD") -> list[str]:
    """The alarms, as family and position; the exit code must tell of them."""
    code = check(repo=str(repo), baseline=baseline, rev=rev, python=running_python(), output=OutputFormat.JSON)
    found = json.loads(capsys.readouterr().out)
    assert code == int(bool(found["alarms"]))
    assert found["baseline"] == git(repo, "rev-parse", baseline)
    return [f"{alarm['family']} {alarm['path']}:{alarm['line']}" for alarm in found["alarms"]]


def test_what_was_broken_before_is_no_alarm(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(repo, capsys) == []
    write(repo, {"lock/gates.py": '"""Gates."""\n' + FILES["lock/gates.py"], "README.md": "Lock.\n"})
    assert run(repo, capsys) == []


def test_the_files_on_disk_are_judged(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(repo, {"lock/gates.py": FILES["lock/gates.py"].replace("open_gate", "lift_gate")})
    assert run(repo, capsys) == ["import_name lock/main.py:1"]
    assert run(repo, capsys, rev="HEAD") == []
    git(repo, "commit", "--quiet", "--all", "--message=rename")
    assert run(repo, capsys) == []
    assert run(repo, capsys, baseline="HEAD^") == ["import_name lock/main.py:1"]
    assert run(repo, capsys, rev="HEAD", baseline="HEAD^") == ["import_name lock/main.py:1"]
    (repo / "lock/gates.py").unlink()
    assert run(repo, capsys) == ["module lock/main.py:1"]


def test_what_no_service_loads_is_no_alarm(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(repo, {"tools/report.py": "import lock.nowhere\nmisspelt\n"})
    assert run(repo, capsys) == []
    assert check(repo=str(repo), baseline="HEAD", start=["tools/report.py"], python=running_python()) == 1


def test_text_names_line_error_and_reason(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(repo, {"lock/main.py": FILES["lock/main.py"].replace("app = open_gate", "app = opn_gate")})
    assert check(repo=str(repo), baseline="HEAD") == 1
    said = capsys.readouterr()
    assert said.out.startswith("lock/main.py:3: NameError: name 'opn_gate' is not defined\n    ")
    assert "Dockerfile line 4" in said.err


def test_sarif_keeps_to_its_schema(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = {"lock/main.py": "def broken(:\n", "lock/gate space.py": "", "lock/gates.py": "x = 1\n"}
    write(repo, broken)
    assert check(repo=str(repo), baseline="HEAD", output=OutputFormat.SARIF) == 1
    log = json.loads(capsys.readouterr().out)
    assert list(list_faults(log)) == []
    [run] = log["runs"]
    [result] = run["results"]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "syntax"
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "lock/main.py"
    assert list(list_faults({**log, "version": "2.0.0", "other": 1})) != []


def test_options_that_belong_together(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for options in ({"staged": True}, {"ref": "HEAD"}, {"paths": ["lock"]}, {"start": ["lock/nothing.py"]}):
        with pytest.raises(UsageError):
            check(repo=str(repo), baseline="HEAD", **options)
    with pytest.raises(UsageError):
        check(repo=str(repo), rev="HEAD")
    git(repo, "rm", "--quiet", "-r", "Dockerfile", "lock")
    with pytest.raises(UsageError):
        check(repo=str(repo), baseline="HEAD")
    assert capsys.readouterr().out == ""


def test_the_action_runs_the_check(repo: Path, tmp_path: Path) -> None:
    """Its steps' own shell text, with a `provenfix` that is installed already."""
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    assert action["runs"]["using"] == "composite"
    install, step = action["runs"]["steps"]
    assert all(part["shell"] == "bash" for part in (install, step))
    assert {name for name in action["inputs"] if f"inputs.{name}" not in json.dumps(step["env"])} == set()
    subprocess.run(["bash", "-n", "-c", install["run"]], check=True)
    programs = tmp_path / "provenfix" / "bin"
    programs.mkdir(parents=True)
    program = programs / "provenfix"
    code = "from functions.cli.command_line import main; main()"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{code}" "$@"\n')
    program.chmod(0o755)
    write(repo, {"lock/gates.py": FILES["lock/gates.py"].replace("open_gate", "lift_gate")})
    inputs = {name: str(value["default"]) for name, value in action["inputs"].items()}
    environment = {name.upper(): value for name, value in inputs.items()} | {"RUNNER_TEMP": str(tmp_path)}
    environment |= {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHON": running_python()}

    def run_step(**given: str) -> subprocess.CompletedProcess[str]:
        command = ["bash", "--noprofile", "--norc", "-c", step["run"]]
        return subprocess.run(
            command, cwd=repo, env={**environment, **given}, capture_output=True, text=True, check=False
        )

    failed = run_step(BASELINE="HEAD", START="lock/main.py\n", OUTPUT=str(tmp_path / "out.sarif"), FORMAT="sarif")
    assert failed.returncode == 1, failed.stderr
    assert list(list_faults(json.loads((tmp_path / "out.sarif").read_text()))) == []
    assert run_step(BASELINE="0" * 40).returncode == 0
    git(repo, "checkout", "--quiet", ".")
    assert run_step(BASELINE="HEAD").returncode == 0
