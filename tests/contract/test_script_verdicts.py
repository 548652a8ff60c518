"""What the worker says of a start file against what each interpreter says that is given the file."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from shared.adapters.compilers.interpreters import find_installed_versions, find_interpreter
from shared.adapters.compilers.ruff import Ruff, RuffCompiler
from shared.proof.model.compilation import Compilation, Source
from tests.support.script_sources import SCRIPT_SOURCES

PYTHONS = find_installed_versions()
RUN = """
import json, subprocess, sys
for name in json.load(open("names.json")):
    ended = subprocess.run([sys.executable, "-I", "-S", "-W", "ignore", name], stderr=subprocess.PIPE)
    print(json.dumps(ended.stderr.decode("utf-8", "replace")))
"""
"""The sources are harmless: each assigns a number, or fails before."""
OTHER_WORDS = {"3.10": {"NUL and a cookie", "NUL before a bad byte"}}
"""It fails, too, but names another line: 3.10 loses count of the lines behind a NUL."""
_SAID_LINE = re.compile(r"on line (\d+), but no encoding")
_FRAME_LINE = re.compile(r'File "[^"]*", line (\d+)')


def run_as_scripts(interpreter: str, folder: Path) -> list[str]:
    names = [f"{number}.py" for number in range(len(SCRIPT_SOURCES))]
    for name, content in zip(names, SCRIPT_SOURCES.values(), strict=True):
        (folder / name).write_bytes(content)
    (folder / "names.json").write_text(json.dumps(names))
    ended = subprocess.run([interpreter, "-c", RUN], cwd=folder, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in ended.stdout.splitlines()]


def described(said: str) -> tuple[bool, int | None, str]:
    """Whether it got as far as to run, else the line and the beginning of the message."""
    last = said.strip().rpartition("\n")[2]
    error_class, _, message = last.partition(": ")
    if error_class not in {"SyntaxError", "IndentationError", "TabError", "ValueError"}:
        return True, None, ""
    frames = _FRAME_LINE.findall(said)
    line = _SAID_LINE.findall(message) or frames
    return False, int(line[-1]) if line else None, message[:20]


def judged(compilation: Compilation) -> tuple[bool, int | None, str]:
    fault = compilation.as_script.fault
    return (True, None, "") if fault is None else (False, fault.line, fault.message[:20])


@pytest.mark.parametrize("python", PYTHONS)
def test_start_file_is_judged_as_it_is_started(python: str, tmp_path: Path) -> None:
    interpreter = find_interpreter(python)
    assert interpreter is not None
    with interpreter:
        own = {name: judged(interpreter.compile(Source("m.py", content))) for name, content in SCRIPT_SOURCES.items()}
        said = dict(zip(SCRIPT_SOURCES, map(described, run_as_scripts(interpreter.interpreter, tmp_path)), strict=True))
    differing = {name for name, verdict in own.items() if verdict != said[name]}
    assert differing == OTHER_WORDS.get(python, set())
    assert {name: verdict[0] for name, verdict in own.items()} == {name: verdict[0] for name, verdict in said.items()}


@pytest.mark.parametrize("python", PYTHONS)
def test_import_is_judged_as_before(python: str) -> None:
    """Nothing of the start file's verdict leaks into that of a module."""
    interpreter = find_interpreter(python)
    assert interpreter is not None
    with interpreter:
        assert interpreter.compile(Source("m.py", SCRIPT_SOURCES["comment"])).compiles
        assert interpreter.compile(Source("m.py", SCRIPT_SOURCES["fine"])).script is None


def test_ruff_judges_a_start_file_by_the_same_rules() -> None:
    compiler = RuffCompiler(Ruff(), "3.12")
    fault = compiler.compile(Source("m.py", SCRIPT_SOURCES["comment"])).as_script.fault
    assert fault is not None
    assert fault.line == 2
    assert compiler.compile(Source("m.py", SCRIPT_SOURCES["comment"])).compiles
    assert compiler.compile(Source("m.py", SCRIPT_SOURCES["fine"])).script is None
    null = compiler.compile(Source("m.py", SCRIPT_SOURCES["NUL within a line"])).as_script.fault
    assert null is not None
    assert (null.error_class, null.line) == ("SyntaxError", 2)
