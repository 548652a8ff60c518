"""Everything of the repository that Python loads when a service starts is in its closure: shown by starting it."""

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from shared.proof.loading.commit_tree import is_affected_by
from shared.proof.loading.import_closure import find_import_closure
from tests.support.source_tree import FakeSourceTree

PACKAGES = ("app", "app.core", "app.core.deep", "ns", "ns.part", "lib", "lib.inner")
NAMESPACES = ("ns", "ns.part")  # no __init__.py
SHOW = """
import pathlib, sys
top = pathlib.Path(__file__).resolve().parent
for module in list(sys.modules.values()):
    file = getattr(module, "__file__", None)
    if file and pathlib.Path(file).resolve().is_relative_to(top):
        print(pathlib.Path(file).resolve().relative_to(top).as_posix())
"""


def statement(random: Random, package: str, target: str) -> str:
    """One of the ways in which a module of `package` can load the module `target`."""
    above, _, name = target.rpartition(".")
    ways = [
        f"import {target}",
        f"import {target} as other",
        f"from {above} import {name}",
        f"from {above} import (  # a comment\n    {name} as other,\n)",
        f"from {target} import NAME",
        f"from {target} import *",
        f"def load():\n    from {above} import {name}\n    return {name}\nload()",
        f"try:\n    import missing_module\nexcept ImportError:\n    import {target}",
        f"import importlib\nimportlib.import_module('{target}')",
        f"from importlib import import_module\nfor each in ['{name}']:\n    import_module(f'{above}.{{each}}')",
        f"from importlib import import_module\nwanted = '{target}'\nimport_module(wanted)",
        f"__import__('{target}')",
        f"if True: import {target}; x = 1",
        f"class Late:\n    import {target}",
    ]
    if above == package:
        ways += [
            f"from . import {name}",
            f"from .{name} import NAME",
            f"import importlib\nimportlib.import_module('.{name}', __package__)",
            f"import importlib\nimportlib.import_module('.' + '{name}', __package__)",
            "import importlib, pkgutil\nfor each in pkgutil.iter_modules([__spec__.origin.rpartition('/')[0]]):\n"
            f"    each.name == '{name}' and importlib.import_module(f'{{__package__}}.{{each.name}}')",
        ]
    if "." in package and above.startswith(package.rpartition(".")[0] + "."):
        ways.append(f"from ..{target[len(package.rpartition('.')[0]) + 1 :]} import NAME")
    return random.choice(ways)


def generate(seed: int) -> dict[str, str]:
    """A service: each module loads up to two that come before it in an order, so that no cycle stops the start."""
    random = Random(seed)
    files: dict[str, str] = {}
    before: list[str] = []
    for number in range(30):
        package = random.choice(PACKAGES)
        name = f"m{number}"
        chosen = random.sample(before, min(len(before), random.randint(0, 2)))
        lines = [statement(random, package, target) for target in chosen]
        files[f"{package.replace('.', '/')}/{name}.py"] = "\n".join([*lines, f"NAME = {number}", ""])
        before.append(f"{package}.{name}")
    for package in PACKAGES:
        if package not in NAMESPACES:
            files[f"{package.replace('.', '/')}/__init__.py"] = re_exports(random, package, before)
    files["extra/shelf.py"] = "import lib"
    started = [f"import {target}" for target in random.sample(before, 3)]
    files["main.py"] = "\n".join(
        ["import sys, os", "sys.path.insert(0, os.path.join(os.path.dirname(__file__), 'extra'))", *started, SHOW]
    )
    files["scripts/never.py"] = "def broken(:\n"
    return files


def re_exports(random: Random, package: str, modules: list[str]) -> str:
    """An `__init__.py` that names, loads late or lists what it holds."""
    inside = [module.rpartition(".")[2] for module in modules if module.rpartition(".")[0] == package]
    name = random.choice(inside) if inside else ""
    late = f"def __getattr__(name):\n    import importlib\n    return importlib.import_module('.{name}', __name__)\n"
    return random.choice(["", f"__all__ = ['{name}']\n" if name else "", late if name else ""])


def in_image(files: dict[str, str]) -> dict[str, str]:
    tree = {f"src/{path}": text for path, text in files.items()}
    return tree | {"Dockerfile": 'FROM python:3.11\nWORKDIR /srv\nCOPY src/ /srv/\nCMD ["python", "main.py"]\n'}


def changed(random: Random, tree: dict[str, str]) -> tuple[dict[str, str], str, bool]:
    """A tree with one file added, removed or changed: the new tree, the path, whether listings changed."""
    modules = [path for path in tree if path.endswith(".py")]
    folders = ["src/plugins", "lib", "docs", "", *(path.rpartition("/")[0] for path in modules)]
    path = random.choice([*modules, *(f"{random.choice(folders)}/m{n}.py".lstrip("/") for n in range(40))])
    text = random.choice(["", "import lib.m1", "from . import m1, m2, m3"])
    if path in tree and random.random() < 0.5:
        return {name: text for name, text in tree.items() if name != path}, path, True
    return tree | {path: text}, path, path not in tree


@pytest.mark.parametrize("seed", range(16))
def test_a_change_that_touches_nothing_asked_changes_nothing(seed: int) -> None:
    random, untouched = Random(seed), 0
    tree = in_image(generate(seed))
    before = find_import_closure(FakeSourceTree(tree), "src/main.py")
    for _ in range(60):
        after, path, listed = changed(random, tree)
        if not is_affected_by(before.recorded_paths, path, is_added_or_removed=listed):
            untouched += 1
            assert find_import_closure(FakeSourceTree(after), "src/main.py") == before, path
    assert untouched > 3


@pytest.mark.parametrize("seed", range(16))
def test_what_python_loads_is_in_the_closure(seed: int, tmp_path: Path) -> None:
    files = generate(seed)
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    started = subprocess.run([sys.executable, "main.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert started.returncode == 0, started.stderr
    loaded = {f"src/{path}" for path in started.stdout.split()} | {"src/main.py"}
    closure = find_import_closure(FakeSourceTree(in_image(files)), "src/main.py")
    assert closure.is_exact
    assert loaded <= closure.files
    assert len(loaded) > 3
    assert "src/scripts/never.py" not in closure.files
