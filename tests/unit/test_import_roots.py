"""Which folder a traceback and a start command show as the import path, and what is decided by that."""

from collections.abc import Mapping

import pytest

from shared.detection.logged_exception import Frame, LoggedException
from shared.proof.claims.claim import Claim, ClaimFamily, ClaimState, ModuleKind
from shared.proof.claims.importing.image_layout import TracedFiles, find_layouts
from shared.proof.claims.read_claim import find_import_root, find_package_root
from shared.proof.claims.scopes.name_judge import NameJudge
from shared.proof.claims.service_modules import open_service_modules
from shared.proof.loading.commit_tree import RecordingTree
from tests.support.source_tree import FakeSourceTree

STARTED = "FROM python:3.11\nWORKDIR /app\nENV PYTHONPATH=/app:/app/quay/desk\nCOPY . .\nCMD uvicorn {}:app\n"
FILES = {
    "quay/__init__.py": "",
    "quay/desk/__init__.py": "",
    "quay/desk/main.py": "",
    "quay/desk/tides.py": "flow = 1\n",
}


def open_tree(files: Mapping[str, str]) -> RecordingTree:
    return RecordingTree(FakeSourceTree(files))


@pytest.mark.parametrize(
    ("message", "root"),
    [
        ("cannot import name 'flow' from 'quay.tides' (/app/quay/tides.py)", "/app"),
        ("cannot import name 'flow' from 'quay' (/srv/code/quay/__init__.py)", "/srv/code"),
        ("cannot import name 'flow' from 'tides' (/tides.py)", "/"),
        (
            "cannot import name 'flow' from partially initialized module 'quay.tides' (most likely due to a circular "
            "import) (/app/quay/tides.py)",
            "/app",
        ),
        ("cannot import name 'flow' from 'quay.tides' (/app/other.py)", ""),
        ("cannot import name 'flow' from 'quay.tides' (unknown location)", ""),
        ("No module named 'quay.tides'", ""),
    ],
)
def test_the_message_of_an_import_names_the_folder_it_was_found_in(message: str, root: str) -> None:
    assert find_import_root(message) == root


@pytest.mark.parametrize(("module", "kind"), [("quay.desk.main", ModuleKind.FILE), ("main", ModuleKind.UNKNOWN)])
def test_a_file_that_is_started_by_its_package_is_in_it_though_its_folder_is_a_root(
    module: str, kind: ModuleKind
) -> None:
    tree = open_tree({**FILES, "Dockerfile": STARTED.format(module)})
    modules = open_service_modules(tree, TracedFiles("quay/desk/main.py"), "3.11")
    assert modules.find_module("quay/desk/main.py", "tides", 1).kind is kind


def test_of_several_images_those_count_whose_import_path_the_log_shows() -> None:
    other = "FROM python:3.11\nWORKDIR /app/quay\nCOPY quay .\nCMD uvicorn desk.main:app\n"
    files = {**FILES, "Dockerfile": STARTED.format("quay.desk.main"), "ops/Dockerfile": other}
    found = {
        root: [
            layout.roots[0]
            for layout in find_layouts(open_tree(files), TracedFiles("quay/desk/main.py", logged_root=root))
        ]
        for root in ("", "/app", "/elsewhere")
    }
    assert found["/app"] == ["/app"]
    assert set(found[""]) == set(found["/elsewhere"]) == {"/app", "/app/quay"}


def judge_late_helper(between: str) -> ClaimState:
    """A route's handler uses a function that stands below it, and `between` stands in between."""
    handler = "@router.post('/moor')\nasync def moor(ship):\n    return await berth(ship)"
    main = f"router = R()\n{handler}\n{between}\nasync def berth(ship): pass\n"
    files = {**FILES, "Dockerfile": STARTED.format("quay.desk.main"), "quay/desk/main.py": main}
    modules = open_service_modules(open_tree(files), TracedFiles("quay/desk/main.py"), "3.11")
    claim = Claim(
        ClaimFamily.NAME, "quay/desk/main.py", 4, "NameError", "name 'berth' is not defined", "moor",
        "return await berth(ship)", name="berth",
    )  # fmt: skip
    return NameJudge().judge(claim, modules).state


@pytest.mark.parametrize(
    ("between", "state"),
    [
        ("", ClaimState.HOLDS),
        ("import anchor", ClaimState.HOLDS),
        ("from anchor.chain import link", ClaimState.HOLDS),
        ("import quay.desk.tides", ClaimState.UNKNOWN),
        ("from . import tides", ClaimState.UNKNOWN),
    ],
)
def test_an_import_of_what_is_not_in_the_repository_calls_no_handler(between: str, state: ClaimState) -> None:
    assert judge_late_helper(between) is state


@pytest.mark.parametrize(
    ("source_text", "error_class", "message", "root"),
    [
        (
            "from ..tides import flow",
            "ImportError",
            "cannot import name 'flow' from 'quay.tides' (/app/quay/tides.py)",
            "/app",
        ),
        (
            "from . import flow",
            "ImportError",
            "cannot import name 'flow' from 'quay.desk' (/app/quay/desk.py)",
            "/app",
        ),
        ("from ..ops.locks import gate", "ModuleNotFoundError", "No module named 'quay.ops.locks'", "/app"),
        ("from ..ops.locks import gate", "ModuleNotFoundError", "No module named 'quay.ops'", "/app"),
        ("from ..ops.locks import gate", "ModuleNotFoundError", "No module named 'harbour'", ""),
        ("from quay.ops import gate", "ModuleNotFoundError", "No module named 'quay.ops'", ""),
        ("from .. import flow", "ImportError", "cannot import name 'flow' from 'harbour' (/app/harbour.py)", ""),
    ],
)
def test_a_relative_import_shows_below_which_folder_its_file_was_loaded(
    source_text: str, error_class: str, message: str, root: str
) -> None:
    frame = Frame("/app/quay/desk/main.py", 3, "<module>", source_text)
    assert find_package_root(LoggedException(error_class, message, (frame,))) == root


@pytest.mark.parametrize(
    ("started", "package_root", "kind"),
    [
        ("quay.desk.main", "/app", ModuleKind.FILE),
        ("quay.desk.main", "", ModuleKind.UNKNOWN),
        ("main", "/app", ModuleKind.UNKNOWN),
    ],
)
def test_a_file_that_the_log_shows_in_its_package_is_in_it_though_its_folder_is_a_root(
    started: str, package_root: str, kind: ModuleKind
) -> None:
    """Not where the start command names no package: then another start loads the file by another name."""
    files = {**FILES, "quay/desk/bells.py": "", "Dockerfile": STARTED.format(started)}
    traced = TracedFiles("quay/desk/bells.py", package_root=package_root)
    modules = open_service_modules(open_tree(files), traced, "3.11")
    assert modules.find_module("quay/desk/bells.py", "tides", 1).kind is kind
