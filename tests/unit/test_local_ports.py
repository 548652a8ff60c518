"""The functions of one machine answer programs of it and nobody's web page; what they keep nobody else reads."""

import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from functions import main
from functions.local import topology
from functions.local.guarded_main import guard_function
from functions.local.private_files import make_private, open_private
from functions.local.request_origin import PROBLEM_STATUS, OriginProblem
from functions.local.server_process import FUNCTIONS_FILE, clean_environment
from functions.local.stack_folder import lock_folder, publish_environment
from shared.adapters.sqlite.sqlite_store import SqliteStore

PORT = 8301
OWN = f"127.0.0.1:{PORT}"
Called = Callable[[Mapping[str, str]], int]


def call(*, anywhere: bool) -> Called:
    """The status that a request with these headers gets; 204 is the function's own."""

    def own(_request: Request) -> Any:
        return "", 204

    def status(headers: Mapping[str, str]) -> int:
        builder = EnvironBuilder(method="POST", data=b"{}", content_type="text/plain", base_url=f"http://{OWN}")
        environment = builder.get_environ() | {"SERVER_PORT": str(PORT)}
        environment |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
        return int(guard_function(own, any_host=anywhere)(Request(environment))[1])

    return status


PAGES: list[dict[str, str]] = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": ""},
    {"origin": f"http://{OWN}"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-origin"},
]


@pytest.mark.parametrize("headers", PAGES)
@pytest.mark.parametrize("anywhere", [True, False])
def test_what_a_browser_sends_reaches_no_function(headers: dict[str, str], anywhere: bool) -> None:  # noqa: FBT001
    assert call(anywhere=anywhere)(headers) == PROBLEM_STATUS[OriginProblem.ORIGIN]


@pytest.mark.parametrize("host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", f"[::1]:{PORT}", ""])
def test_a_foreign_name_reaches_only_what_checks_signatures(host: str) -> None:
    assert call(anywhere=False)({"host": host}) == PROBLEM_STATUS[OriginProblem.HOST]
    assert call(anywhere=True)({"host": host}) == 204


@pytest.mark.parametrize("host", [OWN, f"localhost:{PORT}"])
def test_a_program_of_this_machine_is_answered(host: str) -> None:
    assert call(anywhere=False)({"host": host}) == 204


def test_every_function_of_the_stack_is_served_with_its_guard() -> None:
    from functions.local import guarded_main  # noqa: PLC0415

    assert Path(guarded_main.__file__) == FUNCTIONS_FILE
    assert set(guarded_main.__all__) == set(main.__all__) - {"decide_socket"}  # there is no need of it on one machine
    assert {
        topology.SLACK_FUNCTION,
        topology.WEBHOOK_FUNCTION,
        *(each.function for each in topology.SUBSCRIBERS),
    } == set(guarded_main.__all__)
    assert all(getattr(guarded_main, name) is not getattr(main, name) for name in guarded_main.__all__)


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.rglob("*")]}


def test_state_is_for_nobody_else(tmp_path: Path) -> None:
    folder = tmp_path / ".provenfix"
    with lock_folder(folder), publish_environment(folder, {"PROVENFIX_EMBEDDED": str(folder)}, keep=True):
        store = SqliteStore(folder / "stack.db")
        store.create("incidents", "one", {"path": "app.py"})
        open_private(folder / "record.log", "ab").close()
        found = modes(folder)
        store.close()
    assert found.pop(".provenfix") == 0o700
    assert {"held", "stack.json", "stack.db", "stack.db-wal", "record.log"} <= set(found)
    assert set(found.values()) == {0o600}


def test_what_an_earlier_version_left_open_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / ".provenfix"
    folder.mkdir(mode=0o755)
    (folder / "held").touch(mode=0o644)
    (folder / "record.log").touch(mode=0o644)
    with lock_folder(folder):
        open_private(folder / "record.log", "ab").close()
        assert modes(folder) == {".provenfix": 0o700, "held": 0o600, "record.log": 0o600}


def test_a_folder_of_somebodys_other_files_stays_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir(mode=0o755)
    (folder / "notes.txt").touch()
    make_private(folder)
    assert modes(folder)["home"] == 0o755


def test_a_child_inherits_nothing_that_changes_what_it_loads() -> None:
    shell = {"PATH": "/bin", "PYTHONPATH": ".", "PYTHONSTARTUP": "x.py", "DEBUG": "1", "FUNCTION_SOURCE": "x", "A": "b"}
    assert clean_environment({"PYTHONPATH": "/code"}, shell) == {
        "PATH": "/bin",
        "A": "b",
        "PYTHONPATH": "/code",
    }
