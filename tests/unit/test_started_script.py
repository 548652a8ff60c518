"""A name that only the guarded end of a script binds: it is there where the script is started, and nowhere else."""

import pytest

from shared.proof.claims.claim import Claim, ClaimFamily, ClaimState
from shared.proof.claims.importing.image_layout import TracedFiles
from shared.proof.claims.scopes.name_judge import NameJudge
from shared.proof.claims.service_modules import open_service_modules
from tests.support.source_tree import FakeSourceTree

SOURCE = """\
from flask import Flask
app = Flask(__name__)
@app.route("/berths")
def list_berths():
    return open_store(settings)
def open_store(given):
    return given
if {}:
    settings = {{}}
    app.run()
"""
GUARD = '__name__ == "__main__"'
SCRIPT = 'CMD ["python", "harbour/main.py"]'
SERVER = 'CMD ["gunicorn", "harbour.main:app"]'


def judge(start: str, guard: str) -> ClaimState:
    files = {
        "Dockerfile": f"FROM python:3.11\nWORKDIR /srv\nCOPY . .\n{start}\n",
        "harbour/__init__.py": "",
        "harbour/main.py": SOURCE.format(guard),
    }
    modules = open_service_modules(FakeSourceTree(files), TracedFiles("harbour/main.py"), "3.11")
    claim = Claim(ClaimFamily.NAME, "harbour/main.py", 5, "NameError", "", function="list_berths", name="settings")
    return NameJudge().judge(claim, modules).state


@pytest.mark.parametrize(
    ("start", "guard", "state"),
    [
        (SCRIPT, GUARD, ClaimState.HOLDS),
        (SCRIPT, "'__main__' == __name__", ClaimState.HOLDS),
        (SCRIPT, f"not {GUARD}", ClaimState.FAILS),
        (SERVER, GUARD, ClaimState.FAILS),
        (SERVER, f"not {GUARD}", ClaimState.HOLDS),
        ("CMD $START", GUARD, ClaimState.UNKNOWN),
        (SCRIPT, "__name__ == name", ClaimState.UNKNOWN),
    ],
)
def test_what_a_guard_binds_depends_on_what_is_started(start: str, guard: str, state: ClaimState) -> None:
    assert judge(start, guard) is state
