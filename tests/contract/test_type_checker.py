"""ty behind `TypeChecker`: what it reports, what must not reach it, and what happens where it gives no answer."""

import importlib.util
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from shared.adapters.checkers.ty_checker import TyChecker
from shared.proof.model.checker_report import CheckerReport, CheckerRule

MODELS = (
    b"class User:\n    name: str = ''\n\n\ndef find(key: str) -> User | None: ...\ndef count(a, b=1) -> int: return 1\n"
)
PACKAGE = {"app/__init__.py": b"", "app/models.py": MODELS}


@pytest.fixture
def checker() -> Iterator[TyChecker]:
    with TyChecker() as opened:
        yield opened


def check(checker: TyChecker, text: str, files: Mapping[str, bytes] = PACKAGE) -> CheckerReport:
    return checker.check({**files, "app/main.py": text.encode()}, "3.11", ["."], ["app/main.py"])


def list_reported(report: CheckerReport) -> list[tuple[int, CheckerRule, str, str]]:
    assert not report.failure_reason
    return [(entry.line, entry.rule, entry.name, entry.subject) for entry in report.diagnostics]


STATEMENTS = [
    ("import app.gone", CheckerRule.MODULE, "app.gone", ""),
    ("import requests", CheckerRule.MODULE, "requests", ""),
    ("from app.models import Gone", CheckerRule.MODULE_MEMBER, "Gone", "app.models"),
    ("gone", CheckerRule.NAME, "gone", ""),
    ("models.gone", CheckerRule.ATTRIBUTE, "gone", "app.models"),
    ("models.User().gone", CheckerRule.ATTRIBUTE, "gone", "User"),
    ("models.User.gone", CheckerRule.ATTRIBUTE, "gone", "User"),
    ("None.gone", CheckerRule.ATTRIBUTE, "gone", "None"),
    ("models.find('a').name", CheckerRule.UNION_ATTRIBUTE, "name", "None"),
    ("models.count()", CheckerRule.CALL, "a", "count"),
    ("models.count(1, c=2)", CheckerRule.CALL, "c", "count"),
    ("models.count(1, 2, 3)", CheckerRule.CALL, "", "count"),
    ("models.count(1)()", CheckerRule.NOT_CALLABLE, "", "int"),
    ("models.count(1)[0]", CheckerRule.NOT_SUBSCRIPTABLE, "", "int"),
    ("[*models.count(1)]", CheckerRule.NOT_ITERABLE, "", "int"),
    ("reveal_type(models.count(1))", CheckerRule.REVEALED, "", "int"),
]


def test_a_failure_of_each_family_is_reported_on_its_line(checker: TyChecker) -> None:
    report = check(checker, "\n".join(["from app import models", *(row[0] for row in STATEMENTS)]))
    assert list_reported(report) == [(line, *row[1:]) for line, row in enumerate(STATEMENTS, 2)]
    assert report.judged_paths == {"app/main.py"}
    assert report.checked_by == checker.checked_by
    assert checker.checked_by.startswith("ty-0.")


def test_an_await_of_what_cannot_be_awaited(checker: TyChecker) -> None:
    report = check(checker, "from app.models import count\nasync def run():\n    await count(1)\n")
    assert list_reported(report) == [(3, CheckerRule.NOT_AWAITABLE, "", "int")]


def test_no_settings_reach_it(checker: TyChecker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = b"[rules]\nall = 'ignore'\n"
    (tmp_path / "ty").mkdir()
    (tmp_path / "ty" / "ty.toml").write_bytes(silent)
    for variable in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setenv("TY_CONFIG_FILE", str(tmp_path / "ty" / "ty.toml"))
    settings = dict.fromkeys(("ty.toml", "app/ty.toml", ".config/ty/ty.toml"), silent)
    settings["pyproject.toml"] = b"[tool.ty.rules]\nall = 'ignore'\n[tool.ty.src]\nexclude = ['app']\n"
    settings[".gitignore"] = b"*\n"
    report = check(checker, "gone\n", {**PACKAGE, **settings})
    assert list_reported(report) == [(1, CheckerRule.NAME, "gone", "")]
    assert checker.files_written == 3


def test_settings_in_a_folder_above_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.ty.rules]\nall = 'ignore'\n", encoding="utf-8")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with TyChecker() as checker:
        assert list_reported(check(checker, "gone\n")) == [(1, CheckerRule.NAME, "gone", "")]
        assert os.listdir(tmp_path) != ["pyproject.toml"]  # noqa: PTH208
    assert os.listdir(tmp_path) == ["pyproject.toml"]  # noqa: PTH208


@pytest.mark.parametrize(
    "comment", ["# type: ignore", "# ty: ignore", "# ty:ignore[unresolved-reference]", "#  type:  ignore[x]"]
)
def test_no_comment_silences_it(checker: TyChecker, comment: str) -> None:
    assert list_reported(check(checker, f"x = 1\ngone  {comment}\n")) == [(2, CheckerRule.NAME, "gone", "")]


def test_a_file_that_is_silenced_as_a_whole_is_judged_all_the_same(checker: TyChecker) -> None:
    assert list_reported(check(checker, "# type: ignore\n# ty: ignore\ngone\n")) == [(3, CheckerRule.NAME, "gone", "")]


def test_a_stub_beside_a_module_is_not_read_as_python_reads_none(checker: TyChecker) -> None:
    stub = {"app/models.pyi": b"only_in_stub: int\n"}
    report = check(checker, "from app.models import only_in_stub\n", {**PACKAGE, **stub})
    assert list_reported(report) == [(1, CheckerRule.MODULE_MEMBER, "only_in_stub", "app.models")]


def test_what_is_installed_beside_this_program_is_not_there(checker: TyChecker) -> None:
    assert importlib.util.find_spec("requests")
    assert list_reported(check(checker, "import requests\nrequests.gone\n")) == [
        (1, CheckerRule.MODULE, "requests", "")
    ]


def test_a_root_below_the_top_counts_and_comes_first(checker: TyChecker) -> None:
    files = {"src/lib.py": b"there = 1\n", "lib.py": b"elsewhere = 1\n", "src/main.py": b"from lib import there\n"}
    assert list_reported(checker.check(files, "3.11", ["src", "."], ["src/main.py"])) == []
    reported = checker.check(files, "3.11", [".", "src"], ["src/main.py"])
    assert [entry.rule for entry in reported.diagnostics] == [CheckerRule.MODULE_MEMBER]


def test_the_python_of_the_image_decides(checker: TyChecker) -> None:
    files = {"main.py": b"import tomllib\n"}
    assert [bool(checker.check(files, python, ["."], ["main.py"]).diagnostics) for python in ("3.10", "3.11")] == [
        True,
        False,
    ]


def test_from_commit_to_commit_only_what_differs_is_written(checker: TyChecker) -> None:
    check(checker, "import app.models\n")
    assert checker.files_written == 3
    check(checker, "import app.models\napp.models.User\n")
    assert checker.files_written == 4
    gone = {"app/__init__.py": b""}
    assert [entry.rule for entry in check(checker, "import app.models\n", gone).diagnostics] == [CheckerRule.MODULE]
    assert checker.files_written == 5
    assert checker.processes_started == 3


def test_a_folder_that_is_empty_now_is_no_package_any_more(checker: TyChecker) -> None:
    files = {"main.py": b"import old\n"}
    assert not checker.check({**files, "old/a.py": b""}, "3.11", ["."], ["main.py"]).diagnostics
    assert checker.check(files, "3.11", ["."], ["main.py"]).diagnostics


@pytest.mark.parametrize(
    "path", ["../out.py", "/tmp/out.py", "a/../../out.py", "a\0.py", "a//b.py", "./x.py", "a\n.py", "x" * 401 + ".py"]
)
def test_no_path_leads_out_of_the_scratch_folder(checker: TyChecker, path: str) -> None:
    report = checker.check({path: b"gone\n", "main.py": b"gone\n"}, "3.11", ["..", "/"], [path, "main.py"])
    assert report.judged_paths == {"main.py"}
    assert checker.files_written == 1


def test_a_file_that_does_not_compile_is_not_judged(checker: TyChecker) -> None:
    files = {"bad.py": b"def f(:\n", "good.py": b"gone\n", "latin.py": b"# coding: latin-1\nx = '\xe9'\n"}
    report = checker.check(files, "3.11", ["."], ["bad.py", "good.py", "latin.py", "absent.py"])
    assert report.judged_paths == {"good.py"}


@pytest.mark.parametrize("python", ["2.7", "3.6", "", "unknown", "3.99"])
def test_a_python_that_it_does_not_know_gives_no_verdict(checker: TyChecker, python: str) -> None:
    report = checker.check({"main.py": b"gone\n"}, python, ["."], ["main.py"])
    assert report.failure_reason
    assert not report.diagnostics
    assert not report.judged_paths
    assert checker.processes_started == 0


def write_program(folder: Path, script: str) -> str:
    program = folder / "program"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize(
    "script",
    [
        "exit 101",
        "kill -SEGV $$",
        "echo nothing",
        "echo '{}'",
        "echo '[1]'",
        "echo '[{}]'",
        "sleep 60",
    ],
)
def test_a_program_that_gives_no_answer_gives_no_verdict(tmp_path: Path, script: str) -> None:
    program = write_program(tmp_path, script)
    with TyChecker(find_program=lambda: program, seconds=0.5) as checker:
        report = check(checker, "gone\n")
    assert report.failure_reason
    assert not report.judged_paths
    assert not report.diagnostics


@pytest.mark.parametrize("program", [None, "/nonexistent/ty"])
def test_where_it_is_not_installed_there_is_no_verdict(program: str | None) -> None:
    with TyChecker(find_program=lambda: program) as checker:
        report = check(checker, "gone\n")
    assert report.failure_reason
    assert not report.judged_paths


def test_too_little_memory_is_no_verdict_and_the_next_question_is_answered() -> None:
    with TyChecker(memory_limit=64 << 20) as checker:
        assert check(checker, "gone\n").failure_reason
    with TyChecker() as checker:
        assert not check(checker, "gone\n").failure_reason


def test_an_answer_without_end_is_cut_off(tmp_path: Path) -> None:
    program = write_program(tmp_path, "while echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; do :; done")
    with TyChecker(find_program=lambda: program, answer_limit=1 << 16) as checker:
        assert check(checker, "gone\n").failure_reason
