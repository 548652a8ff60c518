"""Which folder a traceback and a start command show as the import path, and what is decided by that."""

from collections.abc import Mapping

import pytest

from shared.proof.claims.claim import ModuleKind
from shared.proof.claims.importing.image_layout import TracedFiles, find_layouts
from shared.proof.claims.read_claim import find_import_root
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
