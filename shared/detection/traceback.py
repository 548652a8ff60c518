"""Text becomes the syntax errors that it mentions, each with the file and the line that it gives for them.

In: text without colours, of any origin. Out: one `Mention` for each `SyntaxError`, `IndentationError` or `TabError`.
Python prints such an error as no other: the frame of the file that does not compile has no `, in <function>`
(`traceback.TracebackException.format_exception_only`), and its `str()` ends in `(file, line N)`. All steps
look at a bounded part of the text, so the whole takes linear time.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from shared.detection.error_context import ends_the_words, speaks_of, stands_as_error

_CLASS = re.compile(r"(?:Syntax|Indentation|Tab)Error")
_CLASS_LINE = re.compile(r"^[^\w\n]*+(?:Syntax|Indentation|Tab)Error:", re.MULTILINE)
_FRAME = re.compile(r'File "([^"\n]{1,1024})", ?line (\d{1,9})(, in )?')
_LINE_SUFFIX = re.compile(r", line (\d{1,9})(?=[,)])")
_FILE_SUFFIX = re.compile(r" \(([^()\n]{1,1024}\.pyw?)\)\s*$")
_PROSE = re.compile(
    r"\b(?:in|at|from|file) {1,3}[\"'`]?([^\s\"'`():,]{1,1024}\.pyw?)[\"'`]?"
    r"(?:[:,]? {0,3}(?:on |at )?line {1,3}|:)(\d{1,9})",
    re.IGNORECASE,
)
_BOXED = re.compile(r"^[ \t│|]*(\S{1,1024}\.pyw?):(\d{1,9})[ \t]*+[│|]?[ \t]*+$", re.MULTILINE)
_QUOTED = r"""(?:"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+')"""
_REPR = re.compile(
    rf"\(\s*(?P<message>{_QUOTED})\s*(?:,\s*\(\s*(?P<path>{_QUOTED})\s*,\s*(?P<line>\d{{1,9}}|None)"
    rf"(?:\s*,\s*(?:-?\d{{1,9}}|None)\s*,\s*(?P<source>{_QUOTED}|None))?|\s*,?\s*\))",
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_PYTHON = re.compile(r"/(?:lib(?:64)?/|layers/google\.python[^\s\"']{0,80}/)python(3\.\d{1,2})/")
_WORD = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.$"

_NOT_OURS = re.compile(r"/(?:site|dist)-packages/|/lib(?:64)?/python3|^<")
_MOST_FRAMES = 64
_MOST_MENTIONS = 32
"""From either end of the text; what a log says a thousand times it says in the first and the last few."""
_BACK = 256 * 1024
_AHEAD = 8 * 1024
_MOST_LINES_BETWEEN = 8
_BOX_HEIGHT = 4 * 1024


@dataclass(frozen=True, slots=True)
class Mention:
    """One error class in the text. `path` is "" and `line` None where the text does not give them."""

    error_class: str
    module: str
    """What stands before the class, such as `psycopg2.errors`; "" for Python's own."""
    message: str
    path: str = ""
    line: int | None = None
    source_text: str = ""
    before: str = ""
    """The line before the class and what stands before the class on its own line, cut."""
    after: str = ""
    """What follows the class on its line and on the next ones, cut."""
    standing: bool = True
    """Whether the error itself was logged: by a traceback, or by Python's last line of one. False in a sentence."""


@dataclass(frozen=True, slots=True)
class _Place:
    path: str
    line: int | None
    source_text: str = ""


def mentions(text: str) -> Iterator[Mention]:
    """Every mention, in the order of the text."""
    starts = [found.span() for found in _CLASS.finditer(text)]
    if len(starts) > 2 * _MOST_MENTIONS:
        starts = starts[:_MOST_MENTIONS] + starts[-_MOST_MENTIONS:]
    for start, end in starts:
        mention = _mention(text, start, end)
        if mention is not None:
            yield mention


def speaks_of_syntax_error(text: str) -> bool:
    """True where `mentions` might find something; costs next to nothing."""
    return "SyntaxError" in text or "IndentationError" in text or "TabError" in text


def files_named(text: str) -> tuple[str, ...]:
    """The files in which the frames of a text stand, each once, but for those of libraries and of no file."""
    frames = islice(_FRAME.finditer(text[-4 * _AHEAD :]), _MOST_FRAMES)
    return tuple(dict.fromkeys(path for path in (frame[1] for frame in frames) if not _NOT_OURS.search(path)))


def python_of(text: str) -> str:
    """The minor version that the library paths of a traceback give away, such as `3.11`; else ""."""
    found = _PYTHON.search(text)
    return found.group(1) if found else ""


def is_traceback_part(text: str) -> bool:
    """True for a line that a traceback consists of (and not for its last line, which names the class)."""
    head = text[:400]
    return head[:1] in (" ", "\t", "|", "^", "~") or 'File "' in head or head.startswith("Traceback (most recent")


def ends_traceback(text: str) -> bool:
    """True for a line that names the class, alone or after words, and that is no quoted source line."""
    if 'File "' in text or "Traceback (most recent" in text:
        return False
    if text[:1] in (" ", "\t", "|") and _CLASS_LINE.search(text[:200]) is None:
        return False
    return any(each.standing for each in mentions(text[: 2 * _AHEAD]))


def names_failing_file(text: str) -> bool | None:
    """For one line of a traceback: True for the file that does not compile, False for a frame, None for neither."""
    frame = _FRAME.search(text[:2048])
    return None if frame is None else frame.group(3) is None


def _mention(text: str, start: int, end: int) -> Mention | None:
    following = text[end : end + 1]
    if following.isalnum() or following == "_":
        return None
    line_start = text.rfind("\n", max(0, start - _BACK), start) + 1
    prefix = text[max(line_start, start - 400) : start]
    module = prefix[len(prefix.rstrip(_WORD)) :]
    rest = text[end : end + _AHEAD]
    first_line = rest.partition("\n")[0].rstrip("\r")
    words = prefix[: len(prefix) - len(module)]
    message, place, standing = _read(text, start, words, rest, first_line)
    return Mention(
        error_class=text[start:end],
        module="" if module == "builtins." else module.rstrip("."),
        message=message[:1000],
        path=place.path if place else "",
        line=(place.line or None) if place else None,
        source_text=place.source_text[:1000] if place else "",
        before=text[max(0, start - 400) : start],
        after=rest[:600],
        standing=standing,
    )


def _read(text: str, start: int, prefix: str, rest: str, first_line: str) -> tuple[str, _Place | None, bool]:
    """Message and place, and whether the log shows the error itself: False where a sentence speaks of one."""
    if rest[:1] == "(":
        message, place = _from_repr(rest)
        return message, place, not speaks_of(prefix)
    message = first_line.removeprefix(":").strip()
    one_line = _from_suffix(message) or _from_prose(message)
    if one_line is not None:
        told, place, after = one_line
        stands = first_line[:1] == ":" and stands_as_error(prefix) and ends_the_words(after)
        stands = stands and not speaks_of(_line_above(text, start))
        above = _from_traceback(text, start) if not stands and _may_end_a_traceback(prefix, first_line) else None
        return (message, above, True) if above is not None else (told, place, stands)
    if not _may_end_a_traceback(prefix, first_line):
        return message, None, False
    return message, _from_traceback(text, start), True


def _line_above(text: str, start: int) -> str:
    """The line before the one of the class, "" where it belongs to a traceback: who quotes says so there."""
    above = text[max(0, start - 1_000) : start].rpartition("\n")[0].rstrip().rpartition("\n")[2]
    return "" if is_traceback_part(above) or _CLASS.search(above) else above


def _from_repr(rest: str) -> tuple[str, _Place | None]:
    """`SyntaxError('msg', ('/app/x.py', 3, 5, 'text', 3, 6))`."""
    found = _REPR.match(rest)
    if found is None:
        return "", None
    message, path, line, source = (found.group(name) for name in ("message", "path", "line", "source"))
    if path is None:
        return _unquoted(message), None
    number = None if line == "None" else int(line)
    return _unquoted(message), _Place(_unquoted(path), number, _unquoted(source).strip())


def _unquoted(literal: str | None) -> str:
    if literal is None or literal == "None":
        return ""
    return _ESCAPED.sub(lambda found: {"n": "\n", "t": "\t"}.get(found.group(1), found.group(1)), literal[1:-1])


def _from_suffix(message: str) -> tuple[str, _Place, str] | None:
    """`msg (x.py, line 3)`, where message and file name may hold parentheses of their own; and what stands after it."""
    found = _LINE_SUFFIX.search(message)
    if found is None:
        named = _FILE_SUFFIX.search(message)
        return None if named is None else (message[: named.start()].strip(), _Place(named.group(1), None), "")
    opened = message.rfind("(", 0, found.start())
    while opened > 0 and message.count(")", opened, found.start()) >= message.count("(", opened, found.start()):
        opened = message.rfind("(", 0, opened)
    path = message[opened + 1 : found.start()]
    if opened < 0 or not path.strip() or len(path) > 1024:
        return None
    return message[:opened].strip(), _Place(path, int(found.group(1))), message[found.end() :].removeprefix(")")


def _from_prose(message: str) -> tuple[str, _Place, str] | None:
    """`msg in /app/x.py line 3`, or the frame after the message."""
    frame = _FRAME.search(message)
    found = frame if frame is not None and frame.group(3) is None else _PROSE.search(message)
    if found is None:
        return None
    place = _Place(found.group(1), int(found.group(2)))
    return message[: found.start()].rstrip(" ,;(-"), place, message[found.end() :]


def _may_end_a_traceback(prefix: str, rest: str) -> bool:
    """False for the class in a quoted source line, such as `except SyntaxError:` or `# SyntaxError: …`."""
    before = prefix.strip()
    if not rest.removeprefix(":").strip():
        return not before
    return rest[:1] == ":" and not before.endswith(("#", "'", '"', "(", ",", "=", "except", "raise", "import"))


def _from_traceback(text: str, start: int) -> _Place | None:
    at = text.rfind('File "', max(0, start - _BACK), start)
    frame = _FRAME.match(text, at) if at >= 0 else None
    if frame is None or frame.end() > start:
        return _from_box(text, start)
    between = text[frame.end() : start]
    if "\n" not in between and "Traceback (most recent" not in text[max(0, at - _BACK) : at]:
        return None  # a sentence that quotes both
    lines = [line for line in between.splitlines() if line.strip()]
    if frame.group(3) is not None or len(lines) > _MOST_LINES_BETWEEN or _CLASS_LINE.search(between):
        return None
    gutter = text[text.rfind("\n", 0, at) + 1 : at].strip()[-40:]
    return _Place(frame.group(1), int(frame.group(2)), _source_line(lines, gutter))


def _source_line(lines: list[str], gutter: str) -> str:
    """The quoted source: without the gutter of an exception group, and without the caret where lines were joined."""
    for line in lines:
        source = line.strip().removeprefix(gutter).strip().rstrip("^~ ")
        if source and source != gutter:
            return source.lstrip("│ ").rstrip("│ ") if "│" in source else source
    return ""


def _from_box(text: str, start: int) -> _Place | None:
    """Rich draws a box around `/app/x.py:3` and the source line."""
    above = text[max(0, start - _BOX_HEIGHT) : start]
    if "│" not in above:
        return None
    boxed = list(_BOXED.finditer(above))
    if not boxed:
        return None
    lines = [line.strip(" │|") for line in above[boxed[-1].end() :].splitlines()]
    source = next((line for line in lines if line), "")
    return _Place(boxed[-1].group(1), int(boxed[-1].group(2)), source)
