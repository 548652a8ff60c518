"""The compilers against real CPython, on the whole corpus, for every interpreter that this machine has."""

import json
import subprocess
from pathlib import Path

import pytest

from shared.adapters.compilers.interpreters import find_installed_versions, find_interpreter
from shared.adapters.compilers.ruff import Ruff
from shared.proof.model.compilation import Explanation, Source
from tests.support.syntax_corpus import load_corpus

PYTHONS = find_installed_versions()
CORPUS = load_corpus()

# What an import does up to the point where it would execute, asked of the interpreter itself: not through compile()
# of ours, not through our worker.
DIRECT = """
import importlib.machinery, json, sys
for name in json.load(open("names.json")):
    loader = importlib.machinery.SourceFileLoader("module", name)
    try:
        loader.get_code("module")
        verdict = [True, None, None, None]
    except SyntaxError as error:
        verdict = [False, type(error).__name__, error.lineno, error.msg]
    except (ValueError, MemoryError, RecursionError, OverflowError) as error:
        verdict = [False, type(error).__name__, None, str(error)]
    print(json.dumps(verdict))
"""

# Where ruff and CPython differ, by name, with the versions. A change here means that ruff or the rules changed.
ALL = ("3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13")
RUFF_ACCEPTS: dict[str, tuple[str, ...]] = {
    "new: 38 continue in finally": ("3.7",),
    "new: 38 f-string equals": ("3.7",),
    "new: 310 star in subject": ("3.7", "3.8", "3.9"),
    "new: 313 alias defaults": ("3.12",),
    "new: 39 walrus in index": ("3.9",),
    "new: annotated unpacking": ("3.7",),
    "old: star alone": ALL,
    "f-string: spec too deep": ("3.7", "3.8", "3.9", "3.10", "3.11"),
    "f-string: equals with blanks": ("3.7",),
    "f-string: equals and conversion": ("3.7",),
    "semantics: value returned by async generator": ALL,
    "semantics: many targets before star": ALL,
    "semantics: debug as keyword": ALL,
    "semantics: break in except star": ("3.11", "3.12", "3.13"),
    "semantics: return in except star": ("3.11", "3.12", "3.13"),
    "semantics: nonlocal type parameter": ("3.12", "3.13"),
    "shape: 150 parentheses": ("3.7", "3.8"),
    "shape: 201 parentheses": ALL,
    "shape: 1000 parentheses": ALL,
    "shape: 250 brackets in brackets": ALL,
    "shape: 101 ifs": ALL,
    "shape: 21 fors": ("3.7", "3.8", "3.9", "3.10", "3.11", "3.12"),
    "shape: 30 fors": ALL,
    "shape: 25 withs": ALL,
}
RUFF_REFUSES: dict[str, tuple[str, ...]] = {
    "old: debug deleted": ("3.9",),
    "semantics: yield in comprehension": ("3.7",),
    "semantics: yield in generator": ("3.7",),
    "semantics: yield in annotation with future": ("3.7", "3.8", "3.9"),
    "bytes: continuation at the end": ("3.7",),
    "bytes: continuation and line end at the end": ("3.7",),
    "bytes: continuation only": ("3.7",),
    "bytes: continuation then nothing": ("3.7",),
}
# CPython itself changed its mind about these within a minor version.
BY_PATCH_LEVEL = {"f-string: spec line break", "old: huge integer"}
KILLS_RUFF = {"shape: far too deep"}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus as files `0.py`, `1.py`, …"""
    directory = tmp_path_factory.mktemp("corpus")
    for number, source in enumerate(CORPUS.values()):
        (directory / f"{number}.py").write_bytes(source)
    (directory / "names.json").write_text(json.dumps([f"{number}.py" for number in range(len(CORPUS))]))
    return directory


def directly(interpreter: str, directory: Path) -> dict[str, tuple[bool, str, int | None, str]]:
    command = [interpreter, "-I", "-S", "-B", "-W", "ignore", "-c", DIRECT]
    ran = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True)
    verdicts = [tuple(json.loads(line)) for line in ran.stdout.splitlines()]
    return dict(zip(CORPUS, verdicts, strict=True))


@pytest.mark.parametrize("python", PYTHONS)
def test_the_interpreter_behind_the_pipe_says_what_the_interpreter_says(python: str, directory: Path) -> None:
    compiler = find_interpreter(python)
    assert compiler is not None
    with compiler:
        direct = directly(compiler.interpreter, directory)
        for number, (name, content) in enumerate(CORPUS.items()):
            verdict = compiler.compile(Source(f"{number}.py", content))
            fault = verdict.fault
            said = (verdict.compiles, fault and fault.error_class, fault and fault.line, fault and fault.message)
            assert (name, *said) == (name, *direct[name])
        assert compiler.processes_started == 1
        assert compiler.sources_compiled == len(CORPUS)


@pytest.mark.parametrize("python", PYTHONS)
def test_every_fault_quotes_its_line(python: str) -> None:
    compiler = find_interpreter(python)
    assert compiler is not None
    with compiler:
        fault = compiler.compile(Source("a.py", b"x = 1\ndef f(a, a): pass\n")).fault
    assert fault is not None
    assert fault.text == "def f(a, a): pass"


@pytest.fixture(scope="module")
def explained() -> dict[tuple[str, str], Explanation]:
    """Ruff on everything that does not kill it, for all versions, in one process."""
    ruff = Ruff()
    keys = [(name, python) for python in PYTHONS for name in CORPUS if name not in KILLS_RUFF]
    said = ruff.explain([(Source("a.py", CORPUS[name]), python) for name, python in keys])
    assert ruff.processes_started == 1
    return dict(zip(keys, said, strict=True))


@pytest.mark.parametrize("python", PYTHONS)
def test_ruff_differs_from_the_interpreter_only_where_it_is_known_to(
    python: str, directory: Path, explained: dict[tuple[str, str], Explanation]
) -> None:
    compiler = find_interpreter(python)
    assert compiler is not None
    with compiler:
        direct = directly(compiler.interpreter, directory)
    asked = [name for name in CORPUS if name not in KILLS_RUFF | BY_PATCH_LEVEL]
    accepted = {name for name in asked if not explained[name, python].diagnostics}
    good = {name for name in asked if direct[name][0]}
    assert accepted - good == {name for name, pythons in RUFF_ACCEPTS.items() if python in pythons}
    assert good - accepted == {name for name, pythons in RUFF_REFUSES.items() if python in pythons}


def test_ruff_survives_a_source_that_kills_it() -> None:
    ruff = Ruff()
    wanted = [b"x = (\n", CORPUS["shape: far too deep"], b"y = 1\n", b"return\n"]
    said = ruff.explain([(Source("a.py", content), "3.11") for content in wanted])
    assert [len(each.diagnostics) for each in said] == [1, 0, 0, 1]
    assert [bool(each.failure_reason) for each in said] == [False, True, False, False]
