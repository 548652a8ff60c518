"""Reads the exceptions that a text shows: class, message and frames, as Python prints them.

The text has no colours, and is whole tracebacks or one line of one; exceptions come in its order. A class counts where
a traceback ends with it, or where it is at the beginning of a line or behind a logger's own words; a sentence that
speaks of an error shows none. Every step looks at a bounded part of the text, once.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

_MAX_CONTEXT_LENGTH = 240
_PROSE_WORDS = re.compile(
    r"(?i)(?<![\w.])(?:fix(?:e[sd]|ing)?|hotfix|bugfix|feat|chore|refactor|docs?|revert(?:s|ed)?|resolv(?:e[sd]?|ing)"
    r"|mend(?:s|ed)?|commit(?:s|ted)?|deploy(?:s|ed|ing|ment)?|merge[sd]?|release[sd]?|changelog|subject|title|ticket"
    r"|message from|says?|said|answer(?:s|ed)?|repl(?:y|ied|ies)|respon(?:se|ded|ds)|model|assistant|user|customer"
    r"|agent|llm|gpt|gemini|claude|prompt|completion|question|asked|wrote|writes|review(?:s|ed)?|comment(?:s|ed)?"
    r"|about|because|example|snippet|suggest(?:s|ed|ion)?|explain(?:s|ed)?|mention(?:s|ed)?|you|your|we|he|she|they"
    r"|there was|was an?|is an?|has an?|have an?|had an?|no more|without|content|output|text|summary|transcript"
    r"|description|body|note)(?![\w.])"
)
_FAILURE_WORDS = re.compile(
    r"(?i)\b(?:uncaught|unhandled|exception|error|errors|fail(?:ed|ure|s|ing)?|cannot|could not|couldn't|can't|unable"
    r"|crash(?:ed|es)?|fatal|critical|aborted|traceback|raised|stopp(?:ed|ing)|exit(?:ed|ing)?)\b"
)
_SEPARATORS = ":|>-–]"
_STAMP = re.compile(
    r"\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d{1,9})?(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?\]?[ \t]*"
)
_LEVEL = re.compile(
    r"(?i)^[\[(<]*(?:debug|info|notice|warning|warn|error|err|critical|crit|fatal|alert|emergency|default)[ \t]*[\])>]*"
    r"[ \t]*[:|\-]*[ \t]*"
)
_ERROR_AS_WORD = re.compile(r"(?:Error|error|Fatal|fatal) [a-z]")
"""`Error loading the module: …`: no level, but the first word of a sentence about a failure."""
_END_OF_SENTENCE = re.compile(r"[ \t\r)\]}>\"'.,!…]*(?:$|[;|\n]|\\n)")


def is_logged_error(before: str) -> bool:
    """`before` is what is on the line before the class, without the class's module."""
    words = before[-_MAX_CONTEXT_LENGTH:].lstrip(" \t|+│").rstrip()
    if not words:
        return True
    if words.endswith(("#", "=", ",", "except", "raise", "import", "class")):
        return False
    words = _strip_time_and_level(words)
    return not words or (_is_logger_prefix(words) and _PROSE_WORDS.search(words) is None)


def is_end_of_sentence(after: str) -> bool:
    """Whether nothing is said any more on the line behind an error's place: a sentence would go on."""
    return _END_OF_SENTENCE.match(after) is not None


def is_prose(before: str) -> bool:
    """Whether the words before an error are a user's or a program's prose about it."""
    return _PROSE_WORDS.search(_strip_time_and_level(before.strip()[-_MAX_CONTEXT_LENGTH:])) is not None


def _strip_time_and_level(words: str) -> str:
    """Without time and level, which name nobody's error."""
    words = _STAMP.sub("", words, count=1)
    words = re.sub(r"^(?:\[[\w .+:\-/]{1,60}\][ \t]*){1,6}", "", words)
    return words.strip() if _ERROR_AS_WORD.match(words) else _LEVEL.sub("", words, count=1).strip()


def _is_logger_prefix(words: str) -> bool:
    """A logger's name, or words of failure that end with a colon, a dash or an opening bracket; quotes are balanced."""
    if any(words.count(quote) % 2 for quote in "\"'`") or words.count("“") != words.count("”"):
        return False
    tokens = words.split()
    pairs = zip(tokens, [*tokens[1:], ""], strict=True)
    if all(token[-1] in _SEPARATORS or (following and not following.strip(_SEPARATORS)) for token, following in pairs):
        return True
    if words[-1] not in {":", "-", "–", "|", "(", ">", "]"}:
        return tokens[-1].lower() in {"exception", "error", "failed"}
    return _FAILURE_WORDS.search(words) is not None


TRACEBACK_HEADER = "Traceback (most recent call last)"
_FRAME = re.compile(r'File "([^"\n]{1,1024})", line (\d{1,9})(?:, in ([^\n]{1,200}))?')
_GUTTER_CHARACTERS = " \t|+"
_BOX_FRAME = re.compile(
    r"[ \t]{0,200}[│|] (\S{1,1024}\.pyw?):(\d{1,9})(?: in(?: ([\w<>.]{1,200}))?)?[ \t]*[│|]?[ \t]*$"
)
"""Rich draws a box around `/app/x.py:3 in moor` and the lines of the source, of which a sign marks the failing one."""
_BOX_SOURCE = re.compile(r"[ \t]{0,200}[│|][ \t]{0,20}[❱>][ \t]{0,20}\d{1,9} ")
_BOX_END = re.compile(r"[ \t]{0,200}[╰+][─-]{10}")
_CLASS_NAME_LINE = re.compile(r"((?:[A-Za-z_]\w{0,80}\.){0,12}[A-Za-z_]\w{0,80})(?::[ \t]|:?[ \t]*$)")
_LEVEL_NAME = re.compile(r"TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|SEVERE|CRITICAL|FATAL|ALERT|SUCCESS")
_ERROR_NAME = re.compile(r"(?:[A-Za-z_]\w{0,80}\.){0,12}[A-Z]\w{0,80}(?:Error|Exception|Closed\w{0,20})(?=: |\()")
_CLASS_WORD = re.compile(
    r"(?:Error|Exception|Exit|Interrupt|Group|Timeout|Disconnect|Closed\w{0,40}|Refused|NotFound)$"
)
_PACKAGE = re.compile(
    r"[/\\](?:site|dist)-packages[/\\]|/lib(?:64)?/(?:python|pypy)\d(?:\.\d{1,2})?/|^<"
    r"|[/\\]s?bin[/\\][^/\\.]{1,100}$|^python\d[\d.]{0,6}\.zip/"
)
"""Files of packages and of Python itself, and scripts that start a package's program (`/usr/local/bin/gunicorn`)."""
_MAX_LINES = 4_000
_MAX_OUTER_FRAMES = 20
"""Frames that are kept from where a program begins,"""
_MAX_INNER_FRAMES = 40
"""and from where the exception was raised; what is between them is dropped."""
_MAX_LINE_LENGTH = 2_000
_MAX_MESSAGE_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Frame:
    """One place of a traceback; `function` is "" where Python names none."""

    path: str
    line: int
    function: str = ""
    source_text: str = field(default="", compare=False)
    """The source line as the traceback quotes it, stripped; "" where it quotes none."""
    is_handler: bool = False
    """Whether it was caught and logged here, with its message alone: it was raised somewhere else."""


@dataclass(frozen=True, slots=True)
class LoggedException:
    """One exception as it was logged. Frames come outermost first; none where its last line alone was."""

    error_class: str
    message: str
    frames: tuple[Frame, ...] = ()

    @property
    def location(self) -> Frame | None:
        """The deepest frame outside of installed packages, else the deepest; None without frames."""
        own = [frame for frame in self.frames if not is_package_frame(frame)]
        return own[-1] if own else self.frames[-1] if self.frames else None

    @property
    def class_and_path(self) -> tuple[str, str]:
        """Class and file: what two of the same kind have in common, whatever their lines and messages."""
        return self.error_class, self.location.path if self.location else ""


def is_package_frame(frame: Frame) -> bool:
    """Whether its file belongs to an installed package, to Python itself or to no file at all."""
    return _PACKAGE.search(frame.path) is not None


@dataclass(slots=True)
class TracebackParser:
    """Takes a traceback's lines one by one, gives the exception that they end with."""

    is_open: bool = False
    frames: list[Frame] = field(default_factory=list)
    is_behind_box: bool = False
    """Whether the line before was the lower edge of a box: the one below it is indented as the box is."""

    def feed_line(self, line: str) -> LoggedException | None:
        """One more line; None as long as the traceback goes on."""
        if TRACEBACK_HEADER in line:
            self.is_open, self.frames = True, []
            return None
        frame = _FRAME.search(line) or (_BOX_FRAME.match(line) if self.is_open else None)
        if frame is not None:
            self._add_frame(Frame(frame.group(1), int(frame.group(2)), (frame.group(3) or "").strip()))
            return None
        line = line.lstrip() if self.is_behind_box else line
        self.is_behind_box = self.is_open and is_lower_edge(line)
        self._add_source_text(line)
        ended = self._parse_last_line(line) if self.is_open else None
        if ended is not None:
            self.is_open, self.frames = False, []
        return ended

    def _add_frame(self, frame: Frame) -> None:
        self.is_open = True
        self.frames = [*self.frames, frame]
        if len(self.frames) > _MAX_OUTER_FRAMES + _MAX_INNER_FRAMES:
            del self.frames[_MAX_OUTER_FRAMES]

    def _add_source_text(self, line: str) -> None:
        """The line below a frame is the source that it quotes, where it is indented."""
        boxed = _BOX_SOURCE.match(line)
        text = line[boxed.end() :].rstrip(" │|").strip() if boxed else line.lstrip(_GUTTER_CHARACTERS).strip()
        if boxed is None and line.lstrip()[:1] == "│":
            return
        last = self.frames[-1] if self.is_open and self.frames else None
        if (
            last is None
            or last.source_text
            or not text.strip("^~ ")
            or (not boxed and line.lstrip("|+")[:1] not in {" ", "\t"})
        ):
            return
        self.frames[-1] = replace(last, source_text=text[:_MAX_MESSAGE_LENGTH])

    def _parse_last_line(self, line: str) -> LoggedException | None:
        name = _read_last_line_class(line, has_frames=bool(self.frames))
        if not name:
            return None
        message = line.lstrip(_GUTTER_CHARACTERS)[len(name) :].lstrip(": ")
        return LoggedException(name, message[:_MAX_MESSAGE_LENGTH].strip(), tuple(self.frames))


def is_lower_edge(line: str) -> bool:
    """Whether a line ends a box that was drawn around a traceback."""
    return _BOX_END.match(line) is not None


def _read_last_line_class(line: str, *, has_frames: bool) -> str:
    """The class that a traceback's last line names; "" for any other line, such as one that another logger wrote."""
    bare = line.lstrip(_GUTTER_CHARACTERS)
    if line[:1] in {" ", "\t"} and "|" not in line[: len(line) - len(bare)]:
        return ""  # a quoted source line
    named = _CLASS_NAME_LINE.match(bare)
    name = named.group(1) if named is not None else ""
    if name.isupper() and _LEVEL_NAME.fullmatch(name):
        return ""
    return name if "." in name or _CLASS_WORD.search(name) or has_frames else ""


def is_last_line(line: str, *, has_frames: bool) -> bool:
    """Whether a line may be the last one of a traceback; with `has_frames`, of one whose frames came before."""
    return bool(_read_last_line_class(line, has_frames=has_frames))


def parse_exceptions(text: str) -> Sequence[LoggedException]:
    """All that a text shows, in its order; of a chain the last one is what was not caught."""
    if not may_show_exception(text):
        return ()
    return tuple(_parse_text(text))


def find_last_exception(text: str) -> LoggedException | None:
    """The last one of a text: of a chain, the one that was raised in the end."""
    exceptions = parse_exceptions(text)
    return exceptions[-1] if exceptions else None


def may_show_exception(text: str) -> bool:
    """False where `parse_exceptions` finds none; costs next to nothing."""
    return TRACEBACK_HEADER in text or "Error" in text or "Exception" in text or "Closed" in text


def is_traceback_fragment(text: str) -> bool:
    """True for a line from which, with others, a traceback can be put together again."""
    if "\n" in text.rstrip("\n"):
        return False
    head = text[:_MAX_LINE_LENGTH]
    return (
        TRACEBACK_HEADER in head
        or 'File "' in head
        or (head[:1] not in {" ", "\t"} and _CLASS_NAME_LINE.match(head) is not None)
    )


def _parse_text(text: str) -> Iterator[LoggedException]:
    traceback = TracebackParser()
    lines = text.splitlines()
    if len(lines) > 2 * _MAX_LINES:
        lines = [*lines[:_MAX_LINES], *lines[-_MAX_LINES:]]
    for line in lines:
        ended = traceback.feed_line(line[:_MAX_LINE_LENGTH])
        if ended is not None:
            yield ended
        elif not traceback.is_open:
            yield from _parse_single_line(line[:_MAX_LINE_LENGTH])


def _parse_single_line(line: str) -> Iterator[LoggedException]:
    """`Uncaught exception: KeyError: 'berth'`: the class behind a logger's own words, with its message."""
    name = _ERROR_NAME.search(line)
    if name is None or line[:1] in {" ", "\t"}:
        return
    if is_logged_error(line[: name.start()]):
        message = line[name.end() :].lstrip(":( ")[:_MAX_MESSAGE_LENGTH].strip()
        message = message.removesuffix(")") if line[name.end() : name.end() + 1] == "(" else message
        yield LoggedException(name.group(0), message)
