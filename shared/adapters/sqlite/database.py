"""One SQLite file that threads and processes share.

A failure is a `Retry`, a damaged file `InputError`.

Each thread has a connection of its own, closed when the thread ends. Writers queue up (`BEGIN IMMEDIATE`); readers
never wait for them (WAL). A commit is on the disk before it is answered (`synchronous = FULL`), because what the
ledger says was done must not be forgotten.
"""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakSet

from shared.errors import InputError, Retry

_BUSY_TIMEOUT_SECONDS = 30.0
"""Seconds that a writer waits for the ones before it."""
_PRIVATE_MODE = 0o600


class SqliteFile:
    """A database whose tables are made by `schema` (statements that can run again) when it is first opened."""

    def __init__(self, path: Path, schema: str) -> None:
        self._path = path
        self._schema = schema
        self._thread = threading.local()
        self._open: WeakSet[_ConnectionGuard] = WeakSet()
        self._turn = threading.Lock()

    def fetch_rows(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of one question."""
        with self._translate_errors():
            return self._connection().execute(statement, values).fetchall()

    @contextmanager
    def write_transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the only write lock from its beginning; an exception undoes it."""
        # SQLite lets writers wait by sleeping; threads of one process need not.
        with self._turn, self._translate_errors():
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def close(self) -> None:
        """Closes the connections of all threads."""
        for held in list(self._open):
            held.connection.close()
        self._thread = threading.local()

    def _connection(self) -> sqlite3.Connection:
        held: _ConnectionGuard | None = getattr(self._thread, "held", None)
        if held is None:
            held = self._thread.held = _ConnectionGuard(self._open_connection())
            self._open.add(held)
        return held.connection

    def _open_connection(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # SQLite waits for a lock everywhere but in the change to WAL, where the second of two fails at once.
        name = self._path.with_name(f"{self._path.name}-opening")
        with os.fdopen(os.open(name, os.O_CREAT | os.O_RDWR, _PRIVATE_MODE), "wb") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            self._make_private()
            # Closed by another thread at the end, hence check_same_thread; used by one only.
            connection = sqlite3.connect(
                self._path, timeout=_BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare(connection)
            except sqlite3.Error:
                connection.close()
                raise
            return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.executescript(self._schema)

    def _make_private(self) -> None:
        """Makes the file where there is none; SQLite gives its other files the same mode.

        A file that is there is not opened: to close any descriptor of it ends the locks that the other threads'
        connections hold, and the next process that closes the file takes itself for the last one and removes the
        journal under them. https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_
        """
        try:
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR, _PRIVATE_MODE))
        except FileExistsError:
            self._path.chmod(_PRIVATE_MODE)

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.OperationalError, OSError) as error:
            raise Retry(f"{self._path}: {error}") from error
        except sqlite3.DatabaseError as error:
            if type(error) is not sqlite3.DatabaseError:  # the statement's fault, not the file's
                raise
            raise InputError(f"{self._path}: {error}; what it held is lost, remove it to begin anew") from error


class _ConnectionGuard:
    """Closes its connection when the thread that it belongs to is gone."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __del__(self) -> None:
        self.connection.close()
