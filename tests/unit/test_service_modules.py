"""What an import means in the image of a service: Python's own rules, and unknown where code may change them."""

from collections.abc import Mapping

import pytest

from shared.proof.claims.claim import ModuleKind
from shared.proof.claims.importing.image_layout import TracedFiles
from shared.proof.claims.service_modules import ImageModules, open_service_modules
from tests.support.source_tree import FakeSourceTree

DOCKERFILE = "FROM python:3.12-slim\nWORKDIR /srv\nCOPY . .\nCMD uvicorn relay.main:app\n"
SERVICE = {
    "Dockerfile": DOCKERFILE,
    "relay/__init__.py": "",
    "relay/main.py": "",
    "relay/rooms.py": "",
    "relay/store/__init__.py": "",
    "relay/store/rows.py": "",
    "relay/plain/words.py": "",
    "tools.py": "",
}
MAIN = "relay/main.py"


def open_modules(files: Mapping[str, str], failing: str = MAIN, python: str = "3.12") -> ImageModules:
    return open_service_modules(FakeSourceTree(files), TracedFiles(failing), python)


@pytest.mark.parametrize(
    ("module", "level", "kind", "path"),
    [
        ("relay", 0, ModuleKind.PACKAGE, "relay/__init__.py"),
        ("relay.rooms", 0, ModuleKind.FILE, "relay/rooms.py"),
        ("relay.store", 0, ModuleKind.PACKAGE, "relay/store/__init__.py"),
        ("relay.store.rows", 0, ModuleKind.FILE, "relay/store/rows.py"),
        ("relay.plain", 0, ModuleKind.NAMESPACE, "relay/plain"),
        ("relay.plain.words", 0, ModuleKind.FILE, "relay/plain/words.py"),
        ("relay.gone", 0, ModuleKind.MISSING, ""),
        ("relay.rooms.deeper", 0, ModuleKind.MISSING, ""),
        ("relay.plain.gone", 0, ModuleKind.MISSING, ""),
        ("tools", 0, ModuleKind.FILE, "tools.py"),
        ("", 1, ModuleKind.PACKAGE, "relay/__init__.py"),
        ("rooms", 1, ModuleKind.FILE, "relay/rooms.py"),
        ("Rooms", 1, ModuleKind.MISSING, ""),
        ("gone", 1, ModuleKind.MISSING, ""),
        ("rooms", 2, ModuleKind.UNKNOWN, ""),
        ("asyncio", 0, ModuleKind.OUTSIDE, ""),
        ("sys", 0, ModuleKind.OUTSIDE, ""),
        ("rooms", 0, ModuleKind.UNKNOWN, ""),
        ("rows", 0, ModuleKind.UNKNOWN, ""),
    ],
)
def test_an_import_finds_what_python_finds(module: str, level: int, kind: ModuleKind, path: str) -> None:
    answer = open_modules(SERVICE).find_module(MAIN, module, level)
    assert (answer.kind, answer.path) == (kind, path)
    assert bool(answer.reason) == (kind in {ModuleKind.MISSING, ModuleKind.UNKNOWN})


def kind_of(files: Mapping[str, str], module: str, failing: str = MAIN, python: str = "3.12") -> ModuleKind:
    return open_modules(files, failing, python).find_module(failing, module).kind


def test_a_package_comes_before_a_module_of_its_name() -> None:
    both = {**SERVICE, "relay/store.py": ""}
    assert open_modules(both).find_module(MAIN, "relay.store").path == "relay/store/__init__.py"


def test_a_module_comes_before_a_folder_of_its_name() -> None:
    both = {**SERVICE, "relay/plain.py": ""}
    assert open_modules(both).find_module(MAIN, "relay.plain").path == "relay/plain.py"
    assert kind_of(both, "relay.plain.words") is ModuleKind.MISSING


def test_what_the_ignore_file_leaves_out_is_missing_although_it_is_in_the_tree() -> None:
    answer = open_modules({**SERVICE, ".dockerignore": "**/store/\n"}).find_module(MAIN, "relay.store")
    assert answer.kind is ModuleKind.MISSING
    assert "relay/store" in answer.reason


def test_what_the_ignore_file_leaves_out_of_the_import_path_is_missing() -> None:
    assert kind_of({**SERVICE, ".dockerignore": "tools.py\n"}, "tools") is ModuleKind.MISSING


def test_what_is_not_on_the_import_path_may_be_of_a_package() -> None:
    dockerfile = "FROM python:3.12\nWORKDIR /srv\nCOPY relay ./relay\nCMD uvicorn relay.main:app\n"
    assert kind_of({**SERVICE, "Dockerfile": dockerfile}, "tools") is ModuleKind.UNKNOWN


def test_the_folder_of_a_started_script_is_the_import_path() -> None:
    dockerfile = "FROM python:3.12\nWORKDIR /srv\nCOPY . .\nCMD python relay/main.py\n"
    files = {**SERVICE, "Dockerfile": dockerfile}
    assert open_modules(files).find_module(MAIN, "rooms").path == "relay/rooms.py"
    assert kind_of(files, "tools") is ModuleKind.UNKNOWN


@pytest.mark.parametrize(
    ("name", "python", "kind"),
    [
        ("distutils", "3.11", ModuleKind.OUTSIDE),
        ("distutils", "3.12", ModuleKind.UNKNOWN),
        ("tomllib", "3.10", ModuleKind.UNKNOWN),
        ("tomllib", "3.11", ModuleKind.OUTSIDE),
    ],
)
def test_the_standard_library_is_that_of_the_image(name: str, python: str, kind: ModuleKind) -> None:
    assert kind_of(SERVICE, name, python=python) is kind


@pytest.mark.parametrize(
    ("trap", "module"),
    [
        ({"relay/__init__.py": "import sys\nsys.modules['relay.gone'] = sys\n"}, "relay.gone"),
        ({"relay/__init__.py": "__path__.append('/opt/more')\n"}, "relay.gone"),
        ({"relay/fast.cpython-312-x86_64-linux-gnu.so": ""}, "relay.fast"),
        ({"logging/__init__.py": ""}, "logging"),
        ({"Dockerfile": DOCKERFILE.replace("CMD", "RUN protoc relay.proto\nCMD")}, "relay.relay_pb2"),
        ({"Dockerfile": DOCKERFILE.replace("CMD", "RUN write > relay/version.py\nCMD")}, "relay.version"),
        ({".gitignore": "relay/local.py\n"}, "relay.local"),
        ({MAIN: "import sys\nsys.path.append('relay/plain')\n"}, "words"),
    ],
)
def test_what_code_or_the_build_may_change_is_unknown(trap: dict[str, str], module: str) -> None:
    assert kind_of({**SERVICE, **trap}, module) is ModuleKind.UNKNOWN


def test_a_stub_is_no_module() -> None:
    assert kind_of({**SERVICE, "relay/typed.pyi": ""}, "relay.typed") is ModuleKind.MISSING


def test_a_link_is_unknown() -> None:
    traced = TracedFiles(MAIN, is_link=lambda path: path == "relay/linked")
    modules = open_service_modules(FakeSourceTree(SERVICE), traced, "3.12")
    assert modules.find_module(MAIN, "relay.linked.deep").kind is ModuleKind.UNKNOWN


def test_without_an_image_the_paths_of_the_traceback_show_the_import_path() -> None:
    files = {f"backend/{path}": text for path, text in SERVICE.items() if path != "Dockerfile"}
    failing = f"backend/{MAIN}"
    traced = TracedFiles(failing, logged_paths={failing: f"/app/{MAIN}"})
    modules = open_service_modules(FakeSourceTree(files), traced, "3.12")
    assert modules.find_module(failing, "tools").path == "backend/tools.py"
    assert modules.find_module(failing, "relay.gone").kind is ModuleKind.MISSING
    assert modules.find_module(failing, "other").kind is ModuleKind.UNKNOWN


def test_images_that_differ_decide_nothing() -> None:
    other = "FROM python:3.12\nWORKDIR /srv\nCOPY relay ./relay\nCMD uvicorn relay.main:app\n"
    files = {**SERVICE, "Dockerfile.api": other}
    assert kind_of(files, "tools") is ModuleKind.UNKNOWN
    assert kind_of(files, "relay.rooms") is ModuleKind.FILE


def test_an_answer_depends_on_the_paths_that_it_asked_for() -> None:
    modules = open_modules(SERVICE)
    modules.find_module(MAIN, "relay.store.rows")
    asked = modules.tree.recorded_paths
    assert {"Dockerfile", "relay/__init__.py", "relay/store/rows.py", ".dockerignore"} <= asked
    assert not {"tools.py", "relay/rooms.py"} & asked


def test_the_line_that_only_some_builders_read_so_is_named_where_it_is_what_leaves_a_module_out() -> None:
    files = {
        **SERVICE,
        "Dockerfile": "FROM python:3.12-slim\nWORKDIR /srv\nCOPY relay/ relay/\nCMD uvicorn relay.main:app\n",
    }
    modules = open_modules({**files, ".dockerignore": "# caches\n**/store/\n!relay/\n"})
    store = modules.find_module(MAIN, "relay.store")
    assert store.kind is ModuleKind.MISSING
    assert store.absence is not None
    assert (store.absence.path, store.absence.line) == (".dockerignore", 2)


def test_a_package_beside_the_service_that_no_instruction_copies_is_missing() -> None:
    files = {"Dockerfile": "FROM python:3.12-slim\nWORKDIR /srv\nCOPY relay/ relay/\nCMD uvicorn relay.main:app\n"}
    modules = open_modules({**SERVICE, **files, "ledger/__init__.py": "", "ledger/books.py": ""})
    ledger = modules.find_module(MAIN, "ledger")
    assert ledger.kind is ModuleKind.MISSING
    assert ledger.absence is not None
    assert (ledger.absence.path, ledger.absence.line) == ("Dockerfile", 3)
    assert modules.find_module(MAIN, "nowhere_at_all").kind is ModuleKind.UNKNOWN


def test_a_package_within_a_package_is_not_imported_by_its_own_name() -> None:
    files = {**SERVICE, "relay/queue9/__init__.py": "", "relay/queue9/readers.py": ""}
    answer = open_modules(files, "relay/queue9/readers.py").find_module("relay/queue9/readers.py", "queue9.errors")
    assert answer.kind is ModuleKind.UNKNOWN
