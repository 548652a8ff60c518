"""Every store keeps the promises of `shared.ports.Store`: Firestore, SQLite, and the fake that the other tests use."""

import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier

import pytest

from functions.local.emulators import Emulators
from shared.adapters.google.firestore_store import RETENTION, FirestoreStore
from shared.adapters.sqlite.sqlite_store import SqliteStore
from shared.errors import Retry
from shared.ports import Document, Store
from shared.text.timestamps import format_rfc3339
from tests.support.stores import StoreOpener

RACERS = 20

AWKWARD: Document = {
    "state": "adrift",
    "lists": [[1, [2]], [], {}],
    "": "a field without a name",
    "__mine__": None,
    "dots.and`ticks": {"deep": {"deeper": [True, False, None]}},
    "number": 2**62,
    "fraction": 0.1,
    "text": "Föhn \N{SAILBOAT} \x00 \\n",
    "half a pair": "\ud83d",
    "long": "k" * 200_000,
}
AWKWARD_KEYS = [
    "plain",
    "a/b",
    "a%2Fb",
    ".",
    "..",
    "...",
    "__id__",
    "%5F_id__",
    "_",
    "Föhn",
    "\N{SAILBOAT}",
    "a b",
    "A",
    "a",
]


@pytest.fixture
def store(opened: StoreOpener) -> Store:
    return opened()


def test_a_document_reads_as_it_was_written(store: Store) -> None:
    assert store.create("boats", "heron", {"state": "moored", "crew": ["Ada"]})
    read = store.read("boats", "heron")
    assert read is not None
    assert (read.kind, read.key, read.value) == ("boats", "heron", {"state": "moored", "crew": ["Ada"]})


def test_what_was_never_written_is_none(store: Store) -> None:
    store.create("boats", "heron", {})
    assert store.read("boats", "egret") is None
    assert store.read("piers", "heron") is None


def test_a_second_creation_is_refused_and_changes_nothing(store: Store) -> None:
    assert store.create("boats", "heron", {"owner": "first"})
    before = store.read("boats", "heron")
    assert not store.create("boats", "heron", {"owner": "second"})
    assert store.read("boats", "heron") == before


def test_a_replacement_leaves_nothing_of_the_old_value_and_a_new_version(store: Store) -> None:
    store.create("boats", "heron", {"state": "moored", "berth": "7", "deep": {"old": "1"}})
    before = store.read("boats", "heron")
    assert before is not None
    assert store.replace("boats", "heron", {"state": "at sea", "deep": {"new": "2"}}, before.version)
    after = store.read("boats", "heron")
    assert after is not None
    assert after.value == {"state": "at sea", "deep": {"new": "2"}}
    assert after.version != before.version
    assert store.find("boats", "berth", "7") == []


def test_only_the_current_version_can_be_replaced(store: Store) -> None:
    store.create("boats", "heron", {"state": "moored"})
    stale = store.read("boats", "heron")
    assert stale is not None
    assert store.replace("boats", "heron", {"state": "at sea"}, stale.version)
    assert not store.replace("boats", "heron", {"state": "sunk"}, stale.version)
    assert [found.key for found in store.find("boats", "state", "at sea")] == ["heron"]


def test_a_replacement_by_an_equal_value_uses_the_version_up(store: Store) -> None:
    store.create("boats", "heron", {"state": "moored"})
    read = store.read("boats", "heron")
    assert read is not None
    assert store.replace("boats", "heron", {"state": "moored"}, read.version)
    assert not store.replace("boats", "heron", {"state": "moored"}, read.version)


def test_what_does_not_exist_cannot_be_replaced(store: Store) -> None:
    store.create("boats", "heron", {})
    read = store.read("boats", "heron")
    assert read is not None
    assert not store.replace("boats", "egret", {}, read.version)
    assert store.read("boats", "egret") is None


def test_every_json_value_survives_exactly(store: Store) -> None:
    assert store.create("boats", "heron", AWKWARD)
    read = store.read("boats", "heron")
    assert read is not None
    assert json.dumps(read.value, sort_keys=True) == json.dumps(AWKWARD, sort_keys=True)
    assert store.replace("boats", "heron", {**AWKWARD, "number": -1}, read.version)
    assert [found.value["number"] for found in store.find("boats", "state", "adrift")] == [-1]


def test_what_is_read_is_a_copy_of_its_own(store: Store) -> None:
    crew = ["Ada"]
    store.create("boats", "heron", {"crew": crew})
    crew.append("Bo")
    first = store.read("boats", "heron")
    assert first is not None
    assert first.value == {"crew": ["Ada"]}


def test_keys_of_any_shape_name_documents_of_their_own(store: Store) -> None:
    assert all(store.create("boats", key, {"mine": key}) for key in AWKWARD_KEYS)
    for key in AWKWARD_KEYS:
        read = store.read("boats", key)
        assert read is not None
        assert (read.key, read.value) == (key, {"mine": key})
    assert [found.key for key in AWKWARD_KEYS for found in store.find("boats", "mine", key)] == AWKWARD_KEYS


def test_find_gives_the_documents_of_one_kind_by_key(store: Store) -> None:
    for key, state in [("c", "moored"), ("a", "moored"), ("d", "at sea"), ("b", "moored")]:
        store.create("boats", key, {"state": state})
    store.create("piers", "a", {"state": "moored"})
    assert [found.key for found in store.find("boats", "state", "moored")] == ["a", "b", "c"]
    assert [found.key for found in store.find("boats", "state", "moored", limit=2)] == ["a", "b"]
    assert store.find("boats", "state", "sunk") == []


def test_what_find_gives_can_be_replaced(store: Store) -> None:
    store.create("boats", "heron", {"state": "moored"})
    [found] = store.find("boats", "state", "moored")
    assert found == store.read("boats", "heron")
    assert store.replace("boats", "heron", {"state": "at sea"}, found.version)


def test_find_asks_for_top_level_texts_only(store: Store) -> None:
    store.create("boats", "heron", {"deep": {"state": "moored"}, "berth": 7, "list": ["moored"], "odd.na`me": "moored"})
    assert store.find("boats", "state", "moored") == []
    assert store.find("boats", "berth", "7") == []
    assert store.find("boats", "list", "moored") == []
    assert [found.key for found in store.find("boats", "odd.na`me", "moored")] == ["heron"]


@pytest.mark.parametrize("value", [{"huge": "k" * 1_000_001}, {"not": float("nan")}, {"not": {1, 2}}])
def test_what_one_store_could_not_hold_none_takes(store: Store, value: Document) -> None:
    with pytest.raises((ValueError, TypeError)):
        store.create("boats", "heron", value)
    assert store.read("boats", "heron") is None


def test_of_many_that_create_at_once_one_succeeds(opened: StoreOpener) -> None:
    stores = [opened() for _ in range(RACERS)]
    start = Barrier(RACERS)

    def create(number: int) -> bool:
        start.wait()
        return stores[number].create("boats", "heron", {"owner": str(number)})

    with ThreadPoolExecutor(RACERS) as pool:
        won = list(pool.map(create, range(RACERS)))
    assert won.count(True) == 1
    assert stores[0].find("boats", "owner", str(won.index(True))) != []


def test_no_replacement_is_lost_however_many_write_at_once(opened: StoreOpener) -> None:
    stores = [opened() for _ in range(8)]
    stores[0].create("boats", "heron", {"knots": 0})

    def faster(store: Store) -> None:
        gained = 0
        while gained < 5:
            read = store.read("boats", "heron")
            assert read is not None
            knots = read.value["knots"]
            assert isinstance(knots, int)
            gained += store.replace("boats", "heron", {"knots": knots + 1}, read.version)

    with ThreadPoolExecutor(len(stores)) as pool:
        list(pool.map(faster, stores))
    read = stores[0].read("boats", "heron")
    assert read is not None
    assert read.value == {"knots": 40}


def test_what_is_of_use_for_a_while_only_says_until_when(emulators: Emulators) -> None:
    """Firestore's TTL deletes by a field of the type time, whatever was asked for; other kinds have none."""
    now = datetime(2026, 3, 1, tzinfo=UTC)
    emulator = emulators.environment["FIRESTORE_EMULATOR_HOST"]
    store = FirestoreStore("contract-expiry", emulator=emulator, now=lambda: now)
    for kind in (*RETENTION, "incidents"):
        assert store.create(kind, "heron", {"state": "moored"})
        read = store.read(kind, "heron")
        assert read is not None
        assert store.replace(kind, "heron", {"state": "sunk"}, read.version)
        where = f"http://{emulator}/v1/projects/contract-expiry/databases/(default)/documents/{kind}/heron"
        asked = urllib.request.Request(where, headers={"Authorization": "Bearer owner"})
        with urllib.request.urlopen(asked, timeout=10) as answer:
            fields = json.loads(answer.read())["fields"]
        until = format_rfc3339(now + RETENTION[kind]) if kind in RETENTION else None
        assert fields.get("expires", {}).get("timestampValue") == until, kind
    store.close()


def test_a_store_that_cannot_be_reached_asks_to_be_tried_again(tmp_path: Path) -> None:
    away = FirestoreStore("contract-away", seconds=0.2, emulator="127.0.0.1:1")
    nowhere = SqliteStore(tmp_path)
    for store in (away, nowhere):
        with pytest.raises(Retry):
            store.create("boats", "heron", {})
        with pytest.raises(Retry):
            store.read("boats", "heron")
        with pytest.raises(Retry):
            store.replace("boats", "heron", {}, "1@2026-01-01T00:00:00Z" if store is away else "1")
        with pytest.raises(Retry):
            store.find("boats", "state", "moored")
        store.close()
