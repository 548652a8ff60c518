"""The verdict on a claim about an import: whether a statement of the file still asks for what the image lacks."""

import pytest

from shared.proof.claims.claim import Claim, ClaimFamily, ClaimState
from shared.proof.claims.importing.image_layout import TracedFiles
from shared.proof.claims.importing.import_judge import ImportJudge
from shared.proof.claims.service_modules import ImageModules, open_service_modules
from tests.support.import_claims import DOCKERFILE, FAILS, HOLDS, PATH, SERVICE, UNKNOWN, judge_import
from tests.support.source_tree import FakeSourceTree

GUARDED = "try:\n    from app.rooms import enter\nexcept {}:\n    {}\n"
NAME_CASES = [
    ("from app.rooms import open_room, enter", FAILS, (1,)),
    ("import os\nfrom .rooms import (\n    open_room,\n    enter as go,\n)", FAILS, (2,)),
    ("from app.rooms import enter\nfrom .rooms import enter", FAILS, (1, 2)),
    ("def ask():\n    from app.rooms import enter", FAILS, (2,)),
    ("class Ask:\n    from app.rooms import enter", FAILS, (2,)),
    ("import os\nif os.environ.get('X'):\n    from app.rooms import enter", FAILS, (3,)),
    ("from app.rooms import open_room", HOLDS, ()),
    ("import app.rooms\napp.rooms.enter()", HOLDS, ()),
    ("", HOLDS, ()),
    ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from app.rooms import enter", HOLDS, ()),
    ("import sys\nif sys.version_info < (3, 8):\n    from app.rooms import enter", HOLDS, ()),
    (GUARDED.format("ImportError", "enter = None"), HOLDS, ()),
    (GUARDED.format("(ValueError, Exception)", "pass"), HOLDS, ()),
    (GUARDED.format("ValueError", "pass"), FAILS, (2,)),
    (GUARDED.format("ModuleNotFoundError", "pass"), FAILS, (2,)),
    (GUARDED.format("ImportError", "raise"), FAILS, (2,)),
    (GUARDED.format("ImportError as error", "raise RuntimeError from error"), UNKNOWN, ()),
    (GUARDED.format("errors.Missing", "pass"), UNKNOWN, ()),
    ("import contextlib\nwith contextlib.suppress(ImportError):\n    from app.rooms import enter", HOLDS, ()),
    ("try:\n    import json\nexcept ImportError:\n    from app.rooms import enter", HOLDS, ()),
    ("try:\n    import app.gone\nexcept ImportError:\n    from app.rooms import enter", FAILS, (4,)),
    ("try:\n    import unheard_of\nexcept ImportError:\n    from app.rooms import enter", UNKNOWN, ()),
    ("raise SystemExit\nfrom app.rooms import enter", HOLDS, ()),
    ("from app.halls import enter", UNKNOWN, ()),
    ("from app.rooms.enter import go", UNKNOWN, ()),
    ("from app.main import enter", UNKNOWN, ()),
    ("from elsewhere import enter", HOLDS, ()),
    ("import app.rooms\napp.rooms.enter = 1\nfrom app.rooms import enter", UNKNOWN, ()),
    ("from app.rooms import (", UNKNOWN, ()),
]


@pytest.mark.parametrize(("source", "state", "lines"), NAME_CASES)
def test_a_name_that_no_module_binds(source: str, state: ClaimState, lines: tuple[int, ...]) -> None:
    verdict = judge_import({PATH: source}, "app.rooms", "enter")
    assert (verdict.state, tuple(verdict.lines)) == (state, lines)
    assert verdict.reason
    assert verdict.checked_by


def test_a_name_that_came_back() -> None:
    bound = {PATH: "from app.rooms import enter", "app/rooms.py": "def enter(): pass\n"}
    assert judge_import(bound, "app.rooms", "enter").state is HOLDS
    renamed = {**bound, "app/rooms.py": "def enter_room(): pass\n"}
    assert judge_import(renamed, "app.rooms", "enter").state is FAILS


def test_a_file_that_is_gone_asks_for_nothing() -> None:
    tree = FakeSourceTree({path: text for path, text in SERVICE.items() if path != PATH})
    modules = open_service_modules(tree, TracedFiles(PATH), "3.11")
    claim = Claim(ClaimFamily.IMPORT_NAME, PATH, 1, "ImportError", "", module="app.rooms", name="enter")
    assert ImportJudge().judge(claim, modules).state is HOLDS


MODULE_CASES = [
    ("import app.halls", FAILS, (1,)),
    ("import app.halls.deep", FAILS, (1,)),
    ("from app.halls import a, b", FAILS, (1,)),
    ("from .halls import a", FAILS, (1,)),
    ("from .halls.deep import a", FAILS, (1,)),
    ("import importlib\nimportlib.import_module('app.halls')", FAILS, (2,)),
    ("import importlib\n\ndef load(name):\n    importlib.import_module(name)", UNKNOWN, ()),
    ("from app import halls", UNKNOWN, ()),
    ("from . import halls", UNKNOWN, ()),
    ("import halls", HOLDS, ()),
    ("import app.rooms", HOLDS, ()),
    ("try:\n    import app.halls\nexcept ModuleNotFoundError:\n    pass", HOLDS, ()),
    ("try:\n    import app.halls\nexcept ImportError:\n    pass", HOLDS, ()),
]


@pytest.mark.parametrize(("source", "state", "lines"), MODULE_CASES)
def test_a_module_that_the_image_lacks(source: str, state: ClaimState, lines: tuple[int, ...]) -> None:
    verdict = judge_import({PATH: source}, "app.halls")
    assert (verdict.state, tuple(verdict.lines)) == (state, lines)


def test_a_module_that_came_back() -> None:
    assert judge_import({PATH: "import app.halls", "app/halls.py": ""}, "app.halls").state is HOLDS
    assert judge_import({PATH: "from .halls import a", "app/halls/__init__.py": ""}, "app.halls").state is HOLDS


def test_a_module_that_an_ignore_file_leaves_out() -> None:
    files = {PATH: "from app.halls import a", "app/halls/__init__.py": "a = 1\n"}
    verdict = judge_import({**files, ".dockerignore": "**/halls/\n"}, "app.halls")
    assert verdict.state is FAILS
    assert "app/halls" in verdict.reason
    assert judge_import(files, "app.halls").state is HOLDS


def test_a_module_above_that_is_missing_is_another_failure() -> None:
    assert judge_import({PATH: "import lost.halls.deep"}, "lost.halls").state is UNKNOWN
    assert judge_import({PATH: "import app.lost.deep"}, "app.lost.deep").state is UNKNOWN


def open_service(files: dict[str, str]) -> ImageModules:
    return open_service_modules(FakeSourceTree({**SERVICE, **files}), TracedFiles(PATH), "3.11")


CACHE_CLAIM = Claim(ClaimFamily.MODULE, PATH, 1, "ModuleNotFoundError", "", module="cache_kit")


@pytest.mark.parametrize(
    ("files", "state"),
    [
        ({PATH: "import cache_kit\n"}, FAILS),
        ({PATH: "import os\n\n\ndef load():\n    from cache_kit import row\n"}, FAILS),
        ({PATH: "import os\n"}, HOLDS),
        ({PATH: "import cache_kit\n", "requirements.txt": "cache-kit\n"}, UNKNOWN),
        ({PATH: "import cache_kit\n", "Dockerfile": DOCKERFILE.replace("3.11", "3.12")}, UNKNOWN),
        ({PATH: "import sys\nsys.path.append('kit')\nimport cache_kit\n"}, UNKNOWN),
        ({PATH: "try:\n    import cache_kit\nexcept errors.Any:\n    pass\n"}, UNKNOWN),
        ({PATH: "import cache_kit.deep\n"}, FAILS),
    ],
)
def test_the_log_is_believed_where_all_else_is_the_same(files: dict[str, str], state: ClaimState) -> None:
    deployed = open_service({PATH: "import cache_kit\n"})
    judge = ImportJudge()
    assert judge.judge(CACHE_CLAIM, deployed).state is UNKNOWN
    assert judge.with_witness(deployed).judge(CACHE_CLAIM, open_service(files)).state is state


def test_the_log_is_believed_for_a_module_that_gives_any_name() -> None:
    lazy = {"app/rooms.py": "def __getattr__(name):\n    raise AttributeError(name)\n"}
    claim = Claim(ClaimFamily.IMPORT_NAME, PATH, 1, "ImportError", "", module="app.rooms", name="enter")
    deployed = open_service({**lazy, PATH: "from app.rooms import enter\n"})
    judge = ImportJudge().with_witness(deployed)
    assert judge.judge(claim, open_service({**lazy, PATH: "\nfrom .rooms import enter\n"})).lines == (2,)
    other = {"app/rooms.py": "def __getattr__(name):\n    return name\n", PATH: "from app.rooms import enter\n"}
    assert judge.judge(claim, open_service(other)).state is UNKNOWN
    bound = {"app/rooms.py": "enter = 1\n", PATH: "from app.rooms import enter\n"}
    assert judge.judge(claim, open_service(bound)).state is HOLDS
