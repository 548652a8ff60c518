"""Ruff as explainer and as judge, and the choice between it and a real interpreter."""

import re
import sys
from pathlib import Path

import pytest

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.compilers.ruff import Ruff, RuffCompiler
from shared.errors import UsageError
from shared.proof.model.compilation import Compilation, Source, split_source_lines

BROKEN_FIELD = b"def stream(x):\n    yield f\"data: {dumps({\n        'a': x,\n    })}\\n\\n\"\n"


def explain(content: bytes, python: str = "3.11") -> list[tuple[int, str]]:
    (said,) = Ruff().explain([(Source("a.py", content), python)])
    return [(finding.line, finding.message) for finding in said.diagnostics]


def compiled(content: bytes, python: str) -> Compilation:
    return RuffCompiler(Ruff(), python).compile(Source("a.py", content))


def test_the_break_that_only_3_11_sees_is_explained() -> None:
    message = (
        "Cannot use line breaks in non-triple-quoted f-string replacement fields on Python 3.11 "
        "(syntax was added in Python 3.12)"
    )
    assert explain(BROKEN_FIELD) == [(2, message)]
    assert explain(BROKEN_FIELD, "3.12") == []


def test_every_broken_string_counts_once() -> None:
    broken = b"d = {}\n" + b"x = f'{d['a']} {d['b']}'\n" * 7
    assert [line for line, _ in explain(broken)] == [2, 3, 4, 5, 6, 7, 8]


def test_any_number_of_sources_and_versions_is_one_process() -> None:
    ruff = Ruff()
    sources = [Source("same.py", BROKEN_FIELD + b"#%d\n" % n) for n in range(30)]
    versions = [f"3.{minor}" for minor in range(7, 16)]
    said = ruff.explain([(source, python) for source in sources for python in versions])
    assert [bool(each.diagnostics) for each in said] == [int(python[2:]) < 12 for _ in sources for python in versions]
    assert ruff.processes_started == 1
    assert {each.checked_by for each in said} == {ruff.checked_by}
    assert ruff.checked_by.startswith("ruff-0.")


def test_nothing_asked_is_nothing_started() -> None:
    ruff = Ruff()
    assert ruff.explain([]) == []
    assert ruff.processes_started == 0


def test_comments_in_the_source_and_settings_around_it_do_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ruff.toml").write_text('exclude = ["*"]\n[lint]\nignore = ["ALL"]\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUFF_CONFIG", str(tmp_path / "ruff.toml"))
    assert [line for line, _ in explain(b"# ruff: noqa\nreturn 1  # noqa: F706\n")] == [2]


@pytest.mark.parametrize(
    ("content", "line", "error_class"),
    [
        (b"# coding: latin-1\nx = '\xe4'\ny = (]\n", 3, "SyntaxError"),
        (b"x = 1\r\ny = (]\r\n", 2, "SyntaxError"),
        (b"x = 1\ry = (]\r", 2, "SyntaxError"),
        (b"\xef\xbb\xbfx = (]\n", 1, "SyntaxError"),
        (b"# coding: nothing-like-it\n", 0, "SyntaxError"),
        (b"\xef\xbb\xbf# coding: latin-1\n", 0, "SyntaxError"),
        (b"x = 1\ny = '\xe4'\n", 2, "SyntaxError"),
        (b"x = 1\n\0", None, "SyntaxError"),
        (b"if 1:\n\tx = 1\n        y = 2\n", 3, "IndentationError"),
        (b"x = 1\n  y = 2\n", 2, "IndentationError"),
    ],
)
def test_a_fault_stands_where_cpython_sees_it(content: bytes, line: int | None, error_class: str) -> None:
    verdict = compiled(content, "3.12")
    assert verdict.fault is not None
    assert (verdict.compiles, verdict.fault.line, verdict.fault.error_class) == (False, line, error_class)


@pytest.mark.parametrize("content", [b"x = 1\n# \xe4\n", b"# coding: latin-1\nx = '\xe4'\n", b"\xef\xbb\xbfx = 1", b""])
def test_bytes_that_cpython_accepts_are_accepted(content: bytes) -> None:
    assert compiled(content, "3.11").compiles


def test_the_judge_asks_once_for_what_it_was_told_to_expect() -> None:
    ruff = Ruff()
    judge = RuffCompiler(ruff, "3.11")
    sources = [Source(f"{n}.py", BROKEN_FIELD + b"#%d\n" % (n // 2)) for n in range(20)]
    judge.prepare(sources)
    faults = [judge.compile(source).fault for source in sources]
    assert {fault and fault.line for fault in faults} == {2}
    assert {fault and fault.text for fault in faults} == {'    yield f"data: {dumps({'}
    assert ruff.processes_started == 1


def test_first_finding_is_the_fault_and_parser_errors_come_first() -> None:
    verdict = compiled(b"x = 1\nbreak\nreturn 1\n", "3.11")
    assert verdict.fault is not None
    assert verdict.fault.line == 2
    verdict = compiled(b"x = 1\nbreak\nreturn 1\nx = (]\n", "3.11")
    assert verdict.fault is not None
    assert verdict.fault.line == 4


def test_no_answer_in_time_is_no_verdict() -> None:
    judge = RuffCompiler(Ruff(seconds=-1000.0), "3.11")
    verdict = judge.compile(Source("a.py", b"x = 1\n"))
    assert verdict.compiles is None
    assert re.search(r" -\d{3,4}(?:\.\d)? s", verdict.unjudged_reason), "the time that it was given"


def test_a_real_interpreter_is_preferred_and_started_once() -> None:
    running = f"{sys.version_info[0]}.{sys.version_info[1]}"
    with LocalCompilers({running: sys.executable}) as compilers:
        first = compilers.compiler_for(running)
        assert first.checked_by.startswith(f"cpython-{running}.")
        assert compilers.compiler_for(running) is first
        assert first.compile(Source("a.py", b"x = 1\n")).compiles
        assert compilers.processes_started == 1


def test_ruff_stands_in_where_there_is_no_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setattr("shared.adapters.compilers.best_compilers.find_interpreter", lambda python, settings: None)  # noqa: ARG005
    with LocalCompilers() as compilers:
        judge = compilers.compiler_for("3.11")
        assert judge.checked_by == compilers.explainer().checked_by
        assert judge.python == "3.11"
        assert judge.compile(Source("a.py", BROKEN_FIELD)).compiles is False


@pytest.mark.parametrize("python", ["2.7", "4.0", "3.6", "3.99", "3", "", "3.11.7", "python3.11", "3.011"])
def test_a_version_that_cannot_be_judged_is_refused_with_a_sentence(python: str) -> None:
    with LocalCompilers() as compilers, pytest.raises(UsageError, match=r"^'.*\.$"):
        compilers.compiler_for(python)


def test_source_lines_are_counted_as_cpython_counts_them() -> None:
    assert split_source_lines(b"a\rb\r\nc\n\x0cd\x0b\x1ce\n") == ["a", "b", "c", "\x0cd\x0b\x1ce", ""]
    assert split_source_lines(b"# coding: latin-1\n\xe4")[1] == "ä"
    assert split_source_lines(b"\xef\xbb\xbfx") == ["x"]
    assert split_source_lines(b"# coding: rot13\n\xe4")[1] == "\ufffd"
    assert split_source_lines(b"# coding: nothing\nx")[1] == "x"
