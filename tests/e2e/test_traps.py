"""No command runs the Python of the folder in which it is started, nor another package of its environment."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from functions.demo.build_repository import build_incident
from functions.demo.incident_log import write_incident_log
from functions.local.server_process import find_free_port
from tests.support.e2e.wheel import install_colliding_package, install_wheel, trap_module

MODULES = ("ast", "json", "typing", "sitecustomize", "usercustomize", "conftest", "gunicorn.conf", "ruff", "uvicorn")
PACKAGES = ("functions", "shared", "provenfix", "functions/local", "google", "flask")
SECONDS = 120
SERVICE = {
    "name": "harbour-chat",
    "project": "harbour-prod",
    "region": "europe-west1",
    "channel": "C0HARBOUR",
    "approvers": ["U0MIRA"],
}


class Trapped:
    """A folder in which a person works, and the programs of an environment into which the wheel was installed."""

    def __init__(self, home: Path, programs: Path, sprung: Path) -> None:
        self.home, self.programs, self.sprung = home, programs, sprung

    def names(self) -> list[str]:
        """What was executed since the last look."""
        found = sorted(set(self.sprung.read_text("utf-8").split())) if self.sprung.exists() else []
        self.sprung.unlink(missing_ok=True)
        return found

    @contextmanager
    def started(self, *arguments: str, stdin: int = subprocess.DEVNULL) -> Iterator["subprocess.Popen[str]"]:
        process = subprocess.Popen(
            [str(self.programs / "provenfix"), *arguments],
            cwd=self.home,
            env=_own_environment(),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=SECONDS)

    def ended(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        with self.started(*arguments) as process:
            out, told = process.communicate(timeout=SECONDS)
        return subprocess.CompletedProcess(arguments, process.returncode, out, told)


def _own_environment() -> dict[str, str]:
    """Of a person's shell; an empty part of PYTHONPATH would be this person's own wish."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PROVENFIX_"))}


@pytest.fixture(scope="module")
def trapped(tmp_path_factory: pytest.TempPathFactory) -> Trapped:
    folder = tmp_path_factory.mktemp("traps")
    home, sprung = folder / "home", folder / "sprung"
    programs = install_wheel(folder)
    install_colliding_package(programs, sprung)
    story = build_incident(home / "clone")
    write_incident_log(story, home / "log.json")
    for name in MODULES:
        (home / f"{name}.py").write_text(trap_module(sprung, f"{name}.py"), "utf-8")
    for name in PACKAGES:
        (home / name).mkdir(exist_ok=True)
        (home / name / "__init__.py").write_text(trap_module(sprung, name), "utf-8")
    (home / ".env").write_text("PROVENFIX_KILL_SWITCH=neither\nPYTHONPATH=.\n", "utf-8")
    (home / "pyproject.toml").write_text("[tool.ruff\nnot = toml", "utf-8")
    service = SERVICE | {"repository": str(story.path)}
    slack = {"signing_secret": {"env": "OWN_SIGNING_SECRET"}}
    # JSON is YAML.
    (home / "provenfix.yaml").write_text(json.dumps({"services": [service], "slack": slack}), "utf-8")
    return Trapped(home, programs, sprung)


def _until(process: "subprocess.Popen[str]", words: str) -> None:
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if words in line:
            return
    raise AssertionError(f"it ended without having said {words!r}: {said}")


def _interrupt(process: "subprocess.Popen[str]") -> int:
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=SECONDS)
    return process.returncode


def test_the_traps_spring_where_somebody_looks_into_the_folder(trapped: Trapped) -> None:
    python = str(trapped.programs / "python")
    for names in ("json, ast, typing, conftest, functions, shared", "shared, functions"):
        subprocess.run(
            [python, "-c", f"import {names}"],
            cwd=trapped.home,
            env=_own_environment(),
            capture_output=True,
            check=False,
        )
    assert {"ast.py", "json.py", "functions", "shared"} <= set(trapped.names())
    subprocess.run([python, "-P", "-c", "import shared"], env=_own_environment(), check=True)
    assert trapped.names() == ["site-packages/shared"]


def test_commands_that_read_run_nothing_of_it(trapped: Trapped) -> None:
    investigated = trapped.ended("investigate", "--repo", "clone", "--log", "log.json", "--format", "json")
    assert investigated.returncode == 0, investigated.stderr
    assert json.loads(investigated.stdout)[0]["decision"]["kind"] == "redeploy"
    checked = trapped.ended("check", "--repo", "clone", "--ref", "main", "--python", "3.11")
    assert checked.returncode == 0, checked.stderr
    assert trapped.names() == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("doctor", "--project", "harbour-prod", "--format", "json"), 1),
        (("stop",), 2),
        (("resume", "harbour-chat"), 2),
        (("stats",), 2),
        (("show",), 2),
        (("dlq", "list"), 2),
        (("inject", "log.json"), 2),
    ],
    ids=lambda each: each[0] if isinstance(each, tuple) else "",
)
def test_commands_that_ask_elsewhere_run_nothing_of_it(trapped: Trapped, arguments: tuple[str, ...], code: int) -> None:
    ended = trapped.ended(*arguments)
    assert ended.returncode == code, ended.stderr
    assert trapped.names() == []


def test_demo_runs_nothing_of_it(trapped: Trapped) -> None:
    ended = trapped.ended("demo", "--auto-approve", "--no-browser")
    assert ended.returncode == 0, ended.stderr
    assert trapped.names() == []


def test_up_runs_nothing_of_it(trapped: Trapped, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OWN_SIGNING_SECRET", "of this test alone")
    with trapped.started("up", "--embedded", "--port", str(find_free_port()), "--folder", "up") as process:
        _until(process, "Running. Watching")
        assert _interrupt(process) == 130
    assert trapped.names() == []


def test_watch_runs_nothing_of_it(trapped: Trapped) -> None:
    arguments = ("--config", "provenfix.yaml", "--log", "log.json", "--folder", "watch", "--no-browser")
    with trapped.started("watch", *arguments) as process:
        _until(process, "requested in the chat")
        assert _interrupt(process) == 130
    assert trapped.names() == []


def test_another_package_that_is_in_the_way_is_refused_in_one_sentence(trapped: Trapped, tmp_path: Path) -> None:
    """Here an import hook of another package comes before every folder."""
    (tmp_path / "shared.py").write_text(trap_module(trapped.sprung, "hooked"), "utf-8")
    hook = (
        "import sys, importlib.machinery as m\n"
        "class Hook:\n"
        "    @staticmethod\n"
        "    def find_spec(name, path=None, target=None):\n"
        f"        return m.PathFinder.find_spec(name, [{str(tmp_path)!r}]) if name == 'shared' else None\n"
        "sys.meta_path.insert(0, Hook)\n"
    )
    (tmp_path / "sitecustomize.py").write_text(hook, "utf-8")
    ended = subprocess.run(
        [str(trapped.programs / "provenfix"), "--help"],
        env={**_own_environment(), "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout, len(ended.stderr.splitlines())) == (2, "", 1), ended.stderr
    assert str(tmp_path / "shared.py") in ended.stderr
    assert trapped.names() == []


def test_a_compiler_looks_nowhere_either(trapped: Trapped, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interpreters of other versions know no -P: they are isolated, and stand elsewhere."""
    from shared.adapters.compilers.cpython import CPython  # noqa: PLC0415
    from shared.proof.model.compilation import Source  # noqa: PLC0415

    monkeypatch.chdir(trapped.home)
    monkeypatch.setenv("PYTHONPATH", str(trapped.home))
    with CPython(sys.executable) as compiler:
        assert compiler.compile(Source("a.py", b"x = 1\n")).compiles
    assert trapped.names() == []
