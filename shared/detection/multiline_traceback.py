"""Reassembles tracebacks that were logged line by line, and recognises a line whose traceback is worth that.

It takes the lines of tracebacks in the order of the log, with the entries that name an error and no file, and returns
signals for those whose file is in an entry beside them. Entries belong together that come from the same log of the
same instance. Exports may be oldest or newest first; among equal times the order of the file decides, in its direction.

Where a traceback is logged line by line, only a few of its lines may pass a log sink. Telling frames are among them:
the top level of the service's own modules, what a server calls to load or start the application, and a server's
WebSocket. One such line shows that the whole traceback may be of a failed start or of a WebSocket that it ended.
"""

import re
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.detection.entry import LogEntry
from shared.detection.signal import Signal, read_signal
from shared.detection.syntax_errors import is_failing_file_frame
from shared.text.escaping import strip_markup

_FRAME_LINE = re.compile(
    r'[ \t|+]{0,80}File "(?P<path>[^"\n]{1,1024})", line \d{1,9}, in (?P<function>[\w<>.]{1,200})\s*'
)
_BOX_FRAME = re.compile(r"[ \t]{0,200}│ (?P<path>\S{1,1024}\.py):\d{1,9} in (?P<function><module>)[ \t]*│?\s*")
_PACKAGES = re.compile(
    r"[/\\](?:site|dist)-packages[/\\]|/lib(?:64)?/(?:python|pypy)\d|[/\\]s?bin[/\\][^/\\.]{1,100}$|^<"
)
_LOADERS = re.compile(
    r"[/\\](?:uvicorn[/\\]importer|gunicorn[/\\]util|hypercorn[/\\]utils|daphne[/\\]cli"
    r"|functions_framework[/\\]_function_registry|celery[/\\]utils[/\\]imports)\.py$"
)
_SOCKETS = re.compile(
    r"[/\\](?:uvicorn[/\\]protocols[/\\]websockets[/\\]\w{1,60}|websockets[/\\](?:(?:legacy|asyncio|sync)[/\\])?server"
    r"|channels[/\\]generic[/\\]websocket|daphne[/\\]ws_protocol|aiohttp[/\\]web_ws|tornado[/\\]websocket"
    r"|hypercorn[/\\]protocol[/\\]ws_stream|sanic[/\\]server[/\\]websockets[/\\]\w{1,40}"
    r"|(?:socketio|engineio)[/\\]\w{1,40})\.py$"
)
_SOCKET_FUNCTIONS = frozenset(("websocket_session", "handle_websocket", "full_dispatch_websocket"))


def is_telling_frame(text: str) -> bool:
    """Whether an entry is one such line."""
    if 'File "' not in text[:100] and "in <module>" not in text:
        return False
    frame = _FRAME_LINE.fullmatch(text[:2_000]) or _BOX_FRAME.fullmatch(text[:2_000])
    if frame is None:
        return False
    path, function = frame["path"], frame["function"]
    if function == "<module>":
        return _PACKAGES.search(path) is None
    if function in _SOCKET_FUNCTIONS or function == "lifespan":
        return True
    return _LOADERS.search(path) is not None or _SOCKETS.search(path) is not None


_MAX_DISTANCE = 40
"""Lines on either side of the last line of a traceback that may belong to it."""
_MAX_DISTANCE_TO_FILE = 8
"""Lines between the last line and the one that names the file."""
_MAX_STREAMS = 256
_MAX_LINE_LENGTH = 2000

_StreamKey = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    moment: datetime | None
    text: str
    error_entry: LogEntry | None = None
    """The entry, where it is the last line of a traceback and names no file."""
    is_boundary: bool = False


@dataclass(slots=True)
class _Stream:
    lines: deque[_Line] = field(default_factory=deque)
    waiting: deque[tuple[int, _Line]] = field(default_factory=deque)
    """Last lines that still wait for what may come after them, with their numbers."""
    line_count: int = 0


class TracebackAssembler:
    """Takes lines of tracebacks, gives the signals that they add up to."""

    def __init__(self) -> None:
        self._streams: OrderedDict[_StreamKey, _Stream] = OrderedDict()
        self._last: datetime | None = None
        self._direction = 0

    def observe_time(self, entry: LogEntry) -> None:
        """Learn from any entry whether the log runs forwards or backwards."""
        moment = entry.timestamp
        if moment is None:
            return
        if self._last is not None and moment != self._last:
            self._direction += 1 if moment > self._last else -1
        self._last = moment

    def add_line(self, entry: LogEntry) -> Iterator[Signal]:
        """A line of a traceback."""
        return self._add(entry, _Line(entry.timestamp, strip_markup(entry.text[:_MAX_LINE_LENGTH])))

    def add_last_line(self, entry: LogEntry) -> Iterator[Signal]:
        """A last line that names the error and no file."""
        return self._add(
            entry,
            _Line(entry.timestamp, strip_markup(entry.text[:_MAX_LINE_LENGTH]), error_entry=entry, is_boundary=True),
        )

    def add_boundary(self, entry: LogEntry) -> Iterator[Signal]:
        """A last line that needs nobody else: what comes before it is spoken for."""
        if _stream_key(entry) not in self._streams:
            return iter(())
        return self._add(entry, _Line(entry.timestamp, "", is_boundary=True))

    def flush(self) -> Iterator[Signal]:
        """At the end of the log: all that still waited for lines to come."""
        for stream in self._streams.values():
            yield from self._resolve_waiting(stream, keep=0)
        self._streams.clear()

    def _add(self, entry: LogEntry, line: _Line) -> Iterator[Signal]:
        stream = self._stream(_stream_key(entry))
        if len(self._streams) > _MAX_STREAMS:
            _, oldest = self._streams.popitem(last=False)
            yield from self._resolve_waiting(oldest, keep=0)
        stream.lines.append(line)
        stream.line_count += 1
        if line.error_entry is not None:
            stream.waiting.append((stream.line_count, line))
        if stream.waiting:
            yield from self._resolve_waiting(stream, keep=_MAX_DISTANCE)
        else:
            while len(stream.lines) > _MAX_DISTANCE:
                stream.lines.popleft()

    def _stream(self, key: _StreamKey) -> _Stream:
        stream = self._streams.get(key)
        if stream is None:
            stream = self._streams[key] = _Stream()
        else:
            self._streams.move_to_end(key)
        return stream

    def _resolve_waiting(self, stream: _Stream, keep: int) -> Iterator[Signal]:
        """Decide the waiting lines that have `keep` lines after them."""
        while stream.waiting and stream.line_count - stream.waiting[0][0] >= keep:
            _, line = stream.waiting.popleft()
            lines = list(stream.lines)
            at = lines.index(line)
            signal = self._assemble(lines[max(0, at - _MAX_DISTANCE) : at + _MAX_DISTANCE + 1], line)
            if signal is not None:
                yield signal
            for _ in range(max(0, at - _MAX_DISTANCE)):
                stream.lines.popleft()

    def _assemble(self, lines: list[_Line], last: _Line) -> Signal | None:
        assert last.error_entry is not None
        for step in self._directions(last.error_entry):
            before = _find_traceback_before(lines, last, step)
            if before:
                text = "\n".join([line.text for line in before] + [last.text])
                read = read_signal(replace(last.error_entry, text=text))
                if isinstance(read, Signal):
                    return read
        return None

    def _directions(self, entry: LogEntry) -> tuple[int, int]:
        """Text files run forwards within a traceback whatever the order of their entries."""
        exported = entry.log_name or entry.insert_id
        return (-1, 1) if exported and self._direction < 0 else (1, -1)


def _find_traceback_before(lines: list[_Line], last: _Line, step: int) -> list[_Line]:
    """The lines of the traceback that `last` ends, read in one direction; empty where its file is not among them."""
    ordered = _sort_by_time(lines[::step])
    at = ordered.index(last)
    begin = at
    named = False
    while begin > 0 and not ordered[begin - 1].is_boundary and at - begin < _MAX_DISTANCE:
        begin -= 1
        says = is_failing_file_frame(ordered[begin].text)
        if not named and (says is False or at - begin > _MAX_DISTANCE_TO_FILE):
            return []
        named = named or says is True
        if ordered[begin].text.startswith("Traceback (most recent"):
            break
    return ordered[begin:at] if named else []


def _sort_by_time(lines: list[_Line]) -> list[_Line]:
    moments = [line.moment for line in lines]
    if any(moment is None for moment in moments):
        return lines
    return sorted(lines, key=lambda line: line.moment.timestamp() if line.moment else 0.0)


def _stream_key(entry: LogEntry) -> _StreamKey:
    return entry.project, entry.revision, entry.instance, entry.log_name
