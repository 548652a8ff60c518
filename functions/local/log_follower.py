"""Follows a growing log, and parses whole entries from its pieces of text.

Read are objects on lines of their own, objects over many lines, and an array that never ends: `gcloud logging tail
--format=json`, `gcloud logging read --format=json`, JSON lines.
"""

import codecs
import json
import os
import select
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

_MAX_ENTRY_LENGTH = 1 << 20
"""Characters. An entry has 256 KB at most: what is longer and still no entry never becomes one."""
_SEPARATORS = " \t\r\n,[]"


@dataclass(slots=True)
class EntryParser:
    """`skipped` counts lines that were no part of an entry."""

    skipped: int = 0
    _buffer: str = ""
    _decoder: json.JSONDecoder = field(default_factory=json.JSONDecoder)

    def feed(self, text: str, *, last: bool = False) -> Iterator[Mapping[str, object]]:
        """The entries that are whole by now. With `last` no more text will come."""
        self._buffer += text
        while True:
            self._buffer = self._buffer.lstrip(_SEPARATORS)
            if not self._buffer:
                return
            if not self._buffer.startswith("{"):
                if not self._skip_line(last=last):
                    return
                continue
            try:
                entry, end = self._decoder.raw_decode(self._buffer)
            except (ValueError, RecursionError):
                if not last and len(self._buffer) < _MAX_ENTRY_LENGTH and not self._is_cut_off():
                    return
                self._skip_line(last=True)
                continue
            self._buffer = self._buffer[end:]
            yield entry

    def _is_cut_off(self) -> bool:
        """Whether an object begins again before the first one has ended: it was cut off."""
        return "\n{" in self._buffer

    def _skip_line(self, *, last: bool) -> bool:
        """False where the line has not ended yet."""
        line, ended, rest = self._buffer.partition("\n")
        if not ended and not last and len(line) < _MAX_ENTRY_LENGTH:
            return False
        self.skipped += 1
        self._buffer = rest
        return True


_CHUNK = 1 << 16
_PAUSE_SECONDS = 0.2
STDIN = "-"


def follow_log(source: str, on_text: Callable[[str, bool], None], stop: Event) -> None:
    """`on_text` gets text, and whether it was the last. Raises OSError for what cannot be read."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
    if source == STDIN:
        _follow_pipe(0, lambda data, last: on_text(decoder.decode(data, last), last), stop)
    else:
        _follow_file(Path(source), lambda data: on_text(decoder.decode(data), False), stop)


def _follow_pipe(number: int, on_data: Callable[[bytes, bool], None], stop: Event) -> None:
    while not stop.is_set():
        if not select.select([number], [], [], _PAUSE_SECONDS)[0]:
            continue
        data = os.read(number, _CHUNK)
        on_data(data, not data)
        if not data:
            return


def _follow_file(path: Path, on_data: Callable[[bytes], None], stop: Event) -> None:
    at = 0
    while not stop.is_set():
        size = path.stat().st_size
        at = at if size >= at else 0
        if size == at:
            stop.wait(_PAUSE_SECONDS)
            continue
        with path.open("rb") as file:
            file.seek(at)
            data = file.read(_CHUNK)
        at += len(data)
        on_data(data)
