"""Circular starts against a real interpreter: what Python says of each service, no definite verdict may deny."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from shared.detection.logged_exception import find_last_exception
from shared.proof.claims.claim import Claim, ClaimFamily, ClaimState
from shared.proof.claims.importing.circular_judge import CircularJudge
from shared.proof.claims.importing.image_layout import TracedFiles
from shared.proof.claims.read_claim import read_claim
from shared.proof.claims.service_modules import open_service_modules
from tests.support.history_builder import running_python
from tests.support.source_tree import FakeSourceTree

FAILS, HOLDS, UNKNOWN = ClaimState.FAILS, ClaimState.HOLDS, ClaimState.UNKNOWN
Files = Mapping[str, str]
BASE: Files = {
    "Dockerfile": "FROM python:3.11\nWORKDIR /srv\nCOPY . .\nCMD python run.py\n",
    "run.py": "import quay.desk\n",
    "quay/__init__.py": "",
}
CYCLES: Mapping[str, tuple[Files, ClaimState]] = {
    "name": (
        {"quay/desk.py": "from quay.berths import Berth\nclass Desk: ...\n",
         "quay/berths.py": "from quay.desk import Desk\nclass Berth: ...\n"},
        FAILS,
    ),
    "relative name": (
        {"quay/desk.py": "from .berths import Berth\nclass Desk: ...\n",
         "quay/berths.py": "from .desk import Desk\nclass Berth: ...\n"},
        FAILS,
    ),
    "three files": (
        {"quay/desk.py": "from quay import berths\nclass Desk: ...\n", "quay/berths.py": "import quay.tides\n",
         "quay/tides.py": "from quay.desk import Desk\n"},
        FAILS,
    ),
    "re-export of the package": (
        {"quay/__init__.py": "from quay.desk import Desk\nfrom quay.berths import Berth\n",
         "quay/desk.py": "from quay import Berth\nclass Desk: ...\n", "quay/berths.py": "class Berth: ...\n"},
        FAILS,
    ),
    "relative re-export": (
        {"quay/__init__.py": "from .desk import Desk\nfrom .berths import Berth\n",
         "quay/desk.py": "from . import Berth\nclass Desk: ...\n", "quay/berths.py": "class Berth: ...\n"},
        FAILS,
    ),
    "called while it loads": (
        {"quay/desk.py": "from quay.berths import begin\nbegin()\nclass Desk: ...\n",
         "quay/berths.py": "def begin():\n    from quay.desk import Desk\n    return Desk\n"},
        UNKNOWN,
    ),
}  # fmt: skip
"""What Python does not start, and what is said of it."""
SOUND: Mapping[str, tuple[Files, str, str, str, ClaimState]] = {
    "submodule of the package": (
        {"quay/desk.py": "from quay import berths\nclass Desk: ...\n", "quay/berths.py": "from quay import desk\n"},
        "quay/berths.py", "quay", "desk", HOLDS,
    ),
    "import as": (
        {"quay/desk.py": "import quay.berths as b\nclass Desk: ...\n", "quay/berths.py": "import quay.desk as d\n"},
        "quay/berths.py", "quay.desk", "Desk", HOLDS,
    ),
    "plain import": (
        {"quay/desk.py": "import quay.berths\nclass Desk: ...\n", "quay/berths.py": "import quay.desk\n"},
        "quay/berths.py", "quay.desk", "Desk", HOLDS,
    ),
    "lazy": (
        {"quay/desk.py": "from quay.berths import begin\nclass Desk: ...\n",
         "quay/berths.py": "def begin():\n    from quay.desk import Desk\n    return Desk\n"},
        "quay/berths.py", "quay.desk", "Desk", HOLDS,
    ),
    "below the class": (
        {"quay/desk.py": "class Desk: ...\nfrom quay.berths import Berth\n",
         "quay/berths.py": "from quay.desk import Desk\nclass Berth: ...\n"},
        "quay/berths.py", "quay.desk", "Desk", HOLDS,
    ),
    "re-export in the other order": (
        {"quay/__init__.py": "from quay.berths import Berth\nfrom quay.desk import Desk\n",
         "quay/desk.py": "from quay import Berth\nclass Desk: ...\n", "quay/berths.py": "class Berth: ...\n"},
        "quay/desk.py", "quay", "Berth", HOLDS,
    ),
    "relative submodule": (
        {"quay/desk.py": "from . import berths\nclass Desk: ...\n", "quay/berths.py": "from . import desk\n"},
        "quay/berths.py", "quay", "desk", HOLDS,
    ),
}  # fmt: skip
"""What Python starts: with the file, the module and the name of the claim that an earlier state made."""


def start(folder: Path, files: Files) -> str:
    """What Python writes where the service does not start; "" where it does."""
    for name, text in {**BASE, **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    run = subprocess.run([sys.executable, "run.py"], cwd=folder, capture_output=True, text=True, check=False)
    return run.stderr


def judge(files: Files, claim: Claim) -> ClaimState:
    modules = open_service_modules(FakeSourceTree({**BASE, **files}), TracedFiles(claim.path), running_python())
    return CircularJudge().judge(claim, modules).state


@pytest.mark.parametrize("name", CYCLES)
def test_a_start_that_python_refuses_is_never_called_sound(tmp_path: Path, name: str) -> None:
    files, expected = CYCLES[name]
    exception = find_last_exception(start(tmp_path, files))
    assert exception is not None
    claim = read_claim(exception)
    assert claim is not None
    assert claim.family is ClaimFamily.CIRCULAR_IMPORT
    placed = Claim(
        claim.family, claim.path.removeprefix(f"{tmp_path}/"), claim.line, claim.error_class, claim.message,
        claim.function, claim.source_text, claim.module, claim.name,
    )  # fmt: skip
    assert judge(files, placed) is expected


@pytest.mark.parametrize("name", SOUND)
def test_a_start_that_python_makes_is_never_called_broken(tmp_path: Path, name: str) -> None:
    files, path, module, missed, expected = SOUND[name]
    assert start(tmp_path, files) == ""
    claim = Claim(ClaimFamily.CIRCULAR_IMPORT, path, 1, "ImportError", "", "<module>", module=module, name=missed)
    assert judge(files, claim) is expected
