"""SQLite as the bus of one machine: delivers messages at least once, in any order.

What Pub/Sub does, in one table: a delivery holds its message for a lease; without an acknowledgement it comes again,
with its attempts counted; after the last attempt it is a dead letter. A topic has one reader, so it is its own
subscription.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from shared.adapters.delivery import DeadLetter, Delivery
from shared.adapters.sqlite.database import SqliteFile

_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, data BLOB NOT NULL, attributes TEXT NOT NULL,
  published REAL NOT NULL, visible REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, dead INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS messages_due ON messages (topic, dead, visible);
"""
_PUBLISH = "INSERT INTO messages (topic, data, attributes, published, visible) VALUES (?, ?, ?, ?, ?)"
_DUE = "topic = ? AND dead = 0 AND visible <= ?"
_LEASE = f"""
UPDATE messages SET attempts = attempts + 1, visible = ?
WHERE id IN (SELECT id FROM messages WHERE {_DUE} ORDER BY visible, id LIMIT ?)
RETURNING id, topic, data, attributes, published, attempts
"""  # noqa: S608  # no value is put into the text
_SAME_DELIVERY = "id = ? AND attempts = ? AND dead = 0"
_DEAD = """
SELECT id, topic, data, attributes, published, attempts FROM messages WHERE dead = 1 ORDER BY id LIMIT ?
"""


class SqliteQueue:
    """Publishes to and delivers from the file at `path`; any number of processes may use it.

    After `attempts` deliveries of a message, five by default as in Pub/Sub, the next one is to the dead letters.
    """

    def __init__(self, path: Path, attempts: int = 5, clock: Callable[[], float] = time.time) -> None:
        self._file = SqliteFile(path, _SCHEMA)
        self._attempts = attempts
        self._clock = clock

    def publish(self, topic: str, message: Mapping[str, str]) -> None:
        """See `shared.ports.Bus`. The message travels as JSON."""
        self.publish_raw(topic, [json.dumps(message).encode()])

    def publish_raw(self, topic: str, bodies: Iterable[bytes], attributes: Mapping[str, str] | None = None) -> None:
        """Publishes bodies as they are, all of them or none."""
        now = self._clock()
        rows = [(topic, body, json.dumps(dict(attributes or {})), now, now) for body in bodies]
        with self._file.write_transaction() as connection:
            connection.executemany(_PUBLISH, rows)

    def lease(self, topic: str, limit: int, lease: float) -> Sequence[Delivery]:
        """At most `limit` messages that are due, each held for `lease` seconds. Empty where nothing is due."""
        now = self._clock()
        # Asked first, because an idle reader should not take the write lock many times a second.
        if not self._file.fetch_rows(f"SELECT 1 FROM messages WHERE {_DUE} LIMIT 1", (topic, now)):  # noqa: S608
            return []
        with self._file.write_transaction() as connection:
            exhausted = f"UPDATE messages SET dead = 1 WHERE {_DUE} AND attempts >= ?"  # noqa: S608
            connection.execute(exhausted, (topic, now, self._attempts))
            taken = connection.execute(_LEASE, (now + lease, topic, now, limit)).fetchall()
        return [Delivery(*_list_row_fields(row)) for row in sorted(taken)]

    def acknowledge(self, delivery: Delivery) -> bool:
        """Ends the message. False where the lease ran out and it was delivered again, or given up."""
        return self._update_delivery(f"DELETE FROM messages WHERE {_SAME_DELIVERY}", delivery)  # noqa: S608

    def acknowledge_all(self, deliveries: Iterable[Delivery]) -> None:
        """Ends those messages whose delivery still counts, in one write."""
        rows = [(int(delivery.id), delivery.attempt) for delivery in deliveries]
        with self._file.write_transaction() as connection:
            connection.executemany(f"DELETE FROM messages WHERE {_SAME_DELIVERY}", rows)  # noqa: S608

    def release(self, delivery: Delivery, after: float = 0.0) -> bool:
        """Lets the message come again in `after` seconds. False as in `acknowledge`."""
        visible = self._clock() + after
        return self._update_delivery(f"UPDATE messages SET visible = {visible!r} WHERE {_SAME_DELIVERY}", delivery)  # noqa: S608

    def release_all(self) -> None:
        """Makes all held messages available at once, for a caller that knows that no reader is left."""
        now = self._clock()
        with self._file.write_transaction() as connection:
            connection.execute("UPDATE messages SET visible = ? WHERE dead = 0 AND visible > ?", (now, now))

    def oldest_age(self, topic: str) -> float:
        """Seconds since the oldest message that is not acknowledged was published; 0 where there is none."""
        oldest = self._file.fetch_rows("SELECT min(published) FROM messages WHERE topic = ? AND dead = 0", (topic,))[0][
            0
        ]
        return 0.0 if oldest is None else max(0.0, self._clock() - oldest)

    def count_pending(self, topic: str) -> int:
        """The messages that are neither acknowledged nor dead."""
        return int(self._file.fetch_rows("SELECT count(*) FROM messages WHERE topic = ? AND dead = 0", (topic,))[0][0])

    def list_waiting(self, limit: int = 100) -> Sequence[DeadLetter]:
        """See `shared.adapters.delivery.DeadLetters`."""
        return [DeadLetter(*_list_row_fields(row)) for row in self._file.fetch_rows(_DEAD, (limit,))]

    def replay(self, letter: DeadLetter) -> None:
        """See `shared.adapters.delivery.DeadLetters`. Its attempts count from 1 again."""
        statement = "UPDATE messages SET dead = 0, attempts = 0, visible = ? WHERE id = ? AND dead = 1"
        with self._file.write_transaction() as connection:
            connection.execute(statement, (self._clock(), int(letter.id)))

    def discard(self, letter: DeadLetter) -> None:
        """See `shared.adapters.delivery.DeadLetters`."""
        with self._file.write_transaction() as connection:
            connection.execute("DELETE FROM messages WHERE id = ? AND dead = 1", (int(letter.id),))

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _update_delivery(self, statement: str, delivery: Delivery) -> bool:
        with self._file.write_transaction() as connection:
            return connection.execute(statement, (int(delivery.id), delivery.attempt)).rowcount == 1


def _list_row_fields(
    row: tuple[int, str, bytes, str, float, int],
) -> tuple[str, str, bytes, dict[str, str], datetime, int]:
    number, topic, data, attributes, published, attempts = row
    return str(number), topic, data, json.loads(attributes), datetime.fromtimestamp(published, UTC), attempts
