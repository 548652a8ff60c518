"""Circular imports: which name is missed, by the order in which the start loads the modules."""

import pytest

from shared.proof.claims.claim import Claim, ClaimFamily, ClaimState, ClaimVerdict
from shared.proof.claims.importing.circular_judge import CircularJudge
from shared.proof.claims.importing.image_layout import TracedFiles
from shared.proof.claims.service_modules import open_service_modules
from tests.support.source_tree import FakeSourceTree

FAILS, HOLDS, UNKNOWN = ClaimState.FAILS, ClaimState.HOLDS, ClaimState.UNKNOWN
DOCKERFILE = "FROM python:3.11\nWORKDIR /srv\nCOPY . .\nRUN pip install fastapi\nCMD {}\n"
SERVICE = {
    "Dockerfile": DOCKERFILE.format("uvicorn app.main:app"),
    "app/__init__.py": "",
    "app/main.py": "from fastapi import FastAPI\nfrom app.rooms import Room\n\napp = FastAPI()\n",
    "app/rooms.py": "import logging\nfrom app.users import User\n\nclass Room:\n    pass\n",
    "app/users.py": "from app.rooms import Room\n\nclass User:\n    pass\n",
}
CLAIM = Claim(ClaimFamily.CIRCULAR_IMPORT, "app/users.py", 1, "ImportError", "", module="app.rooms", name="Room")


def judge(files: dict[str, str], claim: Claim = CLAIM) -> ClaimVerdict:
    modules = open_service_modules(FakeSourceTree({**SERVICE, **files}), TracedFiles(claim.path), "3.11")
    return CircularJudge().judge(claim, modules)


def test_a_name_that_is_not_bound_yet() -> None:
    verdict = judge({})
    assert (verdict.state, verdict.lines) == (FAILS, (1,))
    assert "app/rooms.py" in verdict.reason


@pytest.mark.parametrize(
    ("files", "state"),
    [
        ({"app/users.py": "class User:\n    pass\n"}, HOLDS),
        ({"app/users.py": "import app.rooms\n\nclass User:\n    pass\n"}, HOLDS),
        ({"app/rooms.py": "class Room:\n    pass\n\nfrom app.users import User\n"}, HOLDS),
        ({"app/main.py": "from app.users import User\n"}, UNKNOWN),
        ({"app/users.py": "def ask():\n    from app.rooms import Room\n\nclass User:\n    pass\n"}, HOLDS),
        (
            {"app/users.py": "import typing as t\nif t.TYPE_CHECKING:\n    from app.rooms import Room\nUser = 1\n"},
            HOLDS,
        ),
        (
            {"app/users.py": "try:\n    from app.rooms import Room\nexcept ImportError:\n    Room = None\nUser = 1\n"},
            HOLDS,
        ),
        (
            {"app/users.py": "try:\n    from app.rooms import Room\nexcept KeyError:\n    Room = None\nUser = 1\n"},
            FAILS,
        ),
        ({"app/main.py": "import os\nif os.getenv('A'):\n    import app.rooms\n"}, UNKNOWN),
        ({"app/main.py": "import importlib\nimportlib.import_module('app.rooms')\n"}, UNKNOWN),
        (
            {
                "app/main.py": "from app.early import begin\nbegin()\nimport app.rooms\n",
                "app/early.py": "def begin():\n    import app.users\n",
            },
            UNKNOWN,
        ),
        (
            {
                "app/main.py": "import app.early\nimport app.rooms\n",
                "app/early.py": "def begin():\n    import app.users\n",
            },
            FAILS,
        ),
        ({"app/__init__.py": "from app.users import User\n"}, UNKNOWN),
        ({"Dockerfile": DOCKERFILE.format("./unknown.sh")}, UNKNOWN),
        ({"Dockerfile": DOCKERFILE.format("python -m app.main")}, FAILS),
        ({"run.py": "import app.main\n", "Dockerfile": DOCKERFILE.format("python run.py")}, FAILS),
        (
            {"run.py": "import runner\nrunner.run('app.main:app')\n", "Dockerfile": DOCKERFILE.format("python run.py")},
            UNKNOWN,
        ),
        ({"app/rooms.py": "from app.users import *\nclass Room: pass\n"}, FAILS),
        ({"app/rooms.py": "from app.users import User\ndef __getattr__(name):\n    return name\n"}, UNKNOWN),
    ],
)
def test_other_orders(files: dict[str, str], state: ClaimState) -> None:
    assert judge(files).state is state


def test_a_function_that_was_called_before_is_known_to_have_loaded_all() -> None:
    files = {
        "app/main.py": "import app.tools\nimport app.early\napp.early.begin()\nimport app.rooms\n",
        "app/early.py": "def begin():\n    import app.tools\n",
        "app/tools.py": "",
    }
    assert judge(files).state is FAILS


def test_the_order_of_an_attribute_is_unknown_unless_nothing_asks() -> None:
    claim = Claim(ClaimFamily.CIRCULAR_IMPORT, "app/users.py", 1, "AttributeError", "", module="app.rooms", name="Room")
    assert judge({"app/users.py": "import app.rooms\napp.rooms.Room\n"}, claim).state is UNKNOWN
    assert judge({"app/users.py": "User = 1\n"}, claim).state is HOLDS
