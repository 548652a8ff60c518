"""Reads the entries of a log file or of stdin: opens, decompresses and decodes it, any number of times.

A file that cannot be read raises an error whose one sentence names it and says what to do.
"""

import codecs
import gzip
import io
import os
import shutil
import stat
import sys
import tempfile
import weakref
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, cast

from shared.adapters.logs.log_stream import LogStream
from shared.detection.entry import LogEntry
from shared.errors import InputError

_GZIP_MAGIC = b"\x1f\x8b"
_ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
STDIN = "-"


class LogFile:
    """Implements `shared.detection.entry.LogSource`. `-` is stdin; it and pipes are first copied to an unnamed file."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._name = "stdin" if path == STDIN else path
        self._copy: IO[bytes] | None = None

    def entries(self) -> Iterator[LogEntry]:
        """See `LogSource`. One reading at a time."""
        with self._translate_errors(), self._open_bytes() as raw:
            packed = _starts_with(raw, _GZIP_MAGIC)
            buffered = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if packed else raw
            encoding = next((name for mark, name in _ENCODINGS if _starts_with(buffered, mark)), "utf-8")
            text = io.TextIOWrapper(buffered, encoding=encoding, errors="replace")
            try:
                yield from LogStream(text, self._name).entries()
            finally:
                text.detach()

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise InputError(f"{self._name}: there is no such log file; give the path of an existing one.") from error
        except IsADirectoryError as error:
            named = f"{self._name} is a folder" if self._name else "--log is empty"
            raise InputError(f"{named}; name a log file, or - for standard input.") from error
        except PermissionError as error:
            raise InputError(f"{self._name}: you may not read this log file; change its permissions.") from error
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InputError(f"{self._name}: the gzip data is damaged ({error}); export the log again.") from None
        except (OSError, ValueError) as error:
            raise InputError(f"{self._name}: the log file cannot be read ({error}).") from None

    @contextmanager
    def _open_bytes(self) -> Iterator[BinaryIO]:
        if self._copy is None and (self._path == STDIN or _is_pipe(self._path)):
            self._copy = self._copy_stream()
            weakref.finalize(self, self._copy.close)
        if self._copy is not None:
            self._copy.seek(0)
            with os.fdopen(os.dup(self._copy.fileno()), "rb") as file:
                yield file
            return
        with Path(self._path).open("rb") as file:
            yield file

    def _copy_stream(self) -> IO[bytes]:
        copy = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as this object and has no name
        if self._path == STDIN:
            shutil.copyfileobj(sys.stdin.buffer, copy)
        else:
            with Path(self._path).open("rb") as pipe:
                shutil.copyfileobj(pipe, copy)
        copy.flush()
        return copy


def _is_pipe(path: str) -> bool:
    mode = Path(path).stat().st_mode
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _starts_with(file: BinaryIO, mark: bytes) -> bool:
    begun = file.read(len(mark)) == mark
    file.seek(0)
    return begun
