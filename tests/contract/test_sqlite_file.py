"""One SQLite file of several threads and processes: what one commits, all others read."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from shared.adapters.sqlite.database import SqliteFile

SCHEMA = "CREATE TABLE IF NOT EXISTS notes (note TEXT NOT NULL);"
OTHER_PROCESS = """
import sys
from pathlib import Path
from shared.adapters.sqlite.database import SqliteFile

file = SqliteFile(Path(sys.argv[1]), "")
print(*(note for (note,) in file.fetch_rows("SELECT note FROM notes ORDER BY rowid")))
file.close()
"""


def read_by_another_process(path: Path) -> list[str]:
    command = [sys.executable, "-c", OTHER_PROCESS, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def add(file: SqliteFile, note: str) -> None:
    with file.write_transaction() as connection:
        connection.execute("INSERT INTO notes VALUES (?)", (note,))


def test_a_process_that_closes_the_file_takes_no_writes_of_the_others_away(tmp_path: Path) -> None:
    file = SqliteFile(tmp_path / "notes.sqlite", SCHEMA)
    add(file, "first")
    with ThreadPoolExecutor(1) as threads:
        threads.submit(add, file, "second").result()  # a second connection, opened while the first one holds its locks
        assert read_by_another_process(tmp_path / "notes.sqlite") == ["first", "second"]
        add(file, "third")
        threads.submit(add, file, "fourth").result()
        assert read_by_another_process(tmp_path / "notes.sqlite") == ["first", "second", "third", "fourth"]
        file.close()
    assert read_by_another_process(tmp_path / "notes.sqlite") == ["first", "second", "third", "fourth"]
