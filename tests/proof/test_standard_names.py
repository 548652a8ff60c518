"""What Python's own library has depends on the version: names and histories in, verdicts, breaks and fixes out."""

import importlib
from pathlib import Path

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from shared.detection.entry import LogEntry
from shared.detection.incident import Incident
from shared.detection.logged_exception import Frame, LoggedException
from shared.detection.raised_exception import RaisedException
from shared.detection.signal import SignalKind
from shared.proof.claims.source.standard_names import StandardName, StandardNames
from shared.proof.model.finding import Finding, PythonChange
from shared.proof.model.recommendation import ActionKind
from shared.proof.proof_context import ProofRequest
from shared.proof.prove import prove
from tests.support.history_builder import HistoryBuilder, running_python

SELF = ("ImportError", "cannot import name 'Self' from 'typing' (/usr/local/lib/python3.10/typing.py)")
SELF_LINE = "from typing import Self"
PLAIN = "berths = ()\n"


def _dockerfile(python: str) -> str:
    return f"FROM python:{python}-slim\nWORKDIR /app\nCOPY . .\nCMD python main.py\n"


def _start(history: HistoryBuilder, python: str, source: str = PLAIN) -> None:
    history.commit("start", {"Dockerfile": _dockerfile(python), "main.py": "import quay\n", "quay.py": source})


def _prove(history: HistoryBuilder, deployed: str, error: tuple[str, str], line: str, python: str = "3.10") -> Finding:
    """The finding of a start that failed on the first line of quay.py, with the deployed commit given."""
    history.write_repository()
    seen_at = history.committed_at(deployed)
    entry = LogEntry(0, f'File "/usr/local/lib/python{python}/x.py"\n{error[0]}: {error[1]}', seen_at, revision="r1")
    exception = LoggedException(*error, (Frame("/app/quay.py", 1, "<module>", line),))
    incident = Incident(
        "0" * 16, SignalKind.FAILED_START, "desk", "test", "", "", (), (), seen_at, seen_at, 1, dated=True,
        raised=RaisedException(exception, entry),
    )  # fmt: skip
    request = ProofRequest(fallback_python="3.10", deployed=history.ids[deployed])
    with GitRepository(str(history.path)) as repository, LocalCompilers() as compilers:
        return prove(incident, repository, compilers, request, lambda _: None)


def _name_result(history: HistoryBuilder, finding: Finding) -> tuple[str | None, ...]:
    """The names of what introduced the failure, of its fix, of the target, and of the rollback."""
    named = (finding.introduced, finding.fix, finding.target, finding.rollback)
    return tuple(history.name_of(part.commit.id) if part is not None else None for part in named)


@pytest.mark.parametrize(
    ("module", "name", "has_by_version"),
    [
        ("typing", "Self", {"3.10": False, "3.11": True}),
        ("datetime", "UTC", {"3.10": False, "3.11": True, "3.14": True}),
        ("asyncio", "timeout", {"3.10": False, "3.11": True}),
        ("collections", "Mapping", {"3.9": True, "3.10": False, "3.13": False}),
        ("inspect", "getargspec", {"3.10": True, "3.11": False}),
        ("importlib.metadata", "EntryPoint", {"3.9": None, "3.10": True}),
        ("pydantic", "BaseModel", {"3.11": None}),
        ("typing", "Self; import os", {"3.11": None}),
        ("socket", "CAN_RAW_ERR_FILTER", {"3.12": None}),
    ],
)
def test_the_stubs_tell_the_versions_that_have_a_name(
    compilers: LocalCompilers, module: str, name: str, has_by_version: dict[str, bool | None]
) -> None:
    names = StandardNames(compilers.type_checker())
    answers = {python: names.has_name(StandardName(module, name), python) for python in has_by_version}
    assert answers == has_by_version


@pytest.mark.parametrize("module", ["asyncio", "datetime", "enum", "inspect", "typing"])
def test_what_the_stubs_have_the_running_interpreter_has(compilers: LocalCompilers, module: str) -> None:
    names = StandardNames(compilers.type_checker())
    real = importlib.import_module(module)
    public = [name for name in getattr(real, "__all__", dir(real)) if not name.startswith("_")][::12]
    asked = [*public, "no_such_name", "Self", "UTC", "timeout", "StrEnum", "getargspec"]
    for name in asked:
        answer = names.has_name(StandardName(module, name), running_python())
        assert answer is None or answer == hasattr(real, name), name


def test_a_submodule_is_no_attribute_before_it_is_imported(compilers: LocalCompilers) -> None:
    names = StandardNames(compilers.type_checker())
    assert names.has_name(StandardName("concurrent", "futures"), "3.11") is True
    assert names.has_name(StandardName("concurrent", "futures", is_attribute=True), "3.11") is not True


def test_a_name_that_no_stubs_have_says_nothing_of_another_version(compilers: LocalCompilers) -> None:
    names = StandardNames(compilers.type_checker())
    asked = StandardName("typing", "NoSuchName")
    assert [names.fails_so(asked, "3.11", python) for python in ("3.11", "3.10", "3.12")] == [True, None, None]
    assert names.fails_so(StandardName("typing", "Self"), "3.12", "3.12") is None  # the log contradicts the stubs


def test_an_image_with_a_newer_python_fixes_an_import(tmp_path: Path) -> None:
    history = HistoryBuilder(tmp_path / "repo")
    _start(history, "3.10")
    history.commit("import", {"quay.py": f"{SELF_LINE}\n{PLAIN}"})
    history.commit("another line", {"Dockerfile": _dockerfile("3.10") + "# kept\n"})
    history.commit("newer image", {"Dockerfile": _dockerfile("3.11")})
    history.commit("later", {"notes.txt": "x"})
    finding = _prove(history, "import", SELF, SELF_LINE)
    assert _name_result(history, finding) == ("import", "newer image", "later", None)
    assert finding.claim is not None
    assert "Dockerfile, line 1: FROM python:3.11-slim" in finding.claim.fixed_reason
    assert not finding.claim.is_witnessed_by_log


def test_an_image_with_an_older_python_breaks_an_import(tmp_path: Path) -> None:
    history = HistoryBuilder(tmp_path / "repo")
    _start(history, "3.12", f"{SELF_LINE}\n{PLAIN}")
    history.commit("notes", {"notes.txt": "x"})
    history.commit("older image", {"Dockerfile": _dockerfile("3.10")})
    finding = _prove(history, "older image", SELF, SELF_LINE)
    assert _name_result(history, finding) == ("older image", None, None, "notes")
    assert finding.introduced is not None
    expected = PythonChange("3.12", "3.10", "Dockerfile, line 1: FROM python:3.10-slim")
    assert finding.introduced.python_change == expected
    assert finding.recommendation.kind is ActionKind.ROLLBACK


def test_a_newer_image_without_what_was_removed_is_the_break(tmp_path: Path) -> None:
    history = HistoryBuilder(tmp_path / "repo")
    line = "from collections import Mapping"
    _start(history, "3.9", f"{line}\n{PLAIN}")
    history.commit("newer image", {"Dockerfile": _dockerfile("3.10")})
    history.commit("fix", {"quay.py": f"from collections.abc import Mapping\n{PLAIN}"})
    error = ("ImportError", "cannot import name 'Mapping' from 'collections' (/usr/local/lib/python3.10/x.py)")
    finding = _prove(history, "newer image", error, line)
    assert _name_result(history, finding) == ("newer image", "fix", "fix", None)


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("import tomllib", ("ModuleNotFoundError", "No module named 'tomllib'")),
        ("import enum; enum.StrEnum", ("AttributeError", "module 'enum' has no attribute 'StrEnum'")),
    ],
)
def test_modules_and_attributes_follow_the_image(tmp_path: Path, line: str, error: tuple[str, str]) -> None:
    history = HistoryBuilder(tmp_path / "repo")
    _start(history, "3.10")
    history.commit("use", {"quay.py": f"{line}\n{PLAIN}"})
    history.commit("newer image", {"Dockerfile": _dockerfile("3.11")})
    finding = _prove(history, "use", error, line)
    assert _name_result(history, finding) == ("use", "newer image", "newer image", None)


def test_files_that_do_not_name_what_ran_decide_nothing_of_another_image(tmp_path: Path) -> None:
    """The log is of 3.10, the Dockerfile says 3.11: which Python the next image has is not known."""
    history = HistoryBuilder(tmp_path / "repo")
    _start(history, "3.11")
    history.commit("import", {"quay.py": f"{SELF_LINE}\n{PLAIN}"})
    history.commit("newer image", {"Dockerfile": _dockerfile("3.12")})
    finding = _prove(history, "import", SELF, SELF_LINE)
    assert finding.fix is None


def test_a_module_of_the_repository_hides_the_library(tmp_path: Path) -> None:
    history = HistoryBuilder(tmp_path / "repo")
    _start(history, "3.10")
    history.commit("import", {"quay.py": f"import enum\nfrom enum import StrEnum\n{PLAIN}", "enum.py": "x = 1\n"})
    history.commit("newer image", {"Dockerfile": _dockerfile("3.11")})
    error = ("ImportError", "cannot import name 'StrEnum' from 'enum' (/app/enum.py)")
    finding = _prove(history, "import", error, "import enum")
    assert finding.fix is None
