"""`inject`, `show` and `dlq` against the state of one machine: what they say and change, and what they refuse."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from functions.local.stack_folder import publish_environment
from shared.adapters.delivery import Delivery
from shared.adapters.sqlite.sqlite_queue import SqliteQueue
from shared.adapters.sqlite.sqlite_store import SqliteStore
from shared.detection.signal import SignalKind
from shared.state_stores import QUEUE_FILE, STORE_FILE
from shared.workflow.flow import LOG_ENTRIES, IncidentState
from shared.workflow.records.incident_record import INCIDENTS, IncidentRecord
from tests.support.cli_runs import CommandResult, run_provenfix

MORNING = datetime(2026, 4, 7, 8, 0, tzinfo=UTC)
ENTRIES = [{"insertId": "a1", "textPayload": "SyntaxError: Föhn"}, {"insertId": "a2", "textPayload": "calm"}]
CASE = IncidentRecord(
    id="0f1e2d-1",
    fingerprint="0f1e2d",
    generation=1,
    state=IncidentState.OPENED,
    service="shore.tide",
    kind=SignalKind.SYNTAX_ERROR,
    error_class="SyntaxError",
    path="chat/greeting.py",
    revisions=("tide-00007-old",),
    entries=(),
    opened_by="t1",
    opened_at=MORNING,
    last_seen=MORNING,
).moved_to(IncidentState.OPENED, MORNING, "first logged by tide-00007-old")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What `provenfix up --embedded` leaves behind."""
    home = tmp_path / "stack"
    home.mkdir()
    with publish_environment(home, {"PROVENFIX_EMBEDDED": str(home), "PROVENFIX_PROJECT": "shore"}, keep=True):
        return home


@pytest.fixture
def queue(folder: Path) -> Iterator[SqliteQueue]:
    opened = SqliteQueue(folder / QUEUE_FILE, attempts=1)
    yield opened
    opened.close()


def run(folder: Path, *arguments: str, stdin: bytes = b"") -> CommandResult:
    return run_provenfix(*arguments, "--folder", str(folder), stdin=stdin)


def waiting(queue: SqliteQueue) -> list[dict[str, str]]:
    return [json.loads(delivery.data) for delivery in queue.lease(LOG_ENTRIES, 100, 60)]


FORMATS = {
    "an array": json.dumps(ENTRIES, indent=2).encode(),
    "lines": "\n".join(json.dumps(entry) for entry in ENTRIES).encode() + b"\n\n",
    "a byte order mark": b"\xef\xbb\xbf" + json.dumps(ENTRIES).encode(),
    "UTF-16": json.dumps(ENTRIES, ensure_ascii=False).encode("utf-16"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_inject_publishes_every_entry_unchanged(name: str, folder: Path, queue: SqliteQueue, tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(FORMATS[name])
    ended = run(folder, "inject", str(tmp_path / "log"))
    assert (ended.exit_code, ended.out, ended.err) == (0, "", "2 log entries published\n")
    assert waiting(queue) == ENTRIES


def test_inject_reads_standard_input(folder: Path, queue: SqliteQueue) -> None:
    assert run(folder, "inject", "-", stdin=FORMATS["lines"]).exit_code == 0
    assert waiting(queue) == ENTRIES


def test_inject_keeps_the_log_where_the_functions_look_for_neighbours(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(FORMATS["an array"])
    for _ in range(2):
        assert run(folder, "inject", str(tmp_path / "log")).exit_code == 0
    kept = sorted((folder / "logs").iterdir())
    assert [json.loads(path.read_text("utf-8")) for path in kept] == [ENTRIES, ENTRIES]


REFUSED = {
    b"03:43:43 SyntaxError": "line 1 is not JSON",
    b'{"insertId": "a1"}\nnonsense\n': "line 2 is not JSON",
    b'{"insertId": "a1"}\n7\n': "line 2 is not a log entry but a JSON int",
    b'[{"insertId": "a1"}, "text"]': "entry 2 is not a log entry but a JSON str",
    b'[{"insertId": "a1"}': "the array is not JSON",
    b"[" * 100_000: "the array is not JSON",
    b"\xff": "cannot be read",
}


@pytest.mark.parametrize("content", REFUSED, ids=REFUSED.values())
def test_what_is_no_export_is_refused_as_a_whole(
    content: bytes, folder: Path, queue: SqliteQueue, tmp_path: Path
) -> None:
    (tmp_path / "log").write_bytes(content)
    ended = run(folder, "inject", str(tmp_path / "log"))
    assert ended.exit_code == 3
    assert len(ended.err.splitlines()) == 1
    assert REFUSED[content] in ended.err
    assert waiting(queue) == []


def test_a_file_that_is_not_there_is_named(folder: Path, tmp_path: Path) -> None:
    ended = run(folder, "inject", str(tmp_path / "nowhere"))
    assert (ended.exit_code, len(ended.err.splitlines())) == (3, 1)
    assert "nowhere" in ended.err


def stored(folder: Path, *cases: IncidentRecord) -> None:
    store = SqliteStore(folder / STORE_FILE)
    for case in cases:
        INCIDENTS.create(store, case.id, case)
    store.close()


def test_show_lists_incidents_in_the_order_in_which_they_were_opened(folder: Path) -> None:
    later = replace(CASE, id="ffff-1", state=IncidentState.PROPOSED, opened_at=MORNING.replace(hour=9))
    stored(folder, later, CASE)
    of_it = ["shore.tide", "SyntaxError", "chat/greeting.py", "2026-04-07T08:00:00Z"]
    assert [line.split() for line in run(folder, "show").out.splitlines()] == [
        ["0f1e2d-1", "opened", *of_it],
        ["ffff-1", "proposed", *of_it],
    ]


def test_show_says_where_there_is_nothing(folder: Path) -> None:
    assert run(folder, "show").out == "No incidents.\n"


def test_show_finds_an_incident_by_id_prefix(folder: Path) -> None:
    stored(folder, CASE.moved_to(IncidentState.PROPOSED, MORNING.replace(minute=2), "fix_merged_not_deployed"))
    above, _, timeline = run(folder, "show", "0f").out.partition("Timeline:\n")
    first, *more = above.splitlines()
    assert first == "0f1e2d-1: proposed"
    facts = ("SyntaxError", "chat/greeting.py", "shore.tide", "tide-00007-old", "2026-04-07T08:00:00Z")
    assert [fact for fact in facts if fact not in "".join(more)] == []
    assert [line.split(maxsplit=2) for line in timeline.splitlines()] == [
        ["2026-04-07T08:00:00Z", "opened", CASE.history[0].why],
        ["2026-04-07T08:02:00Z", "proposed", "fix_merged_not_deployed"],
    ]


@pytest.mark.parametrize(("wanted", "sentence"), [("0f1e2d", "2 incidents"), ("zz", "no incident")])
def test_show_refuses_an_id_that_names_none_or_several(folder: Path, wanted: str, sentence: str) -> None:
    stored(folder, CASE, replace(CASE, id="0f1e2d-2"))
    ended = run(folder, "show", wanted)
    assert ended.exit_code == 2
    assert sentence in ended.err


def test_what_a_log_has_named_cannot_steer_the_terminal(folder: Path) -> None:
    stored(folder, replace(CASE, path="\x1b[2J\x1b]0;gone\x07chat\n\u202eyp.py"))
    for arguments in (["show"], ["show", "0f"]):
        printed = run(folder, *arguments).out
        assert all(character == "\n" or character.isprintable() for character in printed)


@pytest.fixture
def letters(queue: SqliteQueue) -> list[str]:
    """Three dead letters; their ids."""
    queue.publish_raw("incident-opened", [b'{"incident": "a-1"}', b"token ghp_" + b"x" * 36, b"\xff\x00\n"])
    refused: list[Delivery] = list(queue.lease("incident-opened", 10, 60))
    for delivery in refused:
        queue.release(delivery)
    assert queue.lease("incident-opened", 10, 60) == []
    return [letter.id for letter in queue.list_waiting()]


def test_dlq_list_names_every_letter_on_a_line_of_its_own_without_secrets(folder: Path, letters: list[str]) -> None:
    listed = run(folder, "dlq", "list").out
    lines = listed.splitlines()
    assert [line.split()[0] for line in lines] == letters
    assert all("1 attempts" in line and "incident-opened" in line for line in lines)
    assert '{"incident": "a-1"}' in lines[0]
    assert "ghp_" not in listed


def test_dlq_replay_publishes_the_named_letters_once_more(folder: Path, letters: list[str], queue: SqliteQueue) -> None:
    ended = run(folder, "dlq", "replay", letters[0])
    assert (ended.exit_code, ended.err) == (0, "1 published again\n")
    assert [delivery.data for delivery in queue.lease("incident-opened", 10, 60)] == [b'{"incident": "a-1"}']
    assert [letter.id for letter in queue.list_waiting()] == letters[1:]


def test_dlq_drop_throws_all_of_them_away(folder: Path, letters: list[str], queue: SqliteQueue) -> None:
    assert run(folder, "dlq", "drop", "--all").err == f"{len(letters)} deleted\n"
    assert queue.list_waiting() == []
    assert queue.lease("incident-opened", 10, 60) == []


@pytest.mark.parametrize("arguments", [[], ["--all", "1"], ["4711"]], ids=["neither", "both", "unknown"])
@pytest.mark.parametrize("command", ["replay", "drop"])
def test_dlq_refuses_what_does_not_say_which_letters(
    command: str, arguments: list[str], folder: Path, letters: list[str], queue: SqliteQueue
) -> None:
    ended = run(folder, "dlq", command, *arguments)
    assert ended.exit_code == 2
    assert len(ended.err.splitlines()) == 1
    assert [letter.id for letter in queue.list_waiting()] == letters


def test_a_stack_file_that_nobody_wrote_is_named(folder: Path) -> None:
    (folder / "stack.json").write_text("[]", "utf-8")
    ended = run(folder, "show")
    assert ended.exit_code == 3
    assert "stack.json" in ended.err


def test_without_any_stack_it_says_what_to_configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PROVENFIX_PROJECT", "GOOGLE_CLOUD_PROJECT", "PROVENFIX_EMBEDDED"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    ended = run_provenfix("show")
    assert ended.exit_code == 2
    assert "set PROVENFIX_PROJECT" in ended.err


@pytest.mark.parametrize(
    "arguments", [("show",), ("stats",), ("dlq", "list"), ("dlq", "drop", "--all"), ("inject", "-")], ids=" ".join
)
def test_a_folder_without_a_stack_does_not_lead_to_what_is_deployed(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here what is deployed would be a stack as well, so that nothing is reached."""
    monkeypatch.setenv("PROVENFIX_EMBEDDED", str(tmp_path / "deployed"))
    monkeypatch.setenv("PROVENFIX_PROJECT", "shore")
    ended = run(tmp_path / "fjord", *arguments, stdin=b"[]")
    assert (ended.exit_code, ended.out) == (2, "")
    assert re.search(r"\bfjord\b.*`provenfix up`", ended.err)
    assert not (tmp_path / "deployed").exists()


@pytest.mark.parametrize(
    ("arguments", "file"), [(("show",), STORE_FILE), (("dlq", "list"), QUEUE_FILE)], ids=["store", "queue"]
)
def test_a_damaged_file_is_named_in_one_sentence(arguments: tuple[str, ...], file: str, folder: Path) -> None:
    (folder / file).write_bytes(b"no database" * 100)
    ended = run(folder, *arguments)
    assert ended.exit_code == 3
    assert f"{folder / file}: " in ended.err
    assert "not a database" in ended.err, "SQLite's words"
    assert len(ended.err.splitlines()) == 1


def test_a_letter_that_is_named_twice_is_one(folder: Path, letters: list[str]) -> None:
    assert run(folder, "dlq", "drop", letters[0], letters[0]).err == "1 deleted\n"


def test_a_port_that_no_machine_has_is_refused() -> None:
    ended = run_provenfix("up", "--embedded", "--port", "65533")
    assert (ended.exit_code, len(ended.err.splitlines())) == (2, 1)


def test_inject_splits_lines_where_json_lines_end_and_nowhere_else(folder: Path, queue: SqliteQueue) -> None:
    """A service can log U+2028, and an export of its log need not escape it."""
    entry = {"insertId": "a1", "textPayload": "SyntaxError: \u2028 \x85 calm"}
    text = json.dumps(entry, ensure_ascii=False) + "\r\n" + json.dumps(entry, ensure_ascii=False)
    ended = run(folder, "inject", "-", stdin=text.encode())
    assert (ended.exit_code, ended.err) == (0, "2 log entries published\n")
    assert [json.loads(delivery.data) for delivery in queue.lease(LOG_ENTRIES, 10, 60)] == [entry] * 2
