"""A growing stream of entries: whole ones come out as soon as they are whole, whatever they are cut into."""

import json
from collections.abc import Iterable
from pathlib import Path
from threading import Event, Thread

import pytest

from functions.local.log_follower import EntryParser, follow_log

ENTRIES = [{"insertId": f"t{number}", "textPayload": 'low {tide} [7]\nebb, "flood"'} for number in range(3)]
SHAPES = {
    "an array over many lines": json.dumps(ENTRIES, indent=2),
    "an array that never ends": json.dumps(ENTRIES, indent=2).rstrip("]"),
    "lines": "".join(json.dumps(each) + "\n" for each in ENTRIES),
    "objects over many lines": "\n".join(json.dumps(each, indent=2) for each in ENTRIES),
}


def fed(stream: EntryParser, pieces: Iterable[str]) -> list[object]:
    return [entry for piece in pieces for entry in stream.feed(piece)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_every_shape_cut_into_any_pieces_gives_the_same_entries(shape: str, size: int) -> None:
    text, stream = SHAPES[shape], EntryParser()
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    assert fed(stream, pieces) == ENTRIES
    assert stream.skipped == 0


def test_an_entry_comes_out_as_soon_as_it_is_whole() -> None:
    stream, text = EntryParser(), SHAPES["objects over many lines"]
    end = text.index("}\n{") + 1
    assert fed(stream, [text[: end - 1]]) == []
    assert fed(stream, [text[end - 1 : end]]) == ENTRIES[:1]


def test_what_is_no_entry_is_counted_and_costs_no_entry() -> None:
    stream = EntryParser()
    noise = "Initializing tail session.\n"
    cut_off = '{\n  "insertId": "half",\n'
    pieces = [noise, json.dumps(ENTRIES[0]) + "\n", cut_off, json.dumps(ENTRIES[1], indent=2) + "\n", noise]
    assert fed(stream, pieces) == ENTRIES[:2]
    assert stream.skipped == 4
    assert list(stream.feed('{"insertId": "never ended"', last=True)) == []
    assert stream.skipped == 5


def test_what_never_ends_does_not_fill_the_memory() -> None:
    stream = EntryParser()
    for _ in range(40):
        assert list(stream.feed('{"a": "' + "x" * 100_000)) == []
    assert len(stream._buffer) <= 1 << 20


def test_file_is_followed_from_its_start_and_after_truncation(tmp_path: Path) -> None:
    log, seen, over = tmp_path / "log", "", Event()
    log.write_text("low ", "utf-8")

    def take(text: str, _last: bool) -> None:  # noqa: FBT001  # as the follower gives it
        nonlocal seen
        seen += text
        if seen == "low ":
            log.write_text("low tide ", "utf-8")
        elif seen == "low tide ":
            log.write_text("ebb", "utf-8")
        elif seen == "low tide ebb":
            over.set()

    reading = Thread(target=follow_log, args=(str(log), take, over))
    reading.start()
    reading.join(60)
    assert seen == "low tide ebb"
