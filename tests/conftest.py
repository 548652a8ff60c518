"""The emulators, started once for all tests of a run and only if one of them asks; and every store, over them."""

import gc
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.local.emulators import Emulators, find_emulators, run_emulators
from functions.local.stack_folder import override_environ
from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.google.firestore_store import FirestoreStore
from shared.adapters.sqlite.sqlite_store import SqliteStore
from shared.errors import InputError
from shared.ports import Store
from tests.support.memory import MemoryStore
from tests.support.stores import StoreOpener

_project_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def emulators_installed() -> None:
    """Without them a test skips; where `CI=true` it fails."""
    try:
        find_emulators()
    except InputError as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def emulators(emulators_installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulators]:  # noqa: ARG001
    """Both emulators, on free ports of the loopback; Google's clients are led there until the end of the run."""
    with run_emulators(tmp_path_factory.mktemp("emulators")) as running, override_environ(running.environment):
        yield running


@pytest.fixture(scope="session")
def compilers() -> Iterator[LocalCompilers]:
    """Interpreters, started once for all tests of a run."""
    with LocalCompilers() as found:
        yield found


@pytest.fixture(params=["firestore", "sqlite", "memory"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreOpener]:
    """Opens the same empty store as often as it is called, as several processes would."""
    stores: list[FirestoreStore | SqliteStore] = []
    if request.param == "memory":
        only = MemoryStore()
        yield lambda: only
        return
    if request.param == "firestore":
        emulator = request.getfixturevalue("emulators").environment["FIRESTORE_EMULATOR_HOST"]
    project = f"contract-{next(_project_numbers)}"

    def another() -> Store:
        of_google = request.param == "firestore"
        fresh = FirestoreStore(project, emulator=emulator) if of_google else SqliteStore(tmp_path / "db" / "stack.db")
        stores.append(fresh)
        return fresh

    yield another
    for store in stores:
        store.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What judges all messages of a run comes after all tests that produce some."""
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)


def pytest_collection_finish() -> None:
    """What was imported and collected lives until the end: the garbage collector need not look at it again."""
    gc.collect()
    gc.freeze()
