"""The parts of the local platform that need no process: commands, shares, entries, and the log that keeps them."""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from functions.local.platform.launch import Launch, Launcher
from functions.local.platform.log_journal import InstanceRef, Journal, create_line_entry, matches_sink
from functions.local.platform.proxy import Backend, WeightedRoundRobin
from shared.adapters.logs.log_json import parse_json_entry
from shared.adapters.sqlite.sqlite_logs import SqliteLogs
from shared.adapters.sqlite.sqlite_queue import SqliteQueue
from shared.adapters.standins.process_platform import ProcessPlatform
from shared.errors import InputError, Reject, UsageError
from shared.service import Service
from tests.support.clock import FakeClock
from tests.support.memory import MemoryStore

TIDE = Service("tide", "shore", "europe-west6", "harbour/tide", "C1")
PLACE = InstanceRef(TIDE, "tide-1", "0a1b2c3d4e")
NOON = datetime(2026, 4, 7, 12, 0, tzinfo=UTC)
HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"


def launched(folder: Path, **files: str) -> Launch:
    names = {"dockerfile": "Dockerfile", "procfile": "Procfile"}
    for name, text in files.items():
        (folder / names[name]).write_text(text, "utf-8")
    return Launcher({}, folder.parent / "packages").plan_launch(TIDE, "tide-1", folder, 8123)


UVICORN = ["--host", "127.0.0.1", "--port", "8123", "--no-use-colors"]
COMMANDS = {
    'CMD ["uvicorn", "app:x", "--host", "0.0.0.0", "--port=8080", "--ws", "auto"]': [
        "-m",
        "uvicorn",
        "app:x",
        "--ws",
        "auto",
        *UVICORN,
    ],
    'ENTRYPOINT ["python3", "-u"]\nCMD ["main.py", "--port", "$PORT"]': ["-u", "main.py", "--port", "8123"],
    'CMD ["old.py"]\nCMD ["/usr/local/bin/python", "serve.py", "${PORT:-8080}"]': ["serve.py", "8123"],
}


@pytest.mark.parametrize("text", COMMANDS)
def test_the_command_is_that_of_the_dockerfile_on_a_port_of_loopback(tmp_path: Path, text: str) -> None:
    launch = launched(tmp_path, dockerfile=f"FROM python:{HERE}-slim\nWORKDIR /srv/tide/\n{text}\n")
    assert list(launch.command) == [sys.executable, *COMMANDS[text]]
    assert launch.workdir == "/srv/tide"
    assert (launch.environment["PORT"], launch.environment["K_SERVICE"]) == ("8123", "tide")


def test_a_procfile_tells_it_as_well(tmp_path: Path) -> None:
    launch = launched(tmp_path, procfile="worker: x\nweb: python serve.py 'two words' $PORT\n")
    assert list(launch.command) == [sys.executable, "serve.py", "two words", "8123"]
    assert launch.workdir == "/workspace"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('CMD ["gunicorn", "app:x"]', "its command is 'gunicorn app:x'"),
        ("EXPOSE 8080", "neither Dockerfile nor Procfile names a command"),
        ("CMD [uvicorn]", "CMD of the Dockerfile is not a JSON array of words"),
    ],
)
def test_what_cannot_be_started_here_is_told(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InputError, match="^" + told):
        launched(tmp_path, dockerfile=f"FROM python:{HERE}-slim\n{text}\n")


def test_an_interpreter_that_the_settings_name_wrongly_is_told(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("web: python serve.py\n", "utf-8")
    with pytest.raises(UsageError, match="is not a CPython"):
        Launcher({HERE: "/dev/null"}, tmp_path).plan_launch(TIDE, "tide-1", tmp_path, 8123)


def test_turns_follow_the_shares_and_never_bunch() -> None:
    targets, turns = [Backend("old", 90, 1), Backend("new", 10, 2), Backend("none", 0, 3)], WeightedRoundRobin()
    dealt = [found.revision for _ in range(100) if (found := turns.choose(targets))]
    assert Counter(dealt) == {"old": 90, "new": 10}
    assert all(dealt[at : at + 10].count("new") == 1 for at in range(0, 100, 10))
    assert turns.choose([Backend("none", 0, 3)]) is None


def test_a_line_that_is_json_becomes_the_payload() -> None:
    entry = create_line_entry(
        PLACE, NOON, "stdout", json.dumps({"severity": "ERROR", "message": "SyntaxError: x", "n": [1]})
    )
    assert (entry["severity"], entry["jsonPayload"]) == ("ERROR", {"message": "SyntaxError: x", "n": [1]})
    for text in ('{"open": ', "[1]", "{1}", "{" * 5000):
        assert create_line_entry(PLACE, NOON, "stdout", text)["textPayload"] == text


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("SyntaxError: invalid syntax", True),
        ("IndentationError: unexpected indent", True),
        ("WebSocket /ws closed: code=1011", True),
        ("Traceback (most recent call last):", False),
        ("ready", False),
    ],
)
def test_the_sink_takes_whatever_may_be_a_signal(text: str, *, taken: bool) -> None:
    assert matches_sink(create_line_entry(PLACE, NOON, "stderr", text)) is taken


def test_what_is_told_of_was_kept_before(tmp_path: Path) -> None:
    logs, queue = SqliteLogs(tmp_path / "logs.sqlite"), SqliteQueue(tmp_path / "queue.sqlite")
    journal = Journal(logs, queue)
    lines = ['  File "/app/x.py", line 7', "SyntaxError: invalid syntax"]
    for text in lines:
        journal.add_entry(create_line_entry(PLACE, NOON, "stderr", text))
    journal.flush()
    journal.flush()
    [delivery] = queue.lease("log-entries", 10, 60)
    read = parse_json_entry(json.loads(delivery.data), 0)
    assert [each.text for each in logs.read_neighbours(read)] == lines
    logs.close()
    queue.close()


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[SqliteLogs]:
    opened = SqliteLogs(tmp_path / "logs.sqlite")
    yield opened
    opened.close()


def test_an_entry_is_kept_once_and_found_by_service_and_time(logs: SqliteLogs) -> None:
    later = NOON + timedelta(seconds=60)
    other = InstanceRef(Service("ebb", "shore", "europe-west6", "harbour/ebb", "C2"), "ebb-1", "0a1b2c3d4e")
    first, second = (
        create_line_entry(PLACE, NOON, "stderr", "first"),
        create_line_entry(PLACE, later, "stderr", "second"),
    )
    for _ in range(2):
        logs.write([second, first, create_line_entry(other, NOON, "stderr", "ebb"), {"textPayload": "no time"}])
    assert [each.text for each in logs.read_entries(TIDE, NOON, later)] == ["first", "second"]
    assert [each.text for each in logs.read_entries(TIDE, later, later)] == ["second"]
    assert [each.text for each in logs.read_neighbours(parse_json_entry(first, 0))] == ["first"]
    unknown = parse_json_entry({**first, "insertId": "elsewhere", "textPayload": "not kept"}, 0)
    assert [each.text for each in logs.read_neighbours(unknown)] == ["first", "not kept"]
    assert [name for name, _, _ in logs.list_revisions(TIDE)] == ["tide-1"]


def test_before_anything_is_deployed_nothing_serves() -> None:
    with pytest.raises(Reject) as refused:
        ProcessPlatform(MemoryStore(), FakeClock()).get_service_state(TIDE)
    assert refused.value.reason == "not_serving"
    assert TIDE.name in refused.value.detail
