"""Whether a module has a name when it has run: each definite answer is what running the code shows."""

import types
from collections.abc import Mapping

import pytest

from shared.proof.claims.importing.bindings import Binding, BindingState, find_binding, find_imported_name
from shared.proof.claims.importing.image_layout import TracedFiles
from shared.proof.claims.service_modules import ImageModules, open_service_modules
from tests.support.source_tree import FakeSourceTree

BOUND, UNBOUND, UNKNOWN = BindingState.BOUND, BindingState.UNBOUND, BindingState.UNKNOWN
DOCKERFILE = "FROM python:3.11\nWORKDIR /srv\nCOPY . .\nCMD python main.py\n"
REFUSES = "raise AttributeError(f'module {__name__!r} has no attribute {name!r}')"

ONE_MODULE = [
    ("n = 1", BOUND),
    ("n: int = 1", BOUND),
    ("n: int", UNBOUND),
    ("m = n = 1", BOUND),
    ("(m, [*n]) = 1, [2]", BOUND),
    ("m = 1", UNBOUND),
    ("def n(): pass", BOUND),
    ("class n: pass", BOUND),
    ("class m:\n    n = 1", UNBOUND),
    ("def m():\n    n = 1", UNBOUND),
    ("import json as n", BOUND),
    ("import os.path\nn = os", BOUND),
    ("from json import dumps as n", BOUND),
    ("from json import dumps", UNBOUND),
    ("n = 1\ndel n", UNBOUND),
    ("n = 1\ndel n\nn = 2", BOUND),
    ("for n in (1, 2):\n    pass", BOUND),
    ("for n in list(range(1)):\n    pass", UNKNOWN),
    ("for m in (1,):\n    n = m\n    break", BOUND),
    ("for m in (1,):\n    break\n    n = m", UNBOUND),
    ("while True:\n    n = 1\n    break", BOUND),
    ("with open(__file__) as n:\n    pass", BOUND),
    ("import contextlib\nwith contextlib.suppress(ValueError):\n    int('x')\n    n = 1", UNKNOWN),
    ("try:\n    int('x')\nexcept ValueError as n:\n    pass", UNBOUND),
    ("n = 1\ntry:\n    raise ValueError\nexcept ValueError as n:\n    pass", UNBOUND),
    ("try:\n    n = 1\nexcept ImportError:\n    pass", BOUND),
    ("try:\n    import nothing_of_that_name as n\nexcept ImportError:\n    n = None", BOUND),
    ("try:\n    import nothing_of_that_name as n\nexcept ImportError:\n    pass", UNKNOWN),
    ("try:\n    m = int('1')\nfinally:\n    n = 1", BOUND),
    ("try:\n    m = int('1')\nexcept ValueError:\n    pass\nelse:\n    n = 1", UNKNOWN),
    ("try:\n    import json as n\nexcept ImportError:\n    raise", BOUND),
    ("if m := 1:\n    pass\nn = m", BOUND),
    ("if (n := 1):\n    pass", BOUND),
    ("m = [n := k for k in (1,)]", UNKNOWN),
    ("m = [n for n in (1,)]", UNBOUND),
    ("m = lambda: (n := 1)", UNBOUND),
    ("match 1:\n    case n:\n        pass", UNKNOWN),
    ("import os\nif os.environ.get('NOT_SET_AT_ALL'):\n    n = 1", UNKNOWN),
    ("import os\nif os.environ.get('NOT_SET_AT_ALL'):\n    n = 1\nelse:\n    n = 2", BOUND),
    ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    n = 1", UNBOUND),
    ("import typing as t\nif not t.TYPE_CHECKING:\n    n = 1", BOUND),
    ("if False:\n    n = 1", UNBOUND),
    ("FLAG = True\nif FLAG:\n    n = 1", BOUND),
    ("import sys\nif sys.version_info >= (3, 11):\n    n = 1", BOUND),
    ("import sys\nif sys.version_info[:2] < (3, 11):\n    n = 1", UNBOUND),
    ("import sys\nif sys.version_info[1] > 99:\n    n = 1", UNBOUND),
    ("import sys\nif sys.platform == 'linux':\n    n = 1", BOUND),
    ("import sys\nif sys.platform.startswith('win'):\n    n = 1", UNBOUND),
    ("if __name__ == '__main__':\n    n = 1", UNBOUND),
    ("import sys\nif sys.version_info < (3, 2):\n    raise RuntimeError\nn = 1", BOUND),
    ("def m():\n    global n\n    n = 1\nm()", UNKNOWN),
    ("def m():\n    global n\n    n = 1", UNKNOWN),
    ("n = 0\ndef m():\n    global n\n    n = 1", BOUND),
    ("globals()['n'] = 1", UNKNOWN),
    ("globals().update(n=1)", UNKNOWN),
    ("m = globals()['__name__']", UNBOUND),
    ("exec('n = 1')", UNKNOWN),
    ("import sys\nsetattr(sys.modules[__name__], 'n', 1)", UNKNOWN),
    ("def m(thing):\n    setattr(thing, 'm', 1)", UNBOUND),
    ("def m(thing):\n    setattr(thing, 'n', 1)", UNKNOWN),
    ("def m(thing, key):\n    setattr(thing, key, 1)", UNKNOWN),
    ("import sys\nsys.modules[__name__] = sys", UNKNOWN),
    ("n = 1\nglobals().pop('n')", UNKNOWN),
    ("n = 1\nexec('del n')", UNKNOWN),
    ("def __getattr__(name):\n    return 1", UNKNOWN),
    ("from json import dumps as __getattr__", UNKNOWN),
    (f"def __getattr__(name):\n    if name == 'm':\n        return 1\n    {REFUSES}", UNBOUND),
    (f"def __getattr__(name):\n    if name == 'n':\n        return 1\n    {REFUSES}", UNKNOWN),
    (
        f"LAZY = {{'m': 1}}\ndef __getattr__(name):\n    if name in LAZY:\n        return LAZY[name]\n    {REFUSES}",
        UNBOUND,
    ),
    (f"LAZY = {{'n': 1}}\ndef __getattr__(name):\n    if name not in LAZY:\n        {REFUSES}\n    return 1", UNKNOWN),
    (
        f"LAZY = {{}}\nLAZY['n'] = 1\ndef __getattr__(name):\n    if name in LAZY:\n        return 1\n    {REFUSES}",
        UNKNOWN,
    ),
    (
        f"LAZY = []\nLAZY.append('n')\ndef __getattr__(name):\n    if name in LAZY:\n        return 1\n    {REFUSES}",
        UNKNOWN,
    ),
    ("def __getattr__(name):\n    if name[:1] != 'm':\n        raise AttributeError\n    return 1", UNKNOWN),
    ("def __getattr__(name):\n    if not name.startswith('m'):\n        raise AttributeError('no ' + name)", UNBOUND),
    ("def __getattr__(name):\n    text = f'no {name!r}'\n    raise AttributeError(text)", UNBOUND),
    (
        "def __getattr__(name):\n    if name == 'm' or name.endswith('n'):\n        return 1\n    raise AttributeError",
        UNKNOWN,
    ),
    ("def __getattr__(name):\n    yield name\n    raise AttributeError(name)", UNKNOWN),
    (f"class AttributeError(Exception):\n    pass\ndef __getattr__(name):\n    {REFUSES}", UNKNOWN),
    (f"import functools\n@functools.lru_cache\ndef __getattr__(name):\n    {REFUSES}", UNKNOWN),
    (f"def __getattr__(name):\n    global n\n    n = 1\n    {REFUSES}", UNKNOWN),
    ("class m:\n    def set(self):\n        setattr(self, 'n', 1)", UNBOUND),
    ("class m:\n    def exec(self): pass\nm().exec()", UNBOUND),
    ("from json import *", UNKNOWN),
    ("from json import *\nn = 1", BOUND),
    ("n = 1\nwhile n:\n    del n\n    break", UNKNOWN),
]


def find(files: Mapping[str, str], path: str, name: str = "n") -> Binding:
    return find_binding(open_modules(files), path, name)


def open_modules(files: Mapping[str, str]) -> ImageModules:
    files = {"Dockerfile": DOCKERFILE, "main.py": "", **files}
    return open_service_modules(FakeSourceTree(files), TracedFiles("main.py"), "3.11")


@pytest.mark.parametrize(("source", "state"), ONE_MODULE)
def test_a_definite_answer_is_what_running_the_code_shows(source: str, state: BindingState) -> None:
    binding = find({"tool.py": source}, "tool.py")
    assert binding.state is state
    assert binding.reason
    assert bool(binding.line) == (state is BOUND)


@pytest.mark.parametrize("source", [source for source, state in ONE_MODULE if state is not UNKNOWN])
def test_the_table_itself_is_what_running_the_code_shows(source: str) -> None:
    module = types.ModuleType("tool")
    module.__file__ = __file__
    exec(compile(source, "tool.py", "exec"), module.__dict__)  # the texts of this file
    assert hasattr(module, "n") == (dict(ONE_MODULE)[source] is BOUND)


@pytest.mark.parametrize(
    ("files", "state"),
    [
        ({"tool.py": "from words import *", "words.py": "n = 1"}, BOUND),
        ({"tool.py": "from words import *", "words.py": "m = 1"}, UNBOUND),
        ({"tool.py": "from words import *", "words.py": "n = 1\n__all__ = ['m']\nm = 2"}, UNBOUND),
        ({"tool.py": "from words import *", "words.py": "n = 1\n__all__ = ['m'] + ['n']\nm = 2"}, BOUND),
        ({"tool.py": "from words import *", "words.py": "n = 1\n__all__ = []\n__all__ += ['n']"}, BOUND),
        ({"tool.py": "from words import *", "words.py": "n = 1\n__all__ = list('n')"}, UNKNOWN),
        ({"tool.py": "from words import *\ndel n", "words.py": "n = 1"}, UNBOUND),
        ({"tool.py": "from words import *", "words.py": "from more import *", "more.py": "n = 1"}, BOUND),
        ({"tool.py": "from words import *", "words.py": "from tool import *"}, UNKNOWN),
        ({"tool.py": "from words import *", "words.py": "import tool\nn = 1"}, UNKNOWN),
        ({"tool.py": "from gone import *"}, UNKNOWN),
        ({"tool.py": "n = (\n"}, UNKNOWN),
    ],
)
def test_star_imports_are_followed(files: dict[str, str], state: BindingState) -> None:
    assert find(files, "tool.py").state is state


@pytest.mark.parametrize(
    ("source", "state"),
    [
        ("from .n import deep", UNKNOWN),
        ("from . import n", BOUND),
        ("from . import n as other", UNKNOWN),
        ("import kit.n", UNKNOWN),
        ("import kit.n.deep as m", UNKNOWN),
        ("import other.n", UNBOUND),
        ("", UNBOUND),
    ],
)
def test_a_package_may_have_the_submodules_that_it_imports(source: str, state: BindingState) -> None:
    files = {"kit/__init__.py": source, "kit/n/__init__.py": "", "kit/n/deep.py": "", "other/n.py": ""}
    assert find(files, "kit/__init__.py").state is state


@pytest.mark.parametrize(
    ("files", "state"),
    [
        ({"kit/__init__.py": "", "kit/n.py": ""}, BOUND),
        ({"kit/__init__.py": "n = 1"}, BOUND),
        ({"kit/__init__.py": ""}, UNBOUND),
        ({"kit/other.py": ""}, UNBOUND),
        ({"kit/n/words.py": ""}, BOUND),
        ({"kit.py": "n = 1"}, BOUND),
        ({"kit.py": "", "kit/n.py": ""}, UNBOUND),
        ({"kit/__init__.py": "", "kit/n.abi3.so": ""}, UNKNOWN),
        ({"kit/__init__.py": "", "kit/n.pyi": ""}, UNBOUND),
        ({}, UNKNOWN),
    ],
)
def test_an_import_takes_a_name_or_a_submodule(files: dict[str, str], state: BindingState) -> None:
    assert find_imported_name(open_modules(files), "main.py", "kit", 0, "n").state is state
