"""The interpreter behind the pipe: limits, deaths, hostile paths and sources; and which interpreter is found."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.adapters.compilers import cpython
from shared.adapters.compilers.cpython import CPython
from shared.adapters.compilers.interpreters import find_interpreter, list_candidates
from shared.adapters.compilers.pipe import InterpreterError
from shared.proof.model.compilation import Source
from tests.support.fake_interpreter import write_fake_interpreter, write_program

RUNNING = f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture
def running() -> Iterator[CPython]:
    with CPython(sys.executable) as compiler:
        yield compiler


def test_it_says_who_it_is(running: CPython) -> None:
    assert running.python == RUNNING
    assert running.checked_by == f"cpython-{RUNNING}.{sys.version_info[2]}"
    assert running.processes_started == 1


def test_nothing_is_started_before_it_is_needed() -> None:
    compiler = CPython(sys.executable)
    assert compiler.processes_started == 0
    compiler.close()


def test_many_sources_cost_one_process(running: CPython) -> None:
    verdicts = [running.compile(Source(f"{n}.py", b"x = (" if n % 2 else b"x = 1")).compiles for n in range(200)]
    assert verdicts == [True, False] * 100
    assert (running.processes_started, running.sources_compiled) == (1, 200)


@pytest.mark.parametrize("path", ["a\nb.py", "a\0b.py", "\ud800.py", "ä.py", "-c", "", "a" * 100_000])
def test_no_path_breaks_the_protocol(running: CPython, path: str) -> None:
    fault = running.compile(Source(path, b"x = (\n")).fault
    assert fault is not None
    assert fault.line == 1
    assert running.compile(Source(path, b"x = 1\n")).compiles


def test_the_file_of_that_name_is_never_opened(running: CPython, tmp_path: Path) -> None:
    secret = tmp_path / "secret.py"
    secret.write_text("the file on disk\n" * 3)
    fault = running.compile(Source(str(secret), b"x = 1\ndef f(a, a): pass\n")).fault
    assert fault is not None
    assert fault.text == "def f(a, a): pass"


def test_nothing_of_a_source_runs(running: CPython, tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    source = f"import pathlib\npathlib.Path({str(witness)!r}).write_text('ran')\nprint('ran')\n"
    assert running.compile(Source("a.py", source.encode())).compiles
    assert not witness.exists()


def test_warnings_and_escapes_do_not_reach_the_answers(running: CPython) -> None:
    assert running.compile(Source("a.py", b"x = '\\d'\nassert (x, 1)\nx is 1\n")).compiles


def test_a_source_larger_than_any_pipe_gets_its_verdict(running: CPython) -> None:
    fault = running.compile(Source("a.py", b"#" * 5_000_000 + b"\nx = (]\n")).fault
    assert fault is not None
    assert fault.line == 2


def test_a_long_line_is_quoted_in_part(running: CPython) -> None:
    fault = running.compile(Source("a.py", b"x = [" + b"1, " * 100_000 + b")\n")).fault
    assert fault is not None
    assert len(fault.text) == 4096


def test_environment_variables_for_python_do_not_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    with CPython(sys.executable) as compiler:
        assert compiler.compile(Source("a.py", b"x = '\\d'\n")).compiles


def test_memory_hungry_source_gets_no_verdict_but_the_next_one_does() -> None:
    with CPython(sys.executable, memory_limit=160 << 20) as compiler:
        verdict = compiler.compile(Source("a.py", b"x = [" + b"a + b, " * 700_000 + b"]\n"))
        assert verdict.compiles is None
        assert "160 MiB of memory" in verdict.unjudged_reason
        assert compiler.compile(Source("b.py", b"x = 1\n")).compiles
        assert compiler.processes_started == 2


@pytest.mark.parametrize(
    ("word", "why"),
    [
        (b"die", "died of SIGSEGV"),
        (b"leave", "ended with exit code 3"),
        (b"hang", "did not answer within 0.3 s"),
        (b"babble", "answered something else than a verdict"),
        (b"mistake", "answered something else than a verdict"),
    ],
)
def test_a_lost_process_is_no_verdict_and_the_next_source_gets_a_new_one(tmp_path: Path, word: bytes, why: str) -> None:
    with CPython(write_fake_interpreter(tmp_path / "python"), timeout=0.3) as compiler:
        verdict = compiler.compile(Source("a.py", word))
        assert (verdict.compiles, verdict.fault, verdict.unjudged_reason) == (None, None, f"cpython-3.99.1 {why}.")
        assert compiler.processes_started == 1
        assert compiler.compile(Source("b.py", b"good")).compiles
        assert compiler.processes_started == 2


def test_restarts_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpython, "MAX_CRASHES", 3)
    with CPython(write_fake_interpreter(tmp_path / "python")) as compiler:
        whys = [compiler.compile(Source("a.py", b"die")).unjudged_reason for _ in range(5)]
        assert compiler.compile(Source("b.py", b"good")).compiles is None
    assert compiler.processes_started == 3
    assert [("SIGSEGV" in why, " 3 times " in why) for why in whys] == [(True, False)] * 3 + [(False, True)] * 2
    assert all(why.startswith("cpython-3.99.1 ") for why in whys)


@pytest.mark.parametrize("text", ["", "print('{}')", "print('[]')", "print('no')", "raise SystemExit(2)"])
def test_a_program_that_does_not_introduce_itself_is_no_interpreter(tmp_path: Path, text: str) -> None:
    compiler = CPython(write_program(tmp_path / "python", text))
    with pytest.raises(InterpreterError):
        _ = compiler.version
    compiler.close()


def test_a_path_that_is_no_program_is_no_interpreter(tmp_path: Path) -> None:
    for path in (str(tmp_path), str(tmp_path / "gone"), "a\0b"):
        with pytest.raises(InterpreterError):
            _ = CPython(path).version


class TestFinding:
    @pytest.fixture(autouse=True)
    def bare_machine(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path / "bin"))
        monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
        monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(tmp_path / "uv"))
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    def test_places_come_in_the_order_of_their_worth(self, tmp_path: Path) -> None:
        setting = write_fake_interpreter(tmp_path / "set" / "mine")
        on_path = write_fake_interpreter(tmp_path / "bin" / "python3.99")
        pyenv = [
            write_fake_interpreter(tmp_path / "pyenv" / "versions" / v / "bin" / "python3.99")
            for v in ("3.99.10", "3.99.9")
        ]
        early = write_fake_interpreter(tmp_path / "pyenv" / "versions" / "3.99.11rc1" / "bin" / "python3.99")
        uv = write_fake_interpreter(tmp_path / "uv" / "cpython-3.99.2-linux-x86_64-gnu" / "bin" / "python3.99")
        data = write_fake_interpreter(tmp_path / "data" / "uv" / "python" / "cpython-3.99.1-x-y" / "bin" / "python3.99")
        write_fake_interpreter(tmp_path / "pyenv" / "versions" / "3.9.9" / "bin" / "python3.99")
        found = list(list_candidates("3.99", {"3.99": setting}))
        assert found == [setting, on_path, *pyenv, early, uv, data]

    def test_the_running_interpreter_comes_before_others(self) -> None:
        assert next(list_candidates(RUNNING, {})) == sys.executable

    def test_shims_and_what_cannot_be_executed_are_passed_over(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path / "shims"), "relative", str(tmp_path / "bin")]))
        write_fake_interpreter(tmp_path / "shims" / "python3.99")
        (tmp_path / "bin" / "python3.99").mkdir(parents=True)
        plain = tmp_path / "pyenv" / "versions" / "3.99.1" / "bin" / "python3.99"
        plain.parent.mkdir(parents=True)
        plain.write_text("not executable")
        assert list(list_candidates("3.99", {})) == []

    def test_the_same_file_is_asked_once(self, tmp_path: Path) -> None:
        real = write_fake_interpreter(tmp_path / "bin" / "python3.99")
        link = tmp_path / "uv" / "cpython-3.99.1-x-y" / "bin" / "python3.99"
        link.parent.mkdir(parents=True)
        link.symlink_to(real)
        assert list(list_candidates("3.99", {"3.99": real})) == [real]

    def test_only_a_cpython_that_answers_with_the_version_counts(self, tmp_path: Path) -> None:
        write_fake_interpreter(tmp_path / "bin" / "python3.99", version="3.98.0")
        write_fake_interpreter(tmp_path / "pyenv" / "versions" / "3.99.9" / "bin" / "python3.99", name="pypy")
        write_program(tmp_path / "pyenv" / "versions" / "3.99.8" / "bin" / "python3.99", "raise SystemExit(1)")
        good = write_fake_interpreter(tmp_path / "pyenv" / "versions" / "3.99.7" / "bin" / "python3.99")
        found = find_interpreter("3.99")
        assert found is not None
        with found:
            assert found.interpreter == good
        assert find_interpreter("3.97") is None
