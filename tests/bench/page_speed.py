"""How long an incident's page takes while a storm of 20,000 entries of it is dealt with, against the same page at rest.

In: a folder. Out: rows. It is the demo's own storm, whole: six processes and a page on the same cores.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from functions.local.server_process import LOOPBACK, find_free_port
from shared.adapters.sqlite.sqlite_queue import SqliteQueue
from shared.adapters.sqlite.sqlite_store import SqliteStore
from shared.ports import StoredDocument
from shared.state_stores import QUEUE_FILE, STORE_FILE
from shared.workflow import flow
from shared.workflow.records import incident_record
from tests.bench.table import Row

_SERVICE = "harbour-prod.harbour-chat"
_DEADLINE = 1_200.0
_PAUSE = 0.2
_QUIET = 2.0
"""Seconds without a waiting entry, after which the storm is over."""
_AT_REST = 50


def rows(folder: Path) -> Iterator[Row]:
    """Takes minutes."""
    folder.mkdir()
    port = find_free_port()
    command = [sys.executable, "-c", "from provenfix.command import main; main()", "demo", "--scenario", "storm"]
    command += ["--no-browser", "--port", str(port), "--folder", str(folder)]
    with (folder / "told.txt").open("w") as told:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=told, stderr=told)
    try:
        yield from _measured(folder, port)
    finally:
        process.terminate()
        process.wait()


def _measured(folder: Path, port: int) -> Iterator[Row]:
    _until(lambda: (folder / STORE_FILE).exists() and (folder / QUEUE_FILE).exists())
    store, queue = SqliteStore(folder / STORE_FILE), SqliteQueue(folder / QUEUE_FILE)
    _until(lambda: bool(_incidents(store)))
    page = f"/incidents/{_incidents(store)[0].key}"
    _until(lambda: _seconds(port, page) is not None)
    _until(lambda: queue.oldest_age(flow.LOG_ENTRIES) > 0)  # the storm begins after the incident
    stormy, at_rest = [], []
    busy_at = time.monotonic()
    while time.monotonic() - busy_at < _QUIET:
        stormy.append(_seconds(port, page) or _DEADLINE)
        time.sleep(_PAUSE)
        busy_at = time.monotonic() if queue.oldest_age(flow.LOG_ENTRIES) > 0 else busy_at
    for _ in range(_AT_REST):
        at_rest.append(_seconds(port, page) or _DEADLINE)
        time.sleep(_PAUSE)
    yield Row(
        f"an incident's page while 20,000 entries arrive, {len(stormy)} times",
        _told(stormy),
        f"at rest: {_told(at_rest)}",
        f"{_middle(stormy) / _middle(at_rest):.1f}",
        "p95 < 1 s",
        _high(stormy) < 1,
    )
    found = len(_incidents(store))
    yield Row("… and the incidents that it left", str(found), goal="1", met=found == 1)
    store.close()
    queue.close()


def _incidents(store: SqliteStore) -> Sequence[StoredDocument]:
    found = store.find(incident_record.KIND, "service", _SERVICE)
    return [each for each in found if each.value["kind"] == "syntax_error"]


def _seconds(port: int, path: str) -> float | None:
    """Of one request, connection included; None where it was not answered with the page."""
    begun = time.perf_counter()
    connection = HTTPConnection(LOOPBACK, port, timeout=60)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        return time.perf_counter() - begun if answer.status == 200 else None
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _DEADLINE
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError("the demo did not come so far")
        time.sleep(_PAUSE)


def _middle(times: Sequence[float]) -> float:
    return sorted(times)[len(times) // 2]


def _high(times: Sequence[float]) -> float:
    return sorted(times)[len(times) * 95 // 100]


def _told(times: Sequence[float]) -> str:
    return f"p50 {_middle(times) * 1000:.0f} ms, p95 {_high(times) * 1000:.0f} ms"


if __name__ == "__main__":
    import tempfile

    from tests.bench.table import render_markdown

    with tempfile.TemporaryDirectory(prefix="provenfix-bench-") as name:
        print(render_markdown(list(rows(Path(name) / "page"))), end="")
