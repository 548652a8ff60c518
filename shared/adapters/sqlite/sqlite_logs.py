"""The log of one machine's services in SQLite: stores entries as the platform writes them, and queries them.

An entry is JSON in Cloud Logging's own form. Everything that is asked for is found by an index, because a storm is
asked about while it lasts.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from shared.adapters.logs.log_json import parse_json_entry
from shared.adapters.sqlite.database import SqliteFile
from shared.detection.entry import LogEntry
from shared.ports import MAX_NEIGHBOURS
from shared.service import Service

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
  number INTEGER PRIMARY KEY, at REAL NOT NULL, project TEXT NOT NULL, service TEXT NOT NULL, revision TEXT NOT NULL,
  instance TEXT NOT NULL, log TEXT NOT NULL, id TEXT NOT NULL, json TEXT NOT NULL, UNIQUE (log, at, id)
);
CREATE INDEX IF NOT EXISTS by_service ON entries (project, service, at);
"""
_INSERT = (
    "INSERT OR IGNORE INTO entries (at, project, service, revision, instance, log, id, json)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_SELECT_NEIGHBOURS = """
SELECT json FROM (
    SELECT json, at, number FROM entries WHERE project = ? AND service = ? AND at BETWEEN ? AND ?
    AND revision = ? AND instance = ? AND log = ? ORDER BY abs(at - ?), number LIMIT ?
) ORDER BY at, number
"""
_SELECT_BETWEEN = """
SELECT json FROM entries WHERE project = ? AND service = ? AND at BETWEEN ? AND ?
AND ? IN ('', revision) AND log NOT LIKE '%requests' ORDER BY at, number LIMIT ?
"""
_SELECT_LATEST = """
SELECT json FROM entries WHERE project = ? AND service = ?
AND log NOT LIKE '%requests' ORDER BY at DESC, number DESC LIMIT ?
"""
_COUNT_REQUESTS = """
SELECT count(*) FROM entries WHERE project = ? AND service = ? AND at >= ? AND revision = ?
AND log LIKE '%requests'
"""
_SELECT_REVISIONS = """
SELECT revision, min(at), max(at) FROM entries WHERE project = ? AND service = ? AND revision != ''
GROUP BY revision ORDER BY max(at)
"""
_NEIGHBOUR_WINDOW = timedelta(seconds=10)
_MAX_ENTRIES = 10_000


class SqliteLogs:
    """Implements `shared.ports.Logs`. Any number of processes may use the file."""

    def __init__(self, path: Path) -> None:
        self._file = SqliteFile(path, _SCHEMA)

    def write(self, entries: Iterable[Mapping[str, object]]) -> None:
        """Keeps entries, each once; one without a time cannot be asked for, and is left out."""
        rows = [row for entry in entries if (row := _build_entry_row(entry)) is not None]
        if rows:
            with self._file.write_transaction() as connection:
                connection.executemany(_INSERT, rows)

    def read_neighbours(self, entry: LogEntry) -> Sequence[LogEntry]:
        """See `shared.ports.Logs`."""
        if entry.timestamp is None:
            return [entry]
        first, last = entry.timestamp - _NEIGHBOUR_WINDOW, entry.timestamp + _NEIGHBOUR_WINDOW
        source = (entry.revision, entry.instance, entry.log_name)
        span = (first.timestamp(), last.timestamp())
        nearest = (entry.timestamp.timestamp(), MAX_NEIGHBOURS)
        entries = self._read(_SELECT_NEIGHBOURS, (entry.project, entry.service, *span, *source, *nearest))
        if entry.insert_id in {neighbour.insert_id for neighbour in entries}:
            return entries
        return sorted([*entries, entry], key=lambda neighbour: neighbour.timestamp or entry.timestamp or first)

    def read_entries(
        self, service: Service, since: datetime, until: datetime, revision: str = ""
    ) -> Sequence[LogEntry]:
        """See `shared.ports.Logs`."""
        span = (since.timestamp(), until.timestamp())
        return self._read(_SELECT_BETWEEN, (service.project, service.name, *span, revision, _MAX_ENTRIES))

    def count_requests(self, service: Service, revision: str, since: datetime) -> int:
        """See `shared.ports.Logs`."""
        values = (service.project, service.name, since.timestamp(), revision)
        return int(self._file.fetch_rows(_COUNT_REQUESTS, values)[0][0])

    def count_failed_requests(self, service: Service, revision: str, since: datetime) -> None:  # as the port has it
        """See `shared.ports.Logs`. Entries are read without the status of their request."""

    def latest_raw(self, service: Service, limit: int) -> Sequence[Mapping[str, object]]:
        """The latest entries of a service's output as they were written, oldest first."""
        rows = self._file.fetch_rows(_SELECT_LATEST, (service.project, service.name, limit))
        return [json.loads(text) for (text,) in reversed(rows)]

    def list_revisions(self, service: Service) -> Sequence[tuple[str, datetime, datetime]]:
        """Every revision that has logged, with its first entry's time and its last one's, by the last."""
        rows = self._file.fetch_rows(_SELECT_REVISIONS, (service.project, service.name))
        return [
            (name, datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(last, UTC)) for name, first, last in rows
        ]

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _read(self, statement: str, values: tuple[object, ...]) -> list[LogEntry]:
        rows = self._file.fetch_rows(statement, values)
        return [parse_json_entry(json.loads(text), position) for position, (text,) in enumerate(rows)]


def _build_entry_row(entry: Mapping[str, object]) -> tuple[Any, ...] | None:
    read = parse_json_entry(entry, 0)
    if read.timestamp is None:
        return None
    source = (read.project, read.service, read.revision, read.instance, read.log_name, read.insert_id)
    return (read.timestamp.timestamp(), *source, json.dumps(entry))
