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


def follow(source: str, take: Callable[[str, bool], None], over: Event) -> None:
    """`take` gets text, and whether it was the last. Raises OSError for what cannot be read."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
    if source == STDIN:
        _follow_pipe(0, lambda data, last: take(decoder.decode(data, last), last), over)
    else:
        _follow_file(Path(source), lambda data: take(decoder.decode(data), False), over)


def _follow_pipe(number: int, take: Callable[[bytes, bool], None], over: Event) -> None:
    while not over.is_set():
        if not select.select([number], [], [], _PAUSE_SECONDS)[0]:
            continue
        data = os.read(number, _CHUNK)
        take(data, not data)
        if not data:
            return


def _follow_file(path: Path, take: Callable[[bytes], None], over: Event) -> None:
    at = 0
    while not over.is_set():
        size = path.stat().st_size
        at = at if size >= at else 0
        if size == at:
            over.wait(_PAUSE_SECONDS)
            continue
        with path.open("rb") as file:
            file.seek(at)
            data = file.read(_CHUNK)
        at += len(data)
        take(data)
