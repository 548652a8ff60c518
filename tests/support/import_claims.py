"""A small service with one file that imports, and the verdict on a claim about it."""

from collections.abc import Mapping

from shared.proof.claims.claim import Claim, ClaimFamily, ClaimState, ClaimVerdict
from shared.proof.claims.importing.image_layout import TracedFiles
from shared.proof.claims.importing.import_judge import ImportJudge
from shared.proof.claims.service_modules import open_service_modules
from tests.support.source_tree import FakeSourceTree

FAILS, HOLDS, UNKNOWN = ClaimState.FAILS, ClaimState.HOLDS, ClaimState.UNKNOWN

DOCKERFILE = "FROM python:3.11\nWORKDIR /srv\nCOPY . .\nCMD uvicorn app.main:app\n"
SERVICE = {
    "Dockerfile": DOCKERFILE,
    "app/__init__.py": "",
    "app/main.py": "",
    "app/rooms.py": "def open_room(): pass\n",
    "app/views.py": "",
}
PATH = "app/views.py"


def judge_import(files: Mapping[str, str], module: str, name: str = "", line: int = 1) -> ClaimVerdict:
    """The verdict on the claim that `module` is missing, or a name of it, where `files` are added to the service."""
    modules = open_service_modules(FakeSourceTree({**SERVICE, **files}), TracedFiles(PATH), "3.11")
    family = ClaimFamily.IMPORT_NAME if name else ClaimFamily.MODULE
    error = "ImportError" if name else "ModuleNotFoundError"
    return ImportJudge().judge(Claim(family, PATH, line, error, "", module=module, name=name), modules)
