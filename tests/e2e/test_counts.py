"""What an answer costs, in counts and not in seconds: sources compiled, blobs read, processes started, modules loaded.

The repository is that of the bench, so that what an investigation needs can be derived from how it was written.
"""

import json
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from shared.adapters.compilers.cpython import CPython
from shared.adapters.git.objects import ObjectStore
from shared.proof.model.compilation import Compilation, Source
from tests.support.cli_runs import run_investigate, run_plumbing, write_log
from tests.support.generated_history import GeneratedHistory, generate_history
from tests.support.history_builder import running_python

COMMITS = 700
NOT_FOR_INVESTIGATE = {
    *("aiohttp", "anyio", "asyncio", "fastapi", "flask", "functions_framework", "google", "github", "grpc", "httpx"),
    *("http", "opentelemetry", "requests", "slack_sdk", "sqlite3", "starlette", "uvicorn", "websockets"),
}


@dataclass
class Counted:
    """What one run did."""

    compiled: Counter[str] = field(default_factory=Counter)
    """By blob id."""
    read: Counter[str] = field(default_factory=Counter)
    """Blobs only."""
    bytes_read: int = 0
    started: list[list[str]] = field(default_factory=list)


ONE_LINE_TELLS = sys.version_info < (3, 12)
"""Since 3.12 a line may begin inside an f-string, so that fewer versions are ruled out by their logged line alone."""


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """Counts from here to the end of the test."""
    counts = Counted()
    compile_, read, popen = CPython.compile, ObjectStore.read, subprocess.Popen
    known: dict[bytes, str] = {}

    def compiling(self: CPython, source: Source) -> Compilation:
        counts.compiled[known[source.content]] += 1
        return compile_(self, source)

    def reading(self: ObjectStore, oid: str) -> tuple[str, bytes] | None:
        got = read(self, oid)
        assert got is not None
        if got[0] == "blob":
            known[got[1]] = oid
            counts.read[oid] += 1
            counts.bytes_read += len(got[1])
        return got

    def starting(command: list[str], *arguments: Any, **options: Any) -> "subprocess.Popen[bytes]":
        counts.started.append(command)
        return popen(command, *arguments, **options)

    monkeypatch.setattr(CPython, "compile", compiling)
    monkeypatch.setattr(ObjectStore, "read", reading)
    monkeypatch.setattr(subprocess, "Popen", starting)
    return counts


@pytest.fixture(scope="module", params=[50, 500])
def generated(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> GeneratedHistory:
    """The same number of commits, ten times the number of versions."""
    return generate_history(tmp_path_factory.mktemp("generated") / "repository.git", COMMITS, request.param)


@pytest.fixture
def log(generated: GeneratedHistory, tmp_path: Path) -> Path:
    said = f"unterminated string literal (detected at line {generated.line})"
    return write_log(tmp_path, f"Uncaught exception: SyntaxError: {said} (engine.py, line {generated.line})\n")


def answer(generated: GeneratedHistory, log: Path, *more: str) -> str:
    """The deployed commit of an answer that is right: where many versions fail alike, the newest is inferred."""
    (report,) = run_investigate(generated.path, log, *more).reports
    found = [report[part]["commit"] for part in ("introduced", "fix", "target")]
    assert found == [generated.introduced, generated.fix, generated.head]
    assert generated.deployed in report["deployed"]["candidates"]
    return str(report["deployed"]["commit"])


def versions(generated: GeneratedHistory) -> list[str]:
    """The file's blobs, oldest first."""
    listed = run_plumbing(
        generated.path, "log", "--reverse", "--format=", "--raw", "--no-abbrev", "main", "--", generated.file
    )
    return [line.split()[3] for line in listed.splitlines()]


def from_good_to_fix(generated: GeneratedHistory) -> set[str]:
    """The version before the break, by which the break is known, to the one that fixes it."""
    blobs = versions(generated)
    first, last = (blobs.index(at(generated, commit)) for commit in (generated.introduced, generated.fix))
    return set(blobs[first - 1 : last + 1])


def at(generated: GeneratedHistory, commit: str) -> str:
    return run_plumbing(generated.path, "rev-parse", f"{commit}:{generated.file}")


def sources(generated: GeneratedHistory, commit: str) -> set[str]:
    """Every Python file of a commit: what else is broken as deployed, and whether the target breaks anything."""
    listed = run_plumbing(generated.path, "ls-tree", "-r", commit)
    return {line.split()[2] for line in listed.splitlines() if line.endswith(".py")}


def needed(generated: GeneratedHistory, deployed: str) -> set[str]:
    """Derived by hand from what an answer says: nothing less can prove it."""
    return from_good_to_fix(generated) | sources(generated, deployed) | sources(generated, generated.head)


def test_a_given_commit_costs_what_its_answer_needs_and_nothing_else(
    generated: GeneratedHistory, log: Path, counted: Counted
) -> None:
    deployed = answer(generated, log, "--deployed", generated.deployed)
    assert deployed == generated.deployed
    assert counted.compiled == dict.fromkeys(needed(generated, deployed), 1)
    assert set(counted.read) == needed(generated, deployed)


def test_an_inferred_commit_costs_no_more_compilations(
    generated: GeneratedHistory, log: Path, counted: Counted
) -> None:
    """Every version has to be read for its logged line; a line that cannot fail that way need not be compiled."""
    deployed = answer(generated, log)
    assert set(counted.compiled.values()) == {1}
    assert set(counted.read) == needed(generated, deployed) | set(versions(generated))
    assert needed(generated, deployed) <= set(counted.compiled) <= set(counted.read)
    if ONE_LINE_TELLS:
        assert set(counted.compiled) == needed(generated, deployed)


def test_no_blob_is_read_again_and_again(generated: GeneratedHistory, log: Path, counted: Counted) -> None:
    answer(generated, log)
    asked = "\n".join(counted.read).encode()
    sizes = run_plumbing(generated.path, "cat-file", "--batch-check=%(objectsize)", stdin=asked).splitlines()
    assert counted.bytes_read <= (2 if ONE_LINE_TELLS else 4) * sum(map(int, sizes))
    assert max(counted.read.values()) <= 8


def test_processes_do_not_grow_with_the_history(generated: GeneratedHistory, log: Path, counted: Counted) -> None:
    """Seven of git, one interpreter, ruff once.

    A walk more where the file's graph is not known from a search.
    """
    answer(generated, log)
    assert len(counted.started) == 9
    counted.started.clear()
    answer(generated, log, "--deployed", generated.deployed)
    assert len(counted.started) == 10


def test_a_log_without_an_incident_compiles_nothing(
    generated: GeneratedHistory, tmp_path: Path, counted: Counted
) -> None:
    assert run_investigate(generated.path, write_log(tmp_path, "[]")).reports == []
    assert (counted.compiled, counted.read) == ({}, {})
    assert len(counted.started) == 3


# -- modules ----------------------------------------------------------------------------------------------------------

LOADED = """
import json, sys
from shared.lazy_modules import is_waiting
def is_own_package(name, module):
    return name.startswith(("functions", "shared")) and hasattr(module, "__path__")
def ran():
    modules = [each for each in sys.modules.items() if each[0] not in before and not is_own_package(*each)]
    return sorted(name for name, module in modules if not is_waiting(module))
before = set(sys.modules)
from functions.cli.command_line import _run_command
imported = ran()
sys.argv = ["provenfix", *sys.argv[1:]]
code = _run_command()
print("\\n" + json.dumps([code, imported, ran()]))
"""


def loaded(*arguments: str) -> tuple[set[str], set[str]]:
    """Modules that ran by the import of the command, and by the end of it, beyond those of a bare interpreter.

    Without our own packages: binding a module runs the empty `__init__` of its folder.
    """
    ended = subprocess.run([sys.executable, "-c", LOADED, *arguments], capture_output=True, check=True, text=True)
    code, imported, ran = json.loads(ended.stdout.splitlines()[-1])
    assert code == 0, ended.stderr
    return set(imported), set(ran)


def packages(modules: set[str]) -> set[str]:
    """The outermost package of each."""
    return {name.partition(".")[0] for name in modules}


def test_the_command_loads_nothing_before_it_is_needed() -> None:
    imported, _ = loaded("--help")
    assert packages(imported) & (NOT_FOR_INVESTIGATE | {"rich", "jinja2", "ijson", "yaml", "ruff", "pathspec"}) == set()
    assert {name for name in imported if name.startswith("shared.")} <= {"shared.errors", "shared.lazy_modules"}


@pytest.mark.parametrize("output", ["json", "text", "markdown"])
def test_investigate_loads_no_web_cloud_page_or_server(generated: GeneratedHistory, log: Path, output: str) -> None:
    given = ["--repo", str(generated.path), "--log", str(log), "--python", running_python()]
    _, ran = loaded("investigate", *given, "--format", output, "--out", str(log.with_name("report")))
    assert packages(ran) & NOT_FOR_INVESTIGATE == set()
    assert not any(name.startswith(("functions.demo", "functions.local", "shared.adapters.google",
                                    "shared.adapters.slack", "shared.adapters.github")) for name in ran)  # fmt: skip
    if output == "json":
        assert packages(ran) & {"jinja2", "rich", "markdown_it"} == set()
    if output == "text":
        assert "jinja2" not in packages(ran)


def test_check_loads_no_web_cloud_page_or_server(generated: GeneratedHistory) -> None:
    _, ran = loaded("check", "--repo", str(generated.path), "--python", running_python())
    assert packages(ran) & (NOT_FOR_INVESTIGATE | {"jinja2", "rich", "ijson"}) == set()
