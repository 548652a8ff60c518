"""The traps of import verdicts by name: each is unknown, or what Python does."""

import pytest

from shared.proof.claims.claim import ClaimState
from tests.support.import_claims import DOCKERFILE, FAILS, HOLDS, PATH, UNKNOWN, judge_import

NAME_TRAPS: list[tuple[str, dict[str, str], ClaimState]] = [
    ("module __getattr__", {"app/rooms.py": "def __getattr__(name):\n    return name\n"}, UNKNOWN),
    ("an imported __getattr__", {"app/rooms.py": "from .lazy import __getattr__\n", "app/lazy.py": ""}, UNKNOWN),
    ("a star import of a package", {"app/rooms.py": "from halls import *\n"}, UNKNOWN),
    ("a star import that gives it", {"app/rooms.py": "from .a import *\n", "app/a.py": "enter = 1\n"}, HOLDS),
    (
        "a star import that keeps it",
        {"app/rooms.py": "from .a import *\n", "app/a.py": "__all__ = ['b']\nb = enter = 1\n"},
        FAILS,
    ),
    (
        "try and except",
        {"app/rooms.py": "try:\n    from fast import enter\nexcept ImportError:\n    enter = 1\n"},
        HOLDS,
    ),
    (
        "try without a way out",
        {"app/rooms.py": "try:\n    from fast import enter\nexcept ImportError:\n    pass\n"},
        UNKNOWN,
    ),
    (
        "TYPE_CHECKING",
        {"app/rooms.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .a import enter\n"},
        FAILS,
    ),
    ("TYPE_CHECKING of one's own", {"app/rooms.py": "TYPE_CHECKING = True\nif TYPE_CHECKING:\n    enter = 1\n"}, HOLDS),
    ("sys.modules", {"app/rooms.py": "import sys\nsys.modules[__name__] = sys\n"}, UNKNOWN),
    ("setattr on the module", {"app/rooms.py": "import sys\nsetattr(sys.modules[__name__], 'enter', 1)\n"}, UNKNOWN),
    ("globals", {"app/rooms.py": "globals()['enter'] = 1\n"}, UNKNOWN),
    ("exec", {"app/rooms.py": "exec('enter = 1')\n"}, UNKNOWN),
    (
        "importlib into a name",
        {"app/rooms.py": "import importlib\nenter = importlib.import_module('app.main')\n"},
        HOLDS,
    ),
    (
        "monkey-patching before the import",
        {PATH: "from app import rooms\nrooms.enter = 1\nfrom app.rooms import enter\n"},
        UNKNOWN,
    ),
    ("a stub", {"app/rooms.pyi": "enter: int\n"}, FAILS),
    ("an extension instead", {"app/rooms.cpython-311-x86_64-linux-gnu.so": ""}, UNKNOWN),
    ("a module and a package of one name", {"app/rooms/__init__.py": "enter = 1\n"}, HOLDS),
    ("a package that hides the module", {"app/rooms.py": "enter = 1\n", "app/rooms/__init__.py": ""}, FAILS),
    ("another case", {"app/rooms.py": "Enter = 1\n"}, FAILS),
    ("future annotations", {"app/rooms.py": "from __future__ import annotations\nenter: 'Later'\n"}, FAILS),
    ("a decorated function", {"app/rooms.py": "import functools\n\n@functools.cache\ndef enter(): ...\n"}, HOLDS),
    ("an overload", {"app/rooms.py": "from typing import overload\n\n@overload\ndef enter(): ...\n"}, HOLDS),
    ("a name that is deleted", {"app/rooms.py": "enter = 1\ndel enter\n"}, FAILS),
    (
        "the name of a handled error",
        {"app/rooms.py": "try:\n    1 / 0\nexcept ZeroDivisionError as enter:\n    pass\n"},
        FAILS,
    ),
    ("a conditional definition", {"app/rooms.py": "import os\nif os.getenv('A'):\n    enter = 1\n"}, UNKNOWN),
]


@pytest.mark.parametrize(("files", "state"), [pytest.param(*trap[1:], id=trap[0]) for trap in NAME_TRAPS])
def test_a_trap_about_a_name(files: dict[str, str], state: ClaimState) -> None:
    assert judge_import({PATH: "from app.rooms import enter\n", **files}, "app.rooms", "enter").state is state


MODULE_TRAPS: list[tuple[str, dict[str, str], ClaimState]] = [
    ("sys.modules in the package", {"app/__init__.py": "import sys\nsys.modules['app.halls'] = sys\n"}, UNKNOWN),
    (
        "sys.modules in the file itself",
        {PATH: "import sys\nsys.modules['app.halls'] = sys\nimport app.halls\n"},
        UNKNOWN,
    ),
    ("an import hook of the start", {"app/main.py": "import sys\nsys.meta_path.insert(0, None)\n"}, UNKNOWN),
    ("an extension module", {"app/halls.abi3.so": ""}, UNKNOWN),
    ("a compiled file alone", {"app/halls.pyc": ""}, UNKNOWN),
    ("a stub alone", {"app/halls.pyi": ""}, FAILS),
    ("another case", {"app/Halls.py": ""}, FAILS),
    ("a namespace package", {"app/halls/deep.py": ""}, HOLDS),
    ("a longer path of the package", {"app/__init__.py": "__path__.append('/opt/plugins')\n"}, UNKNOWN),
    ("a path that is only read", {"app/__init__.py": "import pkgutil\nlist(pkgutil.iter_modules(__path__))\n"}, FAILS),
    ("a generated file", {"Dockerfile": DOCKERFILE.replace("CMD", "RUN ./make.sh app/halls.py\nCMD")}, UNKNOWN),
    ("a file that git ignores", {".gitignore": "halls.py\n"}, UNKNOWN),
]


@pytest.mark.parametrize(("files", "state"), [pytest.param(*trap[1:], id=trap[0]) for trap in MODULE_TRAPS])
def test_a_trap_about_a_module(files: dict[str, str], state: ClaimState) -> None:
    assert judge_import({PATH: "import app.halls\n", **files}, "app.halls").state is state


TOP_LEVEL_TRAPS: list[tuple[str, dict[str, str], ClaimState]] = [
    ("nothing of that name", {}, UNKNOWN),
    ("beside the importing file", {"app/halls.py": ""}, UNKNOWN),
    (
        "a conditional sys.path",
        {"app/main.py": "import os, sys\nif os.getenv('A'):\n    sys.path.append('app')\n", "app/halls.py": ""},
        UNKNOWN,
    ),
    (
        "PYTHONPATH",
        {"Dockerfile": DOCKERFILE.replace("CMD", "ENV PYTHONPATH=/srv/app\nCMD"), "app/halls.py": ""},
        HOLDS,
    ),
    ("a vendored package", {"vendor/halls/__init__.py": ""}, UNKNOWN),
    (
        "a vendored package on the path",
        {"vendor/halls/__init__.py": "", "Dockerfile": DOCKERFILE.replace("CMD", "ENV PYTHONPATH=vendor\nCMD")},
        HOLDS,
    ),
    (
        "an editable installation",
        {
            "kit/src/halls/__init__.py": "",
            "kit/pyproject.toml": "[project]\nname = 'halls'\n",
            "Dockerfile": DOCKERFILE.replace("CMD", "RUN pip install -e ./kit\nCMD"),
        },
        HOLDS,
    ),
    ("an entry point of a plugin", {"pyproject.toml": "[project.entry-points.kit]\nhalls = 'halls:run'\n"}, UNKNOWN),
    (
        "the import path of a module that is run",
        {"halls.py": "", "Dockerfile": DOCKERFILE.replace("uvicorn app.main:app", "python -m app.main")},
        HOLDS,
    ),
    (
        "the import path of a script",
        {"halls.py": "", "Dockerfile": DOCKERFILE.replace("uvicorn app.main:app", "python app/main.py")},
        UNKNOWN,
    ),
]


@pytest.mark.parametrize(("files", "state"), [pytest.param(*trap[1:], id=trap[0]) for trap in TOP_LEVEL_TRAPS])
def test_a_trap_about_the_import_path(files: dict[str, str], state: ClaimState) -> None:
    assert judge_import({PATH: "import halls\n", **files}, "halls").state is state
