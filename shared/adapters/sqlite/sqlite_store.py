"""SQLite as the store, for one machine: documents in one table, a version that counts the writes of each."""

from collections.abc import Sequence
from pathlib import Path

from shared.adapters.document_codec import decode_document, encode_document
from shared.adapters.sqlite.database import SqliteFile
from shared.ports import Document, StoredDocument

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
  kind TEXT NOT NULL, key TEXT NOT NULL, json TEXT NOT NULL, writes INTEGER NOT NULL, PRIMARY KEY (kind, key)
) WITHOUT ROWID;
"""
_FIND = """
SELECT key, json, writes FROM documents
WHERE kind = ? AND EXISTS (
  SELECT 1 FROM json_each(documents.json) AS field WHERE field.key = ? AND field.type = 'text' AND field.atom = ?)
ORDER BY key LIMIT ?
"""


class SqliteStore:
    """Keeps documents in the file at `path`; any number of processes may use it."""

    def __init__(self, path: Path) -> None:
        self._file = SqliteFile(path, _SCHEMA)

    def create(self, kind: str, key: str, value: Document) -> bool:
        """See `shared.ports.Store`."""
        row = (kind, key, encode_document(kind, key, value))
        with self._file.write_transaction() as connection:
            return connection.execute("INSERT OR IGNORE INTO documents VALUES (?, ?, ?, 1)", row).rowcount == 1

    def read(self, kind: str, key: str) -> StoredDocument | None:
        """See `shared.ports.Store`."""
        rows = self._file.fetch_rows("SELECT json, writes FROM documents WHERE kind = ? AND key = ?", (kind, key))
        return StoredDocument(kind, key, decode_document(rows[0][0]), str(rows[0][1])) if rows else None

    def replace(self, kind: str, key: str, value: Document, version: str) -> bool:
        """See `shared.ports.Store`. Raises ValueError for a version that this store did not give out."""
        row = (encode_document(kind, key, value), kind, key, int(version))
        with self._file.write_transaction() as connection:
            statement = "UPDATE documents SET json = ?, writes = writes + 1 WHERE kind = ? AND key = ? AND writes = ?"
            return connection.execute(statement, row).rowcount == 1

    def find(self, kind: str, field: str, value: str, limit: int = 500) -> Sequence[StoredDocument]:
        """See `shared.ports.Store`."""
        rows = self._file.fetch_rows(_FIND, (kind, field, value, limit))
        return [StoredDocument(kind, key, decode_document(text), str(writes)) for key, text, writes in rows]

    def close(self) -> None:
        """Closes the file."""
        self._file.close()
