"""Log files of every format and encoding become the same entries; what cannot be read is said in one sentence."""

import gzip
import io
import json
import os
import re
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.adapters.logs.log_file import LogFile
from shared.adapters.logs.log_stream import MAX_LINE_LENGTH
from shared.detection.entry import LogEntry
from shared.errors import InputError
from tests.support.log_samples import LINE_624, NOT_AUTHENTICATED, TRACEBACK, export_entry, time_at, write_log_file

TWO = [export_entry(LINE_624, at=15), export_entry(NOT_AUTHENTICATED, at=0)]


def all_of(path: str) -> list[LogEntry]:
    return list(LogFile(path).entries())


def texts(path: str) -> list[str]:
    return [entry.text for entry in all_of(path)]


def only(path: str) -> LogEntry:
    (entry,) = all_of(path)
    return entry


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(json.dumps(TWO, indent=2), id="array"),
        pytest.param(json.dumps(TWO), id="array on one line"),
        pytest.param("\n\n " + json.dumps(TWO), id="array after blanks"),
        pytest.param("\n".join(map(json.dumps, TWO)), id="json lines"),
        pytest.param("\n\n".join(map(json.dumps, TWO)) + "\n\n", id="json lines with blank ones"),
        pytest.param("\r\n".join(map(json.dumps, TWO)) + "\r\n", id="json lines with windows line ends"),
        pytest.param("".join(map(json.dumps, TWO)), id="objects without anything between"),
        pytest.param("\n".join(json.dumps(each, indent=4) for each in TWO), id="pretty-printed objects"),
        pytest.param("\n".join(json.dumps([each], indent=4) for each in TWO), id="two exports in one file"),
        pytest.param(json.dumps({"entries": TWO, "nextPageToken": "x"}), id="answer of the api"),
    ],
)
def test_each_json_format_is_read(tmp_path: Path, content: str) -> None:
    found = all_of(write_log_file(tmp_path, content))
    assert [(entry.position, entry.text) for entry in found] == [(0, LINE_624), (1, NOT_AUTHENTICATED)]


def test_platform_fields_are_read(tmp_path: Path) -> None:
    entry = only(write_log_file(tmp_path, [export_entry(LINE_624, at=1.5)]))
    assert entry == LogEntry(
        position=0,
        text=LINE_624,
        timestamp=time_at(1.5),
        severity="ERROR",
        log_name="projects/harbour-dev/logs/run.googleapis.com%2Fstderr",
        insert_id=f"{1_500_000:012x}",
        project="harbour-dev",
        service="ferry",
        revision="ferry-00042-abc",
        instance="00a22404",
    )


def test_cloud_function_entries_are_read(tmp_path: Path) -> None:
    resource = {"type": "cloud_function", "labels": {"function_name": "moor", "project_id": "harbour-dev"}}
    entry = only(write_log_file(tmp_path, [export_entry("x", resource=resource, labels={})]))
    assert (entry.service, entry.revision, entry.instance) == ("moor", "", "")


def test_receive_timestamp_is_the_fallback(tmp_path: Path) -> None:
    assert only(write_log_file(tmp_path, [export_entry("x", at=5, timestamp=...)])).timestamp == time_at(5.2)


def test_service_names_in_the_text_are_not_believed(tmp_path: Path) -> None:
    payload = {"message": "x", "service_name": "other", "resource": {"labels": {"service_name": "other"}}}
    assert only(write_log_file(tmp_path, [export_entry(None, jsonPayload=payload)])).service == "ferry"
    assert (
        only(write_log_file(tmp_path, json.dumps(payload | {"logName": ""}))).service == "other"
    )  # that is the envelope


@pytest.mark.parametrize(
    "payload",
    [
        {"message": TRACEBACK},
        {"msg": TRACEBACK},
        {"message": "could not start", "exc_info": TRACEBACK},
        {"message": "could not start", "exception": TRACEBACK},
        {"message": "could not start", "stack_trace": TRACEBACK},
        {"message": "could not start", "error": TRACEBACK},
        {"message": "could not start", "error": {"message": "bad", "stack": TRACEBACK}},
        {
            "event": "could not start",
            "exception": [{"exc_type": "SyntaxError", "exc_value": "bad (timetable.py, line 88)"}],
        },
        {"message": TRACEBACK.replace("\n", "\\n").replace('"', '\\"')},
        {"message": "could not start", "exc_info": TRACEBACK.replace("\n", "\\n")},
    ],
)
def test_each_json_payload_is_read(tmp_path: Path, payload: dict[str, object]) -> None:
    lines = only(write_log_file(tmp_path, [export_entry(None, jsonPayload=payload)])).text.splitlines()
    assert any(line.startswith("SyntaxError: ") for line in lines)
    assert ('  File "/app/ferry/timetable.py", line 88' in lines) == ("timetable.py, line" not in str(payload))


def test_json_payload_says_nothing_twice(tmp_path: Path) -> None:
    payload = {"message": "no such quay", "stack_trace": "Error: no such quay\n  at dock", "error": "no such quay"}
    assert (
        only(write_log_file(tmp_path, [export_entry(None, jsonPayload=payload)])).text
        == "Error: no such quay\n  at dock"
    )


def test_json_payload_keeps_backslashes_of_ordinary_text(tmp_path: Path) -> None:
    payload = {"message": r"wrote C:\new\tables"}
    assert only(write_log_file(tmp_path, [export_entry(None, jsonPayload=payload)])).text == r"wrote C:\new\tables"


def test_source_line_with_an_escaped_line_end_stays_one_line(tmp_path: Path) -> None:
    line = r'    yield f"data: {x}\n\n"'
    assert only(write_log_file(tmp_path, [export_entry(line)])).text == line


def test_close_code_field_becomes_text(tmp_path: Path) -> None:
    payload = {"event": "websocket closed", "close_code": 1011}
    assert (
        only(write_log_file(tmp_path, [export_entry(None, jsonPayload=payload)])).text
        == "websocket closed\nclose_code=1011"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"protoPayload": {"status": {"message": LINE_624}}},
        {"httpRequest": {"status": 500}},
        {"jsonPayload": None},
        {"jsonPayload": []},
        {"textPayload": ["a", "list"]},
        {"textPayload": 12},
    ],
)
def test_entries_without_text_are_empty(tmp_path: Path, changes: dict[str, object]) -> None:
    assert only(write_log_file(tmp_path, [export_entry(None) | changes])).text == ""


WRONG: list[Any] = [
    None,
    [],
    {},
    12,
    -1.5,
    True,
    "",
    "nonsense",
    {"labels": None},
    {"labels": [1]},
    [[["x"]]],
    {"seconds": {}},
]


@pytest.mark.parametrize(
    "key", ["resource", "labels", "timestamp", "severity", "logName", "insertId", "jsonPayload", "textPayload"]
)
def test_wrong_types_are_tolerated(tmp_path: Path, key: str) -> None:
    log = [export_entry("x") | {key: wrong} for wrong in WRONG]
    assert len(all_of(write_log_file(tmp_path, log))) == len(WRONG)


def test_entries_that_are_no_objects_are_empty(tmp_path: Path) -> None:
    assert texts(write_log_file(tmp_path, '[null, {"textPayload": "x"}, 3, "y", [[]]]')) == ["", "x", "", "", ""]


def test_half_a_surrogate_pair_can_be_written_again(tmp_path: Path) -> None:
    assert only(write_log_file(tmp_path, '{"textPayload": "a\\ud800b"}')).text == "a?b"


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ("2026-03-01T03:43:43.501256Z", "2026-03-01T03:43:43.501256"),
        ("2026-03-01T03:43:43.501256789Z", "2026-03-01T03:43:43.501256"),
        ("2026-03-01T05:43:43+02:00", "2026-03-01T03:43:43"),
        ("2026-03-01 03:43:43,123", "2026-03-01T03:43:43.123"),
        ("2026-03-01 03:43:43.123 UTC", "2026-03-01T03:43:43.123"),
        ("2026/03/01 03:43:43", "2026-03-01T03:43:43"),
        ("[2026-03-01 04:43:43 +0100]", "2026-03-01T03:43:43"),
        ("2026-03-01 03:43", "2026-03-01T03:43:00"),
    ],
)
@pytest.mark.parametrize("gap", [" ", "  ", "    ", "\t"])
@pytest.mark.parametrize(
    ("level", "severity"),
    [
        ("", ""),
        ("[ERROR] ", "ERROR"),
        ("ERROR: ", "ERROR"),
        ("ERROR - ", "ERROR"),
        ("ERROR    ", "ERROR"),
        ("| ERROR    | ", "ERROR"),
        ("[12] [ERROR] ", "ERROR"),
        ("CRITICAL  ", "CRITICAL"),
        ("warn: ", "WARNING"),
    ],
)
def test_console_lines_are_parsed(tmp_path: Path, line: str, at: str, gap: str, level: str, severity: str) -> None:  # noqa: PLR0917
    entry = only(write_log_file(tmp_path, f"{line}{gap}{level}{LINE_624}\n"))
    assert entry.timestamp == datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert (entry.text, entry.severity, entry.dated) == (LINE_624, severity, True)


@pytest.mark.parametrize(
    "line", [f"[ERROR] {LINE_624}", f"ERROR: {LINE_624}", f"ERROR - {LINE_624}", f"ERROR:    {LINE_624}"]
)
def test_console_lines_with_only_a_level_are_parsed(tmp_path: Path, line: str) -> None:
    entry = only(write_log_file(tmp_path, line))
    assert (entry.text, entry.severity, entry.timestamp, entry.dated) == (LINE_624, "ERROR", None, True)


def test_bare_console_line_is_parsed(tmp_path: Path) -> None:
    assert only(write_log_file(tmp_path, LINE_624)) == LogEntry(position=0, text=LINE_624)


@pytest.mark.parametrize(
    "line",
    [
        "web-1          | 03:43:43 " + LINE_624,
        "Mar  1 03:43:43 quay-host python[112]: " + LINE_624,
        "2026-03-01T03:43:43.5+00:00 app[web.1]: " + LINE_624,
        "Mar  1 03:43:44 quay-host python[112]: 2026-03-01 03:43:43,123 ERROR " + LINE_624,
    ],
)
def test_lines_of_other_tools_are_parsed(tmp_path: Path, line: str) -> None:
    entry = only(write_log_file(tmp_path, line))
    assert entry.text == LINE_624
    assert entry.timestamp is not None
    assert entry.timestamp.strftime("%H:%M:%S") == "03:43:43"


def test_indented_lines_are_parsed(tmp_path: Path) -> None:
    found = all_of(
        write_log_file(
            tmp_path, f"    03:43:43  {LINE_624}\n\t[2026-03-01 03:43:58] {NOT_AUTHENTICATED}\n    42 quays\n"
        )
    )
    assert [entry.text for entry in found] == [LINE_624, NOT_AUTHENTICATED, "    42 quays"]
    assert [entry.timestamp.year for entry in found if entry.timestamp] == [1970, 2026, 2026]


def test_times_of_day_are_not_dated(tmp_path: Path) -> None:
    first, second = all_of(write_log_file(tmp_path, f"03:43:43  {LINE_624}\n03:43:58.250  {NOT_AUTHENTICATED}\n"))
    assert (first.timestamp, first.dated) == (datetime(1970, 1, 1, 3, 43, 43, tzinfo=UTC), False)
    assert second.timestamp == datetime(1970, 1, 1, 3, 43, 58, 250_000, tzinfo=UTC)


def test_midnight_within_a_log_begins_the_next_day(tmp_path: Path) -> None:
    found = all_of(write_log_file(tmp_path, "23:59:58 a\n23:59:59 b\n00:00:01 c\n00:00:00 d\n"))
    assert [entry.timestamp.day for entry in found if entry.timestamp] == [1, 1, 2, 2]


def test_a_log_that_runs_backwards_has_no_next_day(tmp_path: Path) -> None:
    found = all_of(write_log_file(tmp_path, "23:00:02 a\n23:00:01 b\n23:00:00 c\n08:00:00 d\n"))
    assert [entry.timestamp.day for entry in found if entry.timestamp] == [1, 1, 1, 1]


def test_a_line_without_time_carries_that_of_the_line_it_continues(tmp_path: Path) -> None:
    path = write_log_file(tmp_path, f"before\n2026-03-01 03:43:43 ERROR could not start\n{TRACEBACK}")
    found = all_of(path)
    assert found[0].timestamp is None
    assert {entry.timestamp for entry in found[1:]} == {datetime(2026, 3, 1, 3, 43, 43, tzinfo=UTC)}
    assert [entry.text for entry in found[2:]] == TRACEBACK.splitlines()


def test_stamped_lines_keep_the_indentation_of_a_traceback(tmp_path: Path) -> None:
    path = write_log_file(tmp_path, "".join(f"2026-03-01 03:43:43 {line}\n" for line in TRACEBACK.splitlines()))
    found = texts(path)
    assert [line.strip() for line in found] == [line.strip() for line in TRACEBACK.splitlines()]
    assert [line[:1] == " " for line in found] == [line[:1] == " " for line in TRACEBACK.splitlines()]


@pytest.mark.parametrize(
    "line",
    [
        "[ERROR] sunk",
        "[2026-03-01 03:43:43 +0000] [12] [ERROR] sunk",
        "[ {not json}",
        "{not json}",
        "{'a': 1}",
        "[1] sunk",
    ],
)
def test_lines_that_only_look_like_json_stay_text(tmp_path: Path, line: str) -> None:
    assert len(all_of(write_log_file(tmp_path, f"{line}\n{line}\n"))) == 2


def test_json_between_lines_of_text_is_parsed(tmp_path: Path) -> None:
    content = 'starting\n{"message": "a", "level": "error"}\n\n{"broken\n{\n  "message": "b"\n}\nend'
    found = all_of(write_log_file(tmp_path, content))
    assert [entry.text for entry in found] == ["starting", "a", '{"broken', "b", "end"]
    assert found[1].severity == "ERROR"


def test_positions_of_text_are_line_numbers(tmp_path: Path) -> None:
    assert [entry.position for entry in all_of(write_log_file(tmp_path, "a\nb\n\n\nc\n  d\n"))] == [0, 1, 4, 5]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "content", [json.dumps(TWO, ensure_ascii=False), f"{LINE_624} – ärgerlich\n{NOT_AUTHENTICATED}"]
)
def test_each_encoding_is_decoded(tmp_path: Path, encoding: str, content: str) -> None:
    mark = "\ufeff" if encoding in {"utf-16-le", "utf-16-be"} else ""
    found = texts(write_log_file(tmp_path, (mark + content).encode(encoding)))
    assert [text[:40] for text in found] == [LINE_624[:40], NOT_AUTHENTICATED[:40]]
    assert found[0].endswith(" – ärgerlich") == ("ärgerlich" in content)


def test_undecodable_bytes_are_replaced(tmp_path: Path) -> None:
    assert texts(write_log_file(tmp_path, b'{"textPayload": "a\xffb"}')) == ["a\ufffdb"]
    assert texts(write_log_file(tmp_path, b"a\xff\x00b\n\xfe")) == ["a\ufffd\x00b", "\ufffd"]


def test_gzip_files_are_read(tmp_path: Path) -> None:
    assert texts(write_log_file(tmp_path, gzip.compress(json.dumps(TWO).encode()))) == [LINE_624, NOT_AUTHENTICATED]


@pytest.mark.parametrize("content", ["", "\n", "  \n\n", "[]", "[ ]\n", "\ufeff"])
def test_empty_logs_have_no_entries(tmp_path: Path, content: str) -> None:
    assert all_of(write_log_file(tmp_path, content)) == []


def test_a_log_is_read_again_from_its_beginning(tmp_path: Path) -> None:
    log = LogFile(write_log_file(tmp_path, TWO))
    assert list(log.entries()) == list(log.entries())
    next(log.entries())
    assert len(list(log.entries())) == 2


def test_stdin_is_read_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = io.BytesIO(json.dumps(TWO).encode())

    monkeypatch.setattr("sys.stdin", Stdin)
    log = LogFile("-")
    assert [[entry.text for entry in log.entries()] for _ in range(2)] == [[LINE_624, NOT_AUTHENTICATED]] * 2


def test_a_pipe_is_read_twice(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_text(json.dumps(TWO)))
    writer.start()
    log = LogFile(str(pipe))
    assert [len(list(log.entries())) for _ in range(2)] == [2, 2]
    writer.join()


def test_long_lines_are_cut(tmp_path: Path) -> None:
    path = write_log_file(tmp_path, "x" * (3 * MAX_LINE_LENGTH) + "\nnext\n" + "y" * (2 * MAX_LINE_LENGTH))
    assert [(len(text), text[:4]) for text in texts(path)] == [
        (MAX_LINE_LENGTH, "xxxx"),
        (4, "next"),
        (MAX_LINE_LENGTH, "yyyy"),
    ]


def unreadable(path: str) -> str:
    with pytest.raises(InputError) as raised:
        all_of(path)
    said = str(raised.value)
    assert "\n" not in said
    assert re.search(r"[.!]$", said)
    assert said.startswith(path)
    return said


def test_missing_file_is_refused(tmp_path: Path) -> None:
    missing, folder = str(tmp_path / "none.json"), str(tmp_path)
    assert unreadable(missing).removeprefix(missing) != unreadable(folder).removeprefix(folder)


def test_directory_is_refused(tmp_path: Path) -> None:
    assert "is a directory" in unreadable(str(tmp_path))


def test_name_with_a_nul_byte_is_refused() -> None:
    assert "cannot be read" in unreadable("log\0.json")


def test_unreadable_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_log_file(tmp_path, TWO)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert "may not read" in unreadable(path)


def test_damaged_gzip_is_refused(tmp_path: Path) -> None:
    assert "gzip" in unreadable(write_log_file(tmp_path, gzip.compress(json.dumps(TWO * 50).encode())[:-40]))


@pytest.mark.parametrize(
    ("content", "place", "reason"),
    [
        (json.dumps(TWO)[:-1], "line 1", "the array is not closed"),
        (json.dumps(TWO, indent=2)[:-30], "line ", "the file ends in the middle of an entry"),
        ("[", "line 1, column 2", "the array is not closed"),
        ('[{"textPayload": "a"}, {"textPayload" "b"}]', "line 1, column 39", "expecting ':'"),
        ('{"textPayload": "a"}\n{"textPayload": b}\n', "line 2, column 17", "expecting value"),
        ('{"textPayload": "a"}\n{"textPayload": "b', "line 2, column 17", "the file ends in the middle of an entry"),
        ('{"textPayload": 1' + "0" * 5000 + "}", "line 1, column 1", "too many digits"),
        ('[{"a": ' + "[" * 100_000 + "]" * 100_000 + "}]", "line 1, column 2", "nested too deeply"),
        ('{"a": ' + '{"a": ' * 100_000, "line 1, column 1", "nested too deeply"),
    ],
)
def test_broken_json_is_refused_with_its_position(tmp_path: Path, content: str, place: str, reason: str) -> None:
    said = unreadable(write_log_file(tmp_path, content))
    assert place in said
    assert reason in said


def test_position_is_exact_far_into_the_file(tmp_path: Path) -> None:
    good = json.dumps(export_entry("x" * 500))
    said = unreadable(write_log_file(tmp_path, f"{good}\n" * 1_000 + '{"textPayload": x}'))
    assert "line 1001, column 17" in said


def test_entries_before_the_broken_position_are_returned(tmp_path: Path) -> None:
    found = LogFile(write_log_file(tmp_path, json.dumps(TWO)[:-1])).entries()
    assert [next(found).text, next(found).text] == [LINE_624, NOT_AUTHENTICATED]
    with pytest.raises(InputError):
        next(found)


@pytest.mark.parametrize("zone", ["PDT", "CEST", "IST"])
def test_a_time_in_a_zone_that_is_only_named_is_no_time(tmp_path: Path, zone: str) -> None:
    log = tmp_path / "log"
    log.write_text(f"2026-05-01 20:00:00.000 {zone} Uncaught exception: SyntaxError: x (a.py, line 4)\n", "utf-8")
    [entry] = LogFile(str(log)).entries()
    assert entry.timestamp is None
    assert entry.text.strip().startswith("Uncaught exception")
