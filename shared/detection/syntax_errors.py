"""Finds the syntax errors that a text without colours mentions, each with the file and the line that it gives for it.

One `SyntaxErrorMention` stands for each `SyntaxError`, `IndentationError` or `TabError`. Python prints such an error as
no other: the frame of the file that does not compile has no `, in <function>`
(`traceback.TracebackException.format_exception_only`), and its `str()` ends in `(file, line N)`. All steps look at a
bounded part of the text, so the whole takes linear time.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from shared.detection.logged_exception import is_end_of_sentence, is_logged_error, is_prose

_ERROR_CLASS = re.compile(r"(?:Syntax|Indentation|Tab)Error")
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
_UNDECLARED = re.compile(
    r"^Non-UTF-8 code starting with '[^'\n]{1,20}' in file ([^\n]{1,1024}?\.pyw?) on line (\d{1,9}), but no encoding"
)
_QUOTED = r"""(?:"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+')"""
_REPR = re.compile(
    rf"\(\s*(?P<message>{_QUOTED})\s*(?:,\s*\(\s*(?P<path>{_QUOTED})\s*,\s*(?P<line>\d{{1,9}}|None)"
    rf"(?:\s*,\s*(?:-?\d{{1,9}}|None)\s*,\s*(?P<source>{_QUOTED}|None))?|\s*,?\s*\))",
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_LIBRARY_VERSION = re.compile(r"/(?:lib(?:64)?/|layers/google\.python[^\s\"']{0,80}/)python(3\.\d{1,2})/")
_WORD_CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.$"

_LIBRARY_PATH = re.compile(r"/(?:site|dist)-packages/|/lib(?:64)?/python3|^<")
_MAX_FRAMES = 64
_MAX_MENTIONS_PER_END = 32
"""From either end of the text; what a log says a thousand times it says in the first and the last few."""
_CHARACTERS_BACK = 256 * 1024
_CHARACTERS_AHEAD = 8 * 1024
_MAX_LINES_BETWEEN = 8
_MAX_BOX_LENGTH = 4 * 1024


@dataclass(frozen=True, slots=True)
class SyntaxErrorMention:
    """One error class in the text. `path` is "" and `line` None where the text does not give them."""

    error_class: str
    module: str
    """What comes before the class, such as `psycopg2.errors`; "" for Python's own."""
    message: str
    path: str = ""
    line: int | None = None
    source_text: str = ""
    before: str = ""
    """The line before the class and what comes before the class on its own line, cut."""
    after: str = ""
    """What follows the class on its line and on the next ones, cut."""
    is_logged_error: bool = True
    """Whether the error itself was logged: by a traceback, or by Python's last line of one. False in a sentence."""


@dataclass(frozen=True, slots=True)
class _Location:
    path: str
    line: int | None
    source_text: str = ""


def find_mentions(text: str) -> Iterator[SyntaxErrorMention]:
    """Every mention, in the order of the text."""
    starts = [match.span() for match in _ERROR_CLASS.finditer(text)]
    if len(starts) > 2 * _MAX_MENTIONS_PER_END:
        starts = starts[:_MAX_MENTIONS_PER_END] + starts[-_MAX_MENTIONS_PER_END:]
    for start, end in starts:
        mention = _read_mention(text, start, end)
        if mention is not None:
            yield mention


def mentions_syntax_error(text: str) -> bool:
    """True where `find_mentions` might find something; costs next to nothing."""
    return "SyntaxError" in text or "IndentationError" in text or "TabError" in text


def find_frame_paths(text: str) -> tuple[str, ...]:
    """The files of a text's frames, each once, but for those of libraries and of no file."""
    frames = islice(_FRAME.finditer(text[-4 * _CHARACTERS_AHEAD :]), _MAX_FRAMES)
    return tuple(dict.fromkeys(path for path in (frame[1] for frame in frames) if not _LIBRARY_PATH.search(path)))


def find_python_version(text: str) -> str:
    """The minor version that the library paths of a traceback give away, such as `3.11`; else ""."""
    match = _LIBRARY_VERSION.search(text)
    return match.group(1) if match else ""


def is_traceback_line(text: str) -> bool:
    """True for a line that a traceback consists of (and not for its last line, which names the class)."""
    head = text[:400]
    return head[:1] in (" ", "\t", "|", "^", "~") or 'File "' in head or head.startswith("Traceback (most recent")


def is_last_traceback_line(text: str) -> bool:
    """True for a line that names the class, alone or after words, and that is no quoted source line."""
    if 'File "' in text or "Traceback (most recent" in text:
        return False
    if text[:1] in (" ", "\t", "|") and _CLASS_LINE.search(text[:200]) is None:
        return False
    return any(mention.is_logged_error for mention in find_mentions(text[: 2 * _CHARACTERS_AHEAD]))


def is_failing_file_frame(text: str) -> bool | None:
    """For one line of a traceback: True for the file that does not compile, False for a frame, None for neither."""
    frame = _FRAME.search(text[:2048])
    return None if frame is None else frame.group(3) is None


def _read_mention(text: str, start: int, end: int) -> SyntaxErrorMention | None:
    following = text[end : end + 1]
    if following.isalnum() or following == "_":
        return None
    line_start = text.rfind("\n", max(0, start - _CHARACTERS_BACK), start) + 1
    prefix = text[max(line_start, start - 400) : start]
    module = prefix[len(prefix.rstrip(_WORD_CHARACTERS)) :]
    rest = text[end : end + _CHARACTERS_AHEAD]
    first_line = rest.partition("\n")[0].rstrip("\r")
    words = prefix[: len(prefix) - len(module)]
    message, location, standing = _read_location(text, start, words, rest, first_line)
    return SyntaxErrorMention(
        error_class=text[start:end],
        module="" if module == "builtins." else module.rstrip("."),
        message=message[:1000],
        path=location.path if location else "",
        line=(location.line or None) if location else None,
        source_text=location.source_text[:1000] if location else "",
        before=text[max(0, start - 400) : start],
        after=rest[:600],
        is_logged_error=standing,
    )


def _read_location(
    text: str, start: int, prefix: str, rest: str, first_line: str
) -> tuple[str, _Location | None, bool]:
    """Message and place, and whether the log shows the error itself: False where a sentence speaks of one."""
    if rest[:1] == "(":
        message, location = _parse_repr(rest)
        return message, location, not is_prose(prefix)
    message = first_line.removeprefix(":").strip()
    one_line = _parse_undeclared(message) or _parse_suffix(message) or _parse_prose(message)
    if one_line is not None:
        error_message, location, after = one_line
        stands = first_line[:1] == ":" and is_logged_error(prefix) and is_end_of_sentence(after)
        stands = stands and not is_prose(_line_above(text, start))
        above = _find_traceback_location(text, start) if not stands and _can_end_traceback(prefix, first_line) else None
        return (message, above, True) if above is not None else (error_message, location, stands)
    if not _can_end_traceback(prefix, first_line):
        return message, None, False
    return message, _find_traceback_location(text, start), True


def _line_above(text: str, start: int) -> str:
    """The line before the one of the class, "" where it belongs to a traceback: who quotes says so there."""
    above = text[max(0, start - 1_000) : start].rpartition("\n")[0].rstrip().rpartition("\n")[2]
    return "" if is_traceback_line(above) or _ERROR_CLASS.search(above) else above


def _parse_repr(rest: str) -> tuple[str, _Location | None]:
    """`SyntaxError('msg', ('/app/x.py', 3, 5, 'text', 3, 6))`."""
    match = _REPR.match(rest)
    if match is None:
        return "", None
    message, path, line, source = (match.group(name) for name in ("message", "path", "line", "source"))
    if path is None:
        return _unquote(message), None
    number = None if line == "None" else int(line)
    return _unquote(message), _Location(_unquote(path), number, _unquote(source).strip())


def _unquote(literal: str | None) -> str:
    if literal is None or literal == "None":
        return ""
    return _ESCAPED.sub(lambda match: {"n": "\n", "t": "\t"}.get(match.group(1), match.group(1)), literal[1:-1])


def _parse_undeclared(message: str) -> tuple[str, _Location, str] | None:
    """`Non-UTF-8 code starting with '\\xe9' in file x.py on line 3, …`: no frame names the place."""
    match = _UNDECLARED.match(message)
    return None if match is None else (message, _Location(match.group(1), int(match.group(2))), "")


def _parse_suffix(message: str) -> tuple[str, _Location, str] | None:
    """`msg (x.py, line 3)`, where message and file name may hold parentheses of their own; and what comes after it."""
    match = _LINE_SUFFIX.search(message)
    if match is None:
        named = _FILE_SUFFIX.search(message)
        return None if named is None else (message[: named.start()].strip(), _Location(named.group(1), None), "")
    opened = message.rfind("(", 0, match.start())
    while opened > 0 and message.count(")", opened, match.start()) >= message.count("(", opened, match.start()):
        opened = message.rfind("(", 0, opened)
    path = message[opened + 1 : match.start()]
    if opened < 0 or not path.strip() or len(path) > 1024:
        return None
    return message[:opened].strip(), _Location(path, int(match.group(1))), message[match.end() :].removeprefix(")")


def _parse_prose(message: str) -> tuple[str, _Location, str] | None:
    """`msg in /app/x.py line 3`, or the frame after the message."""
    frame = _FRAME.search(message)
    match = frame if frame is not None and frame.group(3) is None else _PROSE.search(message)
    if match is None:
        return None
    location = _Location(match.group(1), int(match.group(2)))
    return message[: match.start()].rstrip(" ,;(-"), location, message[match.end() :]


def _can_end_traceback(prefix: str, rest: str) -> bool:
    """False for the class in a quoted source line, such as `except SyntaxError:` or `# SyntaxError: …`."""
    before = prefix.strip()
    if not rest.removeprefix(":").strip():
        return not before
    return rest[:1] == ":" and not before.endswith(("#", "'", '"', "(", ",", "=", "except", "raise", "import"))


def _find_traceback_location(text: str, start: int) -> _Location | None:
    at = text.rfind('File "', max(0, start - _CHARACTERS_BACK), start)
    frame = _FRAME.match(text, at) if at >= 0 else None
    if frame is None or frame.end() > start:
        return _find_boxed_location(text, start)
    between = text[frame.end() : start]
    if "\n" not in between and "Traceback (most recent" not in text[max(0, at - _CHARACTERS_BACK) : at]:
        return None  # a sentence that quotes both
    lines = [line for line in between.splitlines() if line.strip()]
    if frame.group(3) is not None or len(lines) > _MAX_LINES_BETWEEN or _CLASS_LINE.search(between):
        return None
    gutter = text[text.rfind("\n", 0, at) + 1 : at].strip()[-40:]
    return _Location(frame.group(1), int(frame.group(2)), _read_source_line(lines, gutter))


def _read_source_line(lines: list[str], gutter: str) -> str:
    """The quoted source: without the gutter of an exception group, and without the caret where lines were joined."""
    for line in lines:
        source = line.strip().removeprefix(gutter).strip().rstrip("^~ ")
        if source and source != gutter:
            return source.lstrip("│ ").rstrip("│ ") if "│" in source else source
    return ""


def _find_boxed_location(text: str, start: int) -> _Location | None:
    """Rich draws a box around `/app/x.py:3` and the source line."""
    above = text[max(0, start - _MAX_BOX_LENGTH) : start]
    if "│" not in above:
        return None
    boxed = list(_BOXED.finditer(above))
    if not boxed:
        return None
    lines = [line.strip(" │|") for line in above[boxed[-1].end() :].splitlines()]
    source = next((line for line in lines if line), "")
    return _Location(boxed[-1].group(1), int(boxed[-1].group(2)), source)
