"""A document that was deleted behind a store's back: its old version in, a refusal and no document out."""

import urllib.request
from collections.abc import Callable

import pytest

from shared.adapters.google.firestore_store import FirestoreStore
from shared.adapters.sqlite.sqlite_store import SqliteStore
from shared.ports import Store
from tests.support.memory import MemoryStore
from tests.support.stores import StoreOpener

Delete = Callable[[], None]


@pytest.fixture
def store(opened: StoreOpener) -> Store:
    return opened()


@pytest.fixture
def delete(store: Store, request: pytest.FixtureRequest) -> Delete:
    """Deletes the document `boats/heron`, as an operator or a time to live does; the port itself deletes nothing."""
    if isinstance(store, FirestoreStore):
        emulator = request.getfixturevalue("emulators").environment["FIRESTORE_EMULATOR_HOST"]
        where = f"http://{emulator}/v1/{store._documents}/boats/heron"
        asked = urllib.request.Request(where, headers={"Authorization": "Bearer owner"}, method="DELETE")
        return lambda: urllib.request.urlopen(asked, timeout=10).close()
    if isinstance(store, SqliteStore):
        return lambda: _delete_row(store)
    assert isinstance(store, MemoryStore)
    return lambda: store._documents.pop("boats").clear()


def _delete_row(store: SqliteStore) -> None:
    with store._file.write_transaction() as connection:
        connection.execute("DELETE FROM documents WHERE kind = 'boats' AND key = 'heron'")


def test_it_is_replaced_by_nobody_who_has_read_it_before(store: Store, delete: Delete) -> None:
    store.create("boats", "heron", {"state": "moored"})
    read = store.read("boats", "heron")
    assert read is not None
    delete()
    assert store.read("boats", "heron") is None
    assert not store.replace("boats", "heron", {"state": "at sea"}, read.version)
    assert store.read("boats", "heron") is None
    assert store.find("boats", "state", "at sea") == []


def test_it_can_be_created_again_and_its_old_version_stays_void(store: Store, delete: Delete) -> None:
    store.create("boats", "heron", {"state": "moored"})
    old = store.read("boats", "heron")
    assert old is not None
    assert store.replace("boats", "heron", {"state": "at sea"}, old.version)
    later = store.read("boats", "heron")
    assert later is not None
    delete()
    assert store.create("boats", "heron", {"state": "new"})
    assert not store.replace("boats", "heron", {"state": "sunk"}, later.version)
    again = store.read("boats", "heron")
    assert again is not None
    assert again.value == {"state": "new"}
    assert store.replace("boats", "heron", {"state": "renewed"}, again.version)
