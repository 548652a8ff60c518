"""Reads what grows, a pipe or a file, in a thread of its own: text goes to whoever takes it, until the end or a stop.

A file is read from its beginning, and once more when it has become shorter; a pipe ends when its writer does.
"""

import codecs
import os
import select
from collections.abc import Callable
from pathlib import Path
from threading import Event

_CHUNK = 1 << 16
_PAUSE_SECONDS = 0.2
STDIN = "-"


def follow_log(source: str, on_text: Callable[[str, bool], None], stop: Event) -> None:
    """`take` gets text, and whether it was the last. Raises OSError for what cannot be read."""
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
