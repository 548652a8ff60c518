"""Parses a stream of text into log entries: JSON arrays, JSON objects, lines, or a mixture of them.

Yields entries one at a time, with a bounded window of the text in memory. The standard library's decoder works on that
window: it is as fast as a streaming parser, knows the place of an error, and refuses deep nesting (ijson keeps the path
of every value: for 100,000 brackets it took all the memory of the machine).
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import TextIO

from shared.adapters.logs.log_json import SplitEntries, parse_json_entry
from shared.adapters.logs.log_text import ConsoleLogReader
from shared.detection.entry import LogEntry
from shared.errors import InputError

MAX_LINE_LENGTH = 1024 * 1024
_MAX_VALUE_LENGTH = 16 * 1024 * 1024
_CHUNK_LENGTH = 512 * 1024
_MAX_TOKEN_LENGTH = 16
_WORDS = ("true", "false", "null", "NaN", "Infinity", "-Infinity")
_MANY_SPACES = 64 * 1024

_SPACE = re.compile(r"[ \t\r\n]*")
_OBJECT = re.compile(r'\{[ \t\r\n]*(?:["}]|$)')
_ARRAY = re.compile(r'\[[ \t\r\n]*(?:\]|null\b|\{[ \t\r\n]*(?:["}]|$)|$)')
_ENTRIES_RESPONSE = re.compile(r'\{[ \t\r\n]*"entries"[ \t\r\n]*:[ \t\r\n]*\[')
"""What the API's `entries:list` answers."""


class LogStream:
    """Reads one stream from its beginning to its end, once."""

    def __init__(self, stream: TextIO, name: str) -> None:
        self._stream = stream
        self._name = name
        self._decode = json.JSONDecoder().raw_decode
        self._lines = ConsoleLogReader()
        self._split = SplitEntries()
        self._window = ""
        self._offset = 0
        self._ended = False
        self._line = 1
        self._column = 1
        self._position = 0
        self._has_console_lines = False

    def entries(self) -> Iterator[LogEntry]:
        """All of them; raises `InputError` at JSON that is broken or cut off."""
        yield from self._read_entries()
        yield from map(self._build_entry, self._split.finish())

    def _read_entries(self) -> Iterator[LogEntry]:
        self._read_chunk()
        if self._matches(_ENTRIES_RESPONSE):
            self._offset = self._window.index("[", self._offset)
            yield from self._read_array()
            return
        while self._skip_space(count_lines=self._has_console_lines):
            if not self._has_console_lines and self._matches(_ARRAY):
                yield from self._read_array()
            elif (read := self._read_object()) is not None:
                yield from read
            else:
                yield self._read_text_line()

    def _read_object(self) -> Sequence[LogEntry] | None:
        """The entries that an object makes whole; None where none begins here."""
        if not self._matches(_OBJECT):
            return None
        if not self._has_console_lines:
            return self._build_entries(self._read_value())
        before = self._offset
        try:
            return self._build_entries(self._read_value(max_length=MAX_LINE_LENGTH))
        except InputError:  # among lines of text, what looks like JSON and is not is one more line of text
            self._offset = before
            return None

    def _read_array(self) -> Iterator[LogEntry]:
        self._offset += 1
        while True:
            if not self._skip_space():
                raise self._parse_error("the array is not closed: the export was cut off")
            sign = self._window[self._offset]
            if sign == "]":
                self._offset += 1
                return
            if sign == ",":
                self._offset += 1
                continue
            yield from self._build_entries(self._read_value())

    def _build_entries(self, value: object) -> Sequence[LogEntry]:
        return [self._build_entry(whole) for whole in self._split.add(value)]

    def _build_entry(self, value: object) -> LogEntry:
        self._position += 1
        return parse_json_entry(value, self._position - 1)

    def _read_value(self, max_length: int = _MAX_VALUE_LENGTH) -> object:
        while True:
            try:
                value, self._offset = self._decode(self._window, self._offset)
            except json.JSONDecodeError as error:
                cut_off = self._is_cut_off(error)
                if not cut_off or len(self._window) - self._offset > max_length or not self._read_chunk():
                    raise self._parse_error(_explain_json_error(error, cut_off=cut_off), error.pos) from None
            except RecursionError:
                raise self._parse_error("it is nested too deeply") from None
            except ValueError:
                raise self._parse_error("a number in it has too many digits") from None
            else:
                return value

    def _is_cut_off(self, error: json.JSONDecodeError) -> bool:
        """True where the error is nothing but the end of the window."""
        if error.msg.startswith("Unterminated string"):
            return True
        rest = self._window[error.pos : error.pos + _MAX_TOKEN_LENGTH + 1]
        if len(rest) > _MAX_TOKEN_LENGTH:
            return False
        return not rest.strip() or error.msg.startswith("Invalid \\u") or any(word.startswith(rest) for word in _WORDS)

    def _read_text_line(self) -> LogEntry:
        self._has_console_lines = True
        end = self._find_line_end()
        line = self._window[self._offset : min(end, self._offset + MAX_LINE_LENGTH)]
        self._offset = end
        self._skip_line()
        self._position += 1
        return self._lines.parse_line(line, self._position - 1)

    def _find_line_end(self) -> int:
        searched = self._offset
        while (end := self._window.find("\n", searched)) < 0:
            length = len(self._window) - self._offset
            if length >= MAX_LINE_LENGTH or not self._read_chunk():
                return len(self._window)
            searched = self._offset + length
        return end

    def _skip_line(self) -> None:
        """Up to and with the line end, which may be far away where the line was cut."""
        while True:
            end = self._window.find("\n", self._offset)
            if end >= 0:
                self._offset = end + 1
                return
            self._offset = len(self._window)
            if not self._read_chunk():
                return

    def _skip_space(self, *, count_lines: bool = False) -> bool:
        """To the next sign; False at the end. Among text, an empty line counts and an indentation is not skipped."""
        while True:
            spaces = _SPACE.match(self._window, self._offset)
            end = spaces.end() if spaces is not None else self._offset
            ends_here = end == len(self._window)
            if ends_here and end - self._offset < _MANY_SPACES and self._read_chunk():
                continue
            if count_lines:
                self._position += self._window.count("\n", self._offset, end)
                line_start = self._window.rfind("\n", self._offset, end) + 1
                end = line_start if line_start and not ends_here else (end if ends_here else self._offset)
            self._offset = end
            if not ends_here:
                return True
            if not self._read_chunk():
                return False

    def _matches(self, pattern: re.Pattern[str]) -> bool:
        return pattern.match(self._window, self._offset) is not None

    def _read_chunk(self) -> bool:
        """Take another chunk into the window and let go of what was read."""
        if self._ended:
            return False
        chunk = self._stream.read(max(_CHUNK_LENGTH, len(self._window) - self._offset))
        if not chunk:
            self._ended = True
            return False
        self._line, self._column = self._line_and_column(self._offset)
        self._window = self._window[self._offset :] + chunk
        self._offset = 0
        return True

    def _line_and_column(self, end: int) -> tuple[int, int]:
        lines = self._window.count("\n", 0, end)
        if not lines:
            return self._line, self._column + end
        return self._line + lines, end - self._window.rfind("\n", 0, end)

    def _parse_error(self, reason: str, at: int | None = None) -> InputError:
        line, column = self._line_and_column(self._offset if at is None else at)
        return InputError(
            f"{self._name}, line {line}, column {column}: this is not complete JSON ({reason}); "
            "export the log again, or cut the file before that place."
        )


def _explain_json_error(error: json.JSONDecodeError, *, cut_off: bool) -> str:
    return "the file ends in the middle of an entry" if cut_off else error.msg[:1].lower() + error.msg[1:]
