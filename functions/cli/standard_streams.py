"""The process around the command: its three standard streams and the signals that end it.

The caller may have closed some streams; afterwards all of them exist, and the process always unwinds.
"""

import codecs
import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn, TextIO

_STDERR = 2
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


def ensure_standard_streams() -> None:
    """Gives stdin, stdout and stderr an object and their descriptor a holder, and lets them write any text.

    A closed stream is replaced by one that refuses: `print` would print nothing (or, for stderr, print to stdout),
    and the first file to be opened would get the number, and with it what was meant for the stream.
    """
    for name, mode, refusing in (
        ("stdin", "r", os.O_WRONLY),
        ("stdout", "w", os.O_RDONLY),
        ("stderr", "w", os.O_WRONLY),
    ):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, refusing), mode, encoding="utf-8"))
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors=_ERROR_HANDLER)  # type: ignore[union-attr]  # paths may hold any bytes


_ERROR_HANDLER = "provenfix_plain"
_ASCII = str.maketrans(
    {"“": '"', "”": '"', "’": "'", "…": "...", "→": "->", "–": "-", "−": "-", "─": "-", "✓": "+", "✗": "x"}
)
_replace_by_escapes = codecs.lookup_error("backslashreplace")


def _write_plainly(error: UnicodeError) -> tuple[str | bytes, int]:
    """What a stream cannot encode: our own marks in ASCII, all else escaped."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    words = error.object[error.start : error.end]
    plain = words.translate(_ASCII)
    return (plain, error.end) if plain.isascii() else _replace_by_escapes(error)


codecs.register_error(_ERROR_HANDLER, _write_plainly)


def discard_output(stream: TextIO) -> None:
    """What is still in the stream's buffer goes nowhere: the interpreter would try again at its end, and complain."""
    try:
        number = stream.fileno()
    except io.UnsupportedOperation:
        return  # it is kept in memory, where nothing can fail
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


@contextmanager
def handle_stop_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP unwind, as Ctrl-C does, so that processes end and scratch directories go.

    The first of them all is heard and no other: a second one must not cut the unwinding short.
    """
    heard = [number for number in _STOP_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, _handle_stop_signal) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _handle_stop_signal(number: int, _frame: FrameType | None) -> NoReturn:
    for stop_signal in _STOP_SIGNALS:
        signal.signal(stop_signal, signal.SIG_IGN)
    if number == signal.SIGINT:
        if os.isatty(_STDERR):
            os.write(_STDERR, b"\nStopping...\n")  # at once: what is to be ended may take seconds
        raise KeyboardInterrupt
    raise SystemExit(128 + number)
