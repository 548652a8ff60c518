"""A module of provenfix runs when it is first used, once, and as the import system would have run it."""

import subprocess
import sys
from pathlib import Path

import pytest

from shared.lazy_modules import install

COUNTING = """
import sys
sys.modules["builtins"].RUNS.append(__name__)
from shared_example import second
VALUE = 1

def double():
    return 2 * second.VALUE
"""


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """A package whose modules count their runs."""
    package = tmp_path / "shared_example"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "first.py").write_text(COUNTING)
    (package / "second.py").write_text(COUNTING.replace("second", "first"))
    (package / "failing.py").write_text("import sys\nsys.modules['builtins'].RUNS.append(1)\n1 / 0\n")
    return tmp_path


def run(example: Path, code: str) -> str:
    """What `code` prints in a process in which the example's modules wait for their first use."""
    setup = "import builtins\nbuiltins.RUNS = []\nfrom shared import lazy_modules\n"
    setup += (
        "import sys\nsys.meta_path[:] = [f for f in sys.meta_path if type(f).__module__ != 'shared.lazy_modules']\n"
    )
    setup += "lazy_modules.install('shared_example')\n"
    paths = [str(example), str(Path(__file__).parents[2])]
    script = f"import sys\nsys.path[:0] = {paths!r}\n{setup}{code}"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def test_a_bound_module_has_not_run(example: Path) -> None:
    code = "from shared_example import first\nprint(RUNS, lazy_modules.is_waiting(first), first.__name__)"
    assert run(example, code) == "[] True shared_example.first"


def test_the_first_attribute_runs_it_once(example: Path) -> None:
    code = "from shared_example import first\nfirst.VALUE\nfirst.VALUE\nprint(RUNS, lazy_modules.is_waiting(first))"
    assert run(example, code) == "['shared_example.first'] False"


def test_what_a_module_declares_runs_it_as_well(example: Path) -> None:
    (example / "shared_example" / "listed.py").write_text('__all__ = ["VALUE"]\nVALUE = 1\n')
    assert run(example, "from shared_example import listed\nprint(listed.__all__)") == "['VALUE']"
    assert run(example, "from shared_example import listed\nprint('VALUE' in dir(listed))") == "True"


def test_a_name_of_it_runs_it_at_the_import(example: Path) -> None:
    assert run(example, "from shared_example.first import double\nprint(RUNS)") == "['shared_example.first']"


def test_modules_may_name_each_other(example: Path) -> None:
    code = "from shared_example import first, second\nprint(first.double(), second.double(), len(RUNS))"
    assert run(example, code) == "2 2 2"


def test_threads_that_come_at_once_see_a_module_that_has_run(example: Path) -> None:
    (example / "shared_example" / "slow.py").write_text(
        "import threading\nRUNS.append(1)\nthreading.Event().wait(0.05)\nVALUE = 3\n"
    )
    code = """
from threading import Barrier, Thread
from shared_example import slow
barrier, seen = Barrier(8), []
def use():
    barrier.wait()
    seen.append(slow.VALUE)
threads = [Thread(target=use) for _ in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
print(seen == [3] * 8, len(RUNS))
"""
    assert run(example, code) == "True 1"


def test_a_module_that_fails_fails_at_each_use(example: Path) -> None:
    code = """
from shared_example import failing
for _ in range(2):
    try:
        failing.VALUE
    except ZeroDivisionError:
        print("failed", end=" ")
print(len(RUNS))
"""
    assert run(example, code) == "failed failed 2"


def test_a_module_can_still_be_the_one_that_python_runs(example: Path) -> None:
    code = "import runpy\nrunpy.run_module('shared_example.first', run_name='__main__')\nprint(RUNS)"
    assert run(example, code) == "['__main__']"


def test_provenfix_itself_waits() -> None:
    code = "import functions.main\nfrom shared.adapters.google import firestore_store\n"
    code += "from shared import lazy_modules\nprint(lazy_modules.is_waiting(firestore_store))"
    root = Path(__file__).parents[2]
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert ended.stdout == "True\n"
    install("functions", "shared")
    assert sum(type(finder).__module__ == "shared.lazy_modules" for finder in sys.meta_path) == 1
