"""Logs that somebody wrote to do harm: every one is read to its end, or refused in one sentence, and nothing raises."""

import json
import random
from pathlib import Path

import pytest

from shared.adapters.logs.log_file import LogFile
from shared.adapters.logs.log_json import parse_json_entry
from shared.detection.collect import collect_incidents
from shared.detection.entry import LogEntry
from shared.detection.signal import SkipReason, Signal, SignalKind, read_signal
from shared.errors import InputError
from shared.text.markup import MAX_TEXT_LENGTH
from tests.bench.signal_speed import nasty_texts
from tests.support.logged import FORBIDDEN, LINE_624, TRACEBACK, exported, read, signal, written

KILOBYTES = 256
SHAPES = (
    TRACEBACK,
    LINE_624,
    FORBIDDEN,
    " ".join(TRACEBACK.split()),
    "\n".join("  | " + line for line in TRACEBACK.splitlines()),
    "SyntaxError('unmatched', ('/app/quay.py', 3, 5, 'return a)\\n', 3, 6))",
    '\x1b[35m"/app/quay.py"\x1b[0m <red>SyntaxError</red>: [bold]bad[/bold] (quay.py, line 7)',
    "received 1011 (internal error); then sent 1011 (internal error) keepalive ping timeout",
    "SyntaxError: Unexpected token < in JSON at position 0\n    at JSON.parse (<anonymous>)",
    "psycopg2.errors.SyntaxError: near (quay.py, line 7) │ /app/quay.py:3 │",
)
BITS = (
    *("(", ")", '"', "'", "\\", "\n", "\r", "\0", "\x1b[", "</", "│", "1011", "SyntaxError", ": ", ", line ", 'File "'),
    *("99999999999999999999", "\ud800", "🚢", "-", ".", " " * 50, "..", "/", "None", ", in ", "<", ">", "a" * 80),
)


def mutated(text: str, chance: random.Random) -> str:
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(text) + 1)
        until = min(len(text), at + chance.choice((0, 1, 3, 40)))
        text = (
            text[:at]
            + chance.choice((chance.choice(BITS), text[until:at], "", chance.choice(SHAPES)[: at % 99]))
            + text[until:]
        )
    return text


def test_ten_thousand_fuzzed_texts() -> None:
    chance = random.Random(1011)
    kinds = {type(read_signal(LogEntry(n, mutated(SHAPES[n % len(SHAPES)], chance)))) for n in range(10_000)}
    assert kinds == {Signal, SkipReason}


def junk(chance: random.Random, depth: int = 0) -> object:
    pick = chance.randrange(8 if depth < 3 else 5)
    if pick == 5:
        return [junk(chance, depth + 1) for _ in range(chance.randrange(4))]
    if pick > 5:
        keys = ("message", "labels", "seconds", "stack", "exc_type", "exc_value", "service_name", "instanceId", "code")
        return {chance.choice(keys): junk(chance, depth + 1) for _ in range(chance.randrange(4))}
    return (None, 10**30, -0.5, True, mutated(chance.choice(SHAPES), chance))[pick]


def test_ten_thousand_fuzzed_entries_through_the_whole_way(tmp_path: Path) -> None:
    chance = random.Random(624)
    log = []
    for number in range(10_000):
        entry = exported(mutated(SHAPES[number % len(SHAPES)], chance), at=number)
        for key in chance.sample(sorted(entry), k=chance.choice((0, 0, 1, 2))):
            entry[key] = junk(chance)
        if number % 3 == 0:
            entry["jsonPayload"] = junk(chance)
            del entry["textPayload"]
        log.append(entry)
    found = collect_incidents(LogFile(written(tmp_path, log)), service="", environment="")
    assert found.entry_count == 10_000
    assert {SignalKind.SYNTAX_ERROR, SignalKind.NOT_PYTHON} <= {incident.kind for incident in found.incidents}
    assert all(len(incident.fingerprint) == 16 for incident in found.incidents)


def test_fuzzed_files(tmp_path: Path) -> None:
    chance = random.Random(676)
    whole = json.dumps([exported(text) for text in SHAPES], indent=1)
    refused: list[str] = []
    entries = 0
    for number in range(500):
        content = mutated(whole if number % 2 else "\n".join(SHAPES), chance).encode("utf-8", "surrogatepass")
        path = written(tmp_path, content if number % 5 else content[: chance.randrange(len(content))])
        try:
            entries += collect_incidents(LogFile(path), service="", environment="").entry_count
        except InputError as error:
            refused.append(str(error))
    assert entries > 1_000
    assert refused
    assert not [said for said in refused if "\n" in said]


@pytest.mark.parametrize("name", sorted(nasty_texts(1)))
def test_long_texts_are_read_to_their_end(name: str) -> None:
    found = read(nasty_texts(KILOBYTES)[name])
    assert isinstance(found, Signal | SkipReason)
    if name in {"frames", "word", "spaces", "new lines", "dots", "tags", "uuids"}:
        assert (signal(nasty_texts(KILOBYTES)[name]).path, signal(nasty_texts(KILOBYTES)[name]).line) == (
            "/app/quay.py",
            3,
        )


def test_single_line_of_256_kb_with_the_error_at_its_end() -> None:
    assert signal("x" * KILOBYTES * 1024 + " " + LINE_624).line == 624


def test_traceback_of_50_000_frames() -> None:
    frames = "".join(f'  File "/app/f{n}.py", line {n}, in g\n    h()\n' for n in range(50_000))
    text = "Traceback (most recent call last):\n" + frames + TRACEBACK.partition("\n")[2]
    assert len(text) > MAX_TEXT_LENGTH
    assert signal(text).path == "/app/ferry/timetable.py"


def test_traceback_of_50_000_frames_line_by_line(tmp_path: Path) -> None:
    frames = "".join(f'  File "/app/f{n}.py", line {n}, in g\n    h()\n' for n in range(50_000))
    path = written(tmp_path, "Traceback (most recent call last):\n" + frames + TRACEBACK.partition("\n")[2])
    (incident,) = collect_incidents(LogFile(path), service="", environment="").incidents
    assert (incident.path, incident.occurrences) == ("/app/ferry/timetable.py", 1)


@pytest.mark.parametrize(
    "path", ["../../etc/passwd", "/etc/passwd", "--upload-pack=touch /tmp/x", "-", "quay.py\0", "C:\\q.py"]
)
def test_names_are_carried_as_logged(path: str) -> None:
    assert signal(f"SyntaxError: bad ({path}, line 7)").path == path


def test_huge_line_number() -> None:
    text = "SyntaxError: bad (quay.py, line 99999999999999999999)"
    assert read(text) is SkipReason.NO_FAILING_FILE


@pytest.mark.parametrize("value", ["[" * 90_000 + "]" * 90_000, '{"a":' * 90_000 + "1" + "}" * 90_000])
def test_deeply_nested_json(tmp_path: Path, value: str) -> None:
    for content in (f'[{{"jsonPayload": {value}}}]', f'{{"jsonPayload": {value}}}', f'{{"jsonPayload":\n {value}\n}}'):
        with pytest.raises(InputError, match="nested too deeply"):
            list(LogFile(written(tmp_path, content)).entries())


def test_deeply_nested_json_among_text_is_text(tmp_path: Path) -> None:
    content = "starting\n" + '{"a":' * 50_000 + "\n" + LINE_624
    assert [entry.text[:5] for entry in LogFile(written(tmp_path, content)).entries()] == ["start", '{"a":', "Uncau"]


def test_nesting_that_json_allows_is_not_descended_into() -> None:
    value: object = "x"
    for _ in range(500):
        value = {"error": [value], "message": "y"}
    assert parse_json_entry({"jsonPayload": value}, 0).text == "y"


def test_100_000_instances_keep_few_lines_each(tmp_path: Path) -> None:
    tail = TRACEBACK.splitlines()[-4:]
    log = [exported(tail[n % 4], at=n, instance=f"i{n // 4}", severity=...) for n in range(4_000)]
    (incident,) = collect_incidents(LogFile(written(tmp_path, log)), service="", environment="").incidents
    assert incident.occurrences == 1_000
