"""Reassembles tracebacks that were logged line by line, of any class, with their chains and groups.

Takes the entries of a log in order, and returns each whole traceback as the entry of its last line, with the text of
all lines. Lines belong together that come from the same log, instance and request. Tracebacks that were written into
each other are taken apart where they are equal; of different ones nothing is returned.
"""

import re
from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from shared.detection.connections import find_request_ids
from shared.detection.entry import LogEntry
from shared.detection.exception_chain import is_chaining_sentence
from shared.detection.line_prefixes import find_prefixed_lines
from shared.detection.logged_exception import TRACEBACK_HEADER, is_last_line, is_lower_edge
from shared.text.escaping import strip_markup

_MAX_STREAMS = 256
_MAX_LINES = 1_200
"""Lines of one stream that are kept until its tracebacks are read."""
_MAX_FOREIGN_LINES = 12
"""So many lines in a row that belong to no traceback end what was begun."""
_MAX_PAUSE = timedelta(seconds=10)
_MAX_LINE_LENGTH = 2_000
_MAX_WORDS_AGE = timedelta(milliseconds=50)
"""A logger writes its words and the traceback at once."""
_MAX_CUT_AGE = timedelta(seconds=5)
_MAX_WORD_LINES = 2
_MAX_LINES_BEFORE = 5
_MAX_MESSAGE_LINES = 12
_MAX_PARALLEL = 16
_DRAWN = frozenset(" \t|+│╭╰")
"""Indentation, the margin of a group and the box of rich."""
_GUTTER = re.compile(r"[ \t]{1,80}[|+]")
_GROUP_HEADER = "Exception Group Traceback"
_CONTINUED_MESSAGE = re.compile(r"(?:\w{1,80}\.){0,12}(?:ValidationError: |\w{1,80}: <)")
"""Messages of several lines of which the further ones say what is missing."""
_UNREMARKABLE_SEVERITIES = frozenset(("INFO", "DEBUG", "NOTICE"))
_UNREMARKABLE = re.compile(r"(?i)^\W{0,3}(?:info|debug|trace|notice)\b")

_StreamKey = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AssembledTraceback:
    """One traceback: the entry of its last line with the text of all, and the numbers of its lines."""

    entry: LogEntry
    number: int
    numbers: frozenset[int]
    words: int | None = None
    """The number of the line with which a logger announced it."""


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    number: int
    entry: LogEntry
    text: str


@dataclass(slots=True)
class _Stream:
    lines: list[_Line] = field(default_factory=list)
    before: deque[_Line] = field(default_factory=lambda: deque(maxlen=_MAX_LINES_BEFORE))
    """The last lines: they announce what comes, or end it in a log that runs backwards."""
    foreign: int = 0
    """Lines since the last one that belongs to a traceback."""


def is_traceback_piece(text: str) -> bool:
    """Whether a line can only be inside of a traceback, or is one of its indented lines."""
    head = text[:400]
    is_drawn = head[:1] in _DRAWN
    return TRACEBACK_HEADER in head or is_drawn or 'File "' in head or is_chaining_sentence(head)


class LineTracebacks:
    """Takes entries, gives the tracebacks that came line by line. `step` is -1 for a log that runs backwards."""

    def __init__(self) -> None:
        self._streams: OrderedDict[_StreamKey, _Stream] = OrderedDict()

    def add_entry(self, number: int, entry: LogEntry, step: int) -> Iterator[AssembledTraceback]:
        """One more entry; an entry of several lines belongs to none of them."""
        text = strip_markup(entry.text[:_MAX_LINE_LENGTH]).rstrip("\n")
        stream = self._find_stream(entry)
        line = _Line(number, entry, _unindent_box(stream.before[-1].text if stream.before else "", text))
        if "\n" in text:
            yield from self._end_run(stream, step)
            return
        is_piece = is_traceback_piece(text)
        if stream.lines and _is_apart(stream.lines[-1], line):
            yield from self._end_run(stream, step)
        if not stream.lines and is_piece:
            stream.lines += stream.before
        stream.before.append(line)
        if stream.lines or is_piece:
            stream.lines.append(line)
            stream.foreign = 0 if is_piece else stream.foreign + 1
        if stream.foreign > _MAX_FOREIGN_LINES or len(stream.lines) >= _MAX_LINES:
            yield from self._end_run(stream, step)
        if len(self._streams) > _MAX_STREAMS:
            _, oldest = self._streams.popitem(last=False)
            yield from self._end_run(oldest, step)

    def flush(self, step: int) -> Iterator[AssembledTraceback]:
        """At the end of the log."""
        for stream in self._streams.values():
            yield from self._end_run(stream, step)
        self._streams.clear()

    def _find_stream(self, entry: LogEntry) -> _Stream:
        ids = sorted(find_request_ids(entry))
        key = (entry.project, entry.service, entry.revision, entry.instance, entry.log_name, *ids)
        stream = self._streams.setdefault(key, _Stream())
        self._streams.move_to_end(key)
        return stream

    @staticmethod
    def _end_run(stream: _Stream, step: int) -> Iterator[AssembledTraceback]:
        lines, stream.lines, stream.foreign = stream.lines, [], 0
        stream.before.clear()
        if not any(TRACEBACK_HEADER in line.text for line in lines):
            return
        ordered = _sort_lines(lines, step)
        prefixes = find_prefixed_lines([line.text for line in ordered])
        ordered = [replace(line, text=line.text[len(own) :]) for line, own in zip(ordered, prefixes, strict=True)]
        end = 0
        for first, last in _find_episodes(ordered):
            yield from _read_episode(ordered, first, last)
            end = last
        if len(lines) >= _MAX_LINES and end:  # a storm: the traceback that is still open goes on in the next run
            rest = ordered[end:] if step > 0 else ordered[: _find_first_header(ordered)]
            stream.lines = rest if len(rest) < _MAX_LINES // 2 else []


def _unindent_box(before: str, text: str) -> str:
    """A logger with columns moves a box to the right, and the line below it."""
    bare = text.lstrip()
    return bare if bare[:1] in {"│", "╭", "╰"} or is_lower_edge(before) else text


def _is_apart(before: _Line, line: _Line) -> bool:
    first, then = before.entry.timestamp, line.entry.timestamp
    return first is not None and then is not None and abs(then - first) > _MAX_PAUSE


def _sort_lines(lines: Sequence[_Line], step: int) -> list[_Line]:
    """In the order in which they were written: by time, and among equal times as the log runs."""
    is_export = bool(lines[0].entry.log_name or lines[0].entry.insert_id)
    ordered = list(lines[::-1]) if step < 0 and is_export else list(lines)
    if any(line.entry.timestamp is None for line in ordered):
        return ordered
    return sorted(ordered, key=lambda line: line.entry.timestamp.timestamp() if line.entry.timestamp else 0.0)


def _find_first_header(lines: Sequence[_Line]) -> int:
    return next((at for at, line in enumerate(lines) if TRACEBACK_HEADER in line.text), 0)


def _find_episodes(lines: Sequence[_Line]) -> Iterator[tuple[int, int]]:
    """From the header of a traceback to the line behind its end; of a chain, from the first to the last."""
    at, begun = _find_first_header(lines), -1
    while at < len(lines):
        if TRACEBACK_HEADER not in lines[at].text:
            at += 1
            continue
        begun = at if begun < 0 else begun
        at = _find_end(lines, at)
        if not _is_linked(lines, at):
            yield begun, at
            begun = -1
    if begun >= 0:
        yield begun, len(lines)


def _find_end(lines: Sequence[_Line], at: int) -> int:
    """Behind the last line of the traceback that begins at `at`, and of those that began before it ended."""
    if _GROUP_HEADER in lines[at].text:
        return _find_end_of_group(lines, at)
    is_open, has_frame = 0, False
    for index in range(at, len(lines)):
        text = lines[index].text
        if TRACEBACK_HEADER in text:
            if is_open and _is_cut(lines[at], lines[index]):
                return index
            is_open += 1
        elif 'File "' in text:
            has_frame = True
        elif is_last_line(text, has_frames=has_frame):
            is_open -= 1
        if not is_open:
            return _skip_message(lines, index)
    return len(lines)


def _is_cut(begun: _Line, header: _Line) -> bool:
    """Whether a traceback that is still open will not end any more; sooner, the lines of two are mixed."""
    first, then = begun.entry.timestamp, header.entry.timestamp
    return first is not None and then is not None and then - first > _MAX_CUT_AGE


def _find_end_of_group(lines: Sequence[_Line], at: int) -> int:
    """A group is drawn with a margin: it goes on as long as lines have one."""
    end = at + 1
    for index in range(at + 1, len(lines)):
        text = lines[index].text
        if _GUTTER.match(text):
            end = index + 1
        elif TRACEBACK_HEADER in text or index - end > _MAX_FOREIGN_LINES:
            break
    return end


def _skip_message(lines: Sequence[_Line], last: int) -> int:
    """Behind the further lines of a message that has several."""
    if not _CONTINUED_MESSAGE.match(lines[last].text):
        return last + 1
    for index in range(last + 1, min(len(lines), last + 1 + _MAX_MESSAGE_LINES)):
        if not lines[index].text.strip() or TRACEBACK_HEADER in lines[index].text:
            return index
    return min(len(lines), last + 1 + _MAX_MESSAGE_LINES)


def _is_linked(lines: Sequence[_Line], at: int) -> bool:
    """Whether the sentence that links two exceptions comes next."""
    following = next((line.text for line in lines[at : at + 4] if line.text.strip()), "")
    return is_chaining_sentence(following)


def _read_episode(lines: Sequence[_Line], first: int, last: int) -> Iterator[AssembledTraceback]:
    """Its tracebacks; none where different ones are written into each other, or where the end was not logged."""
    ends = [at for at in range(first, last) if is_last_line(lines[at].text, has_frames=True)]
    if not ends:
        return
    words = _find_words_before(lines, first)
    own = [line for line in lines[first : ends[-1] + 1] if _is_part(line)]
    own += lines[ends[-1] + 1 : last]
    if any(_GROUP_HEADER in line.text for line in own):
        yield _assemble(own, words)
        return
    links = sum(is_chaining_sentence(line.text) for line in own)
    count = sum(TRACEBACK_HEADER in line.text for line in own) - links
    for track in _take_apart(own, count) if count > 1 else [own]:
        yield _assemble(track, words)


def _is_part(line: _Line) -> bool:
    return (
        not line.text.strip()
        or is_traceback_piece(line.text)
        or is_last_line(line.text, has_frames=True)
        or _GUTTER.match(line.text) is not None
    )


def _find_words_before(lines: Sequence[_Line], first: int) -> Sequence[_Line]:
    """The line or two with which a logger announces the traceback; none where they are about something else."""
    words: list[_Line] = []
    for line in reversed(lines[max(0, first - _MAX_WORD_LINES) : first]):
        if not line.text.strip() or is_traceback_piece(line.text) or _UNREMARKABLE.match(line.text):
            break
        if line.entry.severity in _UNREMARKABLE_SEVERITIES or _is_before(line, lines[first]):
            break
        words.insert(0, line)
    return words


def _is_before(line: _Line, header: _Line) -> bool:
    moment, then = line.entry.timestamp, header.entry.timestamp
    return moment is not None and then is not None and then - moment > _MAX_WORDS_AGE


def _take_apart(lines: Sequence[_Line], count: int) -> list[list[_Line]]:
    """As many equal tracebacks as were begun; none where their lines differ."""
    if count > _MAX_PARALLEL:
        return []
    tracks: list[list[_Line]] = [[] for _ in range(count)]
    for line in lines:
        leader = tracks[0]
        follower = next(
            (track for track in tracks[1:] if len(track) < len(leader) and leader[len(track)].text == line.text), leader
        )
        follower.append(line)
    texts = {tuple(line.text for line in track) for track in tracks}
    return tracks if len(texts) == 1 else []


def _assemble(lines: Sequence[_Line], words: Sequence[_Line]) -> AssembledTraceback:
    last = next((line for line in reversed(lines) if is_last_line(line.text, has_frames=True)), lines[-1])
    all_lines = [*words, *lines]
    text = "\n".join(line.text for line in all_lines)
    numbers = frozenset(line.number for line in all_lines)
    return AssembledTraceback(replace(last.entry, text=text), last.number, numbers, words[-1].number if words else None)
