"""Logs that were written to do harm: every one is read to its end, or refused in one sentence, and nothing raises."""

import json
import random
from pathlib import Path

import pytest

from shared.adapters.logs.log_file import LogFile
from shared.adapters.logs.log_json import parse_json_entry
from shared.detection.collect import collect_incidents
from shared.detection.entry import LogEntry
from shared.detection.signal import Signal, SignalKind, SkipReason, read_signal
from shared.errors import InputError
from shared.text.escaping import MAX_TEXT_LENGTH
from tests.support.log_fuzzing import SIGNAL_TEXTS, build_nasty_texts, mutate
from tests.support.log_samples import (
    LINE_624,
    TRACEBACK,
    classify_text,
    export_entry,
    signal_in,
    write_log_file,
)

KILOBYTES = 256


def test_ten_thousand_fuzzed_texts_raise_nothing() -> None:
    chance = random.Random(1011)
    kinds = {type(read_signal(LogEntry(n, mutate(SIGNAL_TEXTS[n % len(SIGNAL_TEXTS)], chance)))) for n in range(10_000)}
    assert kinds == {Signal, SkipReason}


def random_value(chance: random.Random, depth: int = 0) -> object:
    pick = chance.randrange(8 if depth < 3 else 5)
    if pick == 5:
        return [random_value(chance, depth + 1) for _ in range(chance.randrange(4))]
    if pick > 5:
        keys = ("message", "labels", "seconds", "stack", "exc_type", "exc_value", "service_name", "instanceId", "code")
        return {chance.choice(keys): random_value(chance, depth + 1) for _ in range(chance.randrange(4))}
    return (None, 10**30, -0.5, True, mutate(chance.choice(SIGNAL_TEXTS), chance))[pick]


def test_ten_thousand_fuzzed_entries_are_collected(tmp_path: Path) -> None:
    chance = random.Random(624)
    log = []
    for number in range(10_000):
        entry = export_entry(mutate(SIGNAL_TEXTS[number % len(SIGNAL_TEXTS)], chance), at=number)
        for key in chance.sample(sorted(entry), k=chance.choice((0, 0, 1, 2))):
            entry[key] = random_value(chance)
        if number % 3 == 0:
            entry["jsonPayload"] = random_value(chance)
            del entry["textPayload"]
        log.append(entry)
    found = collect_incidents(LogFile(write_log_file(tmp_path, log)), service="", environment="")
    assert found.entry_count == 10_000
    assert {SignalKind.SYNTAX_ERROR, SignalKind.NOT_PYTHON} <= {incident.kind for incident in found.incidents}
    assert all(len(incident.fingerprint) == 16 for incident in found.incidents)


def test_fuzzed_files_are_read_or_refused(tmp_path: Path) -> None:
    chance = random.Random(676)
    whole = json.dumps([export_entry(text) for text in SIGNAL_TEXTS], indent=1)
    refused: list[str] = []
    entries = 0
    for number in range(500):
        content = mutate(whole if number % 2 else "\n".join(SIGNAL_TEXTS), chance).encode("utf-8", "surrogatepass")
        path = write_log_file(tmp_path, content if number % 5 else content[: chance.randrange(len(content))])
        try:
            entries += collect_incidents(LogFile(path), service="", environment="").entry_count
        except InputError as error:
            refused.append(str(error))
    assert entries > 1_000
    assert refused
    assert not [said for said in refused if "\n" in said]


@pytest.mark.parametrize("name", sorted(build_nasty_texts(1)))
def test_long_texts_are_read_to_their_end(name: str) -> None:
    found = classify_text(build_nasty_texts(KILOBYTES)[name])
    assert isinstance(found, Signal | SkipReason)
    if name in {"frames", "word", "spaces", "new lines", "dots", "tags", "uuids"}:
        assert (
            signal_in(build_nasty_texts(KILOBYTES)[name]).path,
            signal_in(build_nasty_texts(KILOBYTES)[name]).line,
        ) == (
            "/app/quay.py",
            3,
        )


def test_error_at_the_end_of_a_256_kb_line_is_found() -> None:
    assert signal_in("x" * KILOBYTES * 1024 + " " + LINE_624).line == 624


def test_traceback_of_50_000_frames_is_read() -> None:
    frames = "".join(f'  File "/app/f{n}.py", line {n}, in g\n    h()\n' for n in range(50_000))
    text = "Traceback (most recent call last):\n" + frames + TRACEBACK.partition("\n")[2]
    assert len(text) > MAX_TEXT_LENGTH
    assert signal_in(text).path == "/app/ferry/timetable.py"


def test_line_by_line_traceback_of_50_000_frames_is_read(tmp_path: Path) -> None:
    frames = "".join(f'  File "/app/f{n}.py", line {n}, in g\n    h()\n' for n in range(50_000))
    path = write_log_file(tmp_path, "Traceback (most recent call last):\n" + frames + TRACEBACK.partition("\n")[2])
    (incident,) = collect_incidents(LogFile(path), service="", environment="").incidents
    assert (incident.path, incident.occurrences) == ("/app/ferry/timetable.py", 1)


@pytest.mark.parametrize(
    "path", ["../../etc/passwd", "/etc/passwd", "--upload-pack=touch /tmp/x", "-", "quay.py\0", "C:\\q.py"]
)
def test_names_are_carried_as_logged(path: str) -> None:
    assert signal_in(f"SyntaxError: bad ({path}, line 7)").path == path


def test_huge_line_number_is_refused() -> None:
    text = "SyntaxError: bad (quay.py, line 99999999999999999999)"
    assert classify_text(text) is SkipReason.NO_FAILING_FILE


@pytest.mark.parametrize("value", ["[" * 90_000 + "]" * 90_000, '{"a":' * 90_000 + "1" + "}" * 90_000])
def test_deeply_nested_json_is_refused(tmp_path: Path, value: str) -> None:
    for content in (f'[{{"jsonPayload": {value}}}]', f'{{"jsonPayload": {value}}}', f'{{"jsonPayload":\n {value}\n}}'):
        with pytest.raises(InputError, match="nested too deeply"):
            list(LogFile(write_log_file(tmp_path, content)).entries())


def test_deeply_nested_json_among_text_is_text(tmp_path: Path) -> None:
    content = "starting\n" + '{"a":' * 50_000 + "\n" + LINE_624
    assert [entry.text[:5] for entry in LogFile(write_log_file(tmp_path, content)).entries()] == [
        "start",
        '{"a":',
        "Uncau",
    ]


def test_nesting_that_json_allows_is_not_descended_into() -> None:
    value: object = "x"
    for _ in range(500):
        value = {"error": [value], "message": "y"}
    assert parse_json_entry({"jsonPayload": value}, 0).text == "y"


def test_100_000_instances_keep_few_lines_each(tmp_path: Path) -> None:
    tail = TRACEBACK.splitlines()[-4:]
    log = [export_entry(tail[n % 4], at=n, instance=f"i{n // 4}", severity=...) for n in range(4_000)]
    (incident,) = collect_incidents(LogFile(write_log_file(tmp_path, log)), service="", environment="").incidents
    assert incident.occurrences == 1_000
