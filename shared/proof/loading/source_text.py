"""The text of a Python file with its strings and comments taken apart, whether or not the file compiles.

Returns the code with each string as a run of quotes and each comment as blanks (all positions kept), and the
strings. A string that is not closed ends with its line, as the error does, so the lines below are read as code.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from shared.proof.loading.commit_tree import MAX_BYTES

_STRING_OR_COMMENT = re.compile(r"#[^\r\n]*+|\"{3}|'{3}|[\"']")
_PREFIX = re.compile(r"(?:^|\W)([rRbBuUfFtT]{1,2})\Z")
_DOUBLE_END = re.compile(r'(?:[^"\\\r\n]|\\(?:\r\n|.|\Z))*+(?:"|(?=[\r\n])|\Z)', re.DOTALL)
_SINGLE_END = re.compile(r"(?:[^'\\\r\n]|\\(?:\r\n|.|\Z))*+(?:'|(?=[\r\n])|\Z)", re.DOTALL)
_LONG_DOUBLE_END = re.compile(r'(?:[^"\\]|\\.|"(?!""))*+"""', re.DOTALL)
_LONG_SINGLE_END = re.compile(r"(?:[^'\\]|\\.|'(?!''))*+'''", re.DOTALL)
_STRING_ENDS = {'"': _DOUBLE_END, "'": _SINGLE_END, '"""': _LONG_DOUBLE_END, "'''": _LONG_SINGLE_END}
_LINE_IMPORT = re.compile(
    r"^[ \t]{0,80}+(?:from[ \t]{1,20}+[.\w]{1,200}+[ \t]{1,20}+import[ \t(]|import[ \t]{1,20}+\w)[^\r\n]*+",
    re.MULTILINE,
)
_TYPE_CHECKING = re.compile(
    r"^(?P<indent>[ \t\f]{0,200}+)if[ \t]{0,20}+\(?[ \t]{0,20}+"
    r"(?:\w{1,80}+\.)?TYPE_CHECKING[ \t]{0,20}+\)?[ \t]{0,20}+:"
    r"(?P<rest>[^\r\n]*+)",
    re.MULTILINE,
)
_LINE = re.compile(r"[^\r\n]*+(?:\r\n|\r|\n|\Z)")


@dataclass(frozen=True, slots=True)
class Literal:
    """One string: `start` is where its prefix begins, `end` is behind its last quote."""

    start: int
    end: int
    body: str
    is_format: bool


@dataclass(frozen=True)
class SourceText:
    """`code` is as long as the text was; `strings` are in their order."""

    code: str
    strings: Sequence[Literal]

    @cached_property
    def _string_starts(self) -> list[int]:
        return [literal.start for literal in self.strings]

    def find_string_at(self, position: int) -> Literal | None:
        index = bisect_left(self._string_starts, position)
        return self.strings[index] if index < len(self.strings) and self._string_starts[index] == position else None

    def find_strings_within(self, start: int, end: int) -> Sequence[Literal]:
        return self.strings[bisect_left(self._string_starts, start) : bisect_left(self._string_starts, end)]

    def get_line_number(self, position: int) -> int:
        return self.code.count("\n", 0, position) + 1

    def is_definition(self, position: int) -> bool:
        """Whether a name is behind `def`: a function of that name, not a call."""
        return self.code[max(0, position - 20) : position].rstrip().endswith("def")


def split_source(source: bytes) -> SourceText:
    """Take the first MiB apart; what is no text gives no code."""
    cut = source[:MAX_BYTES].removeprefix(b"\xef\xbb\xbf")
    try:
        text = cut.decode("utf-8")
    except UnicodeDecodeError:
        text = cut.decode("latin-1")
    return _split_text(text)


def _split_text(text: str) -> SourceText:
    pieces: list[str] = []
    strings: list[Literal] = []
    unclosed: set[str] = set()
    position = 0
    while token := _STRING_OR_COMMENT.search(text, position):
        quote = token[0]
        pieces.append(text[position : token.start()])
        if quote[0] == "#":
            pieces.append(" " * len(quote))
            position = token.end()
            continue
        end = _find_string_end(text, token.end(), quote, unclosed)
        match = _PREFIX.search(text[max(position, token.start() - 3) : token.start()])
        prefix = match[1].lower() if match else ""
        body = text[token.end() : end].removesuffix(quote)
        strings.append(Literal(token.start() - len(prefix), end, body, "f" in prefix or "t" in prefix))
        pieces[-1] = pieces[-1][: len(pieces[-1]) - len(prefix)]
        pieces.append(_blank_string(text[token.start() - len(prefix) : end]))
        position = end
    pieces.append(text[position:])
    code = _blank_type_checking("".join(pieces))
    return SourceText(_add_import_lines(code, text) if unclosed else code, strings)


def _find_string_end(text: str, start: int, quote: str, unclosed: set[str]) -> int:
    """Where a string ends; one in three quotes that never closes ends with its line, and so do all later ones."""
    if len(quote) == 3:
        match = None if quote in unclosed else _STRING_ENDS[quote].match(text, start)
        if match:
            return match.end()
        unclosed.add(quote)
        quote = quote[0]
        line = _LINE.match(text, start)
        return line.end() - len(line[0]) + len(line[0].rstrip("\r\n")) if line else start
    match = _STRING_ENDS[quote].match(text, start)
    return match.end() if match else start


def _blank_string(string: str) -> str:
    """A string's place: quotes, and the line ends kept as such, so that lines can be counted."""
    if "\n" not in string:
        return '"' * len(string)
    return "\n".join('"' * len(line) for line in string.split("\n"))


def _blank_type_checking(code: str) -> str:
    """Blank the blocks under `if TYPE_CHECKING:`: no running Python enters them."""
    if "TYPE_CHECKING" not in code:
        return code
    pieces: list[str] = []
    position = 0
    while match := _TYPE_CHECKING.search(code, position):
        end = match.end() if match["rest"].strip() else _find_block_end(code, match.end(), len(match["indent"]))
        pieces += [code[position : match.start()], re.sub(r"[^\r\n]", " ", code[match.start() : end])]
        position = end
    return "".join([*pieces, code[position:]])


def _find_block_end(code: str, position: int, indent: int) -> int:
    line = _LINE.match(code, position)
    position = line.end() if line else position
    while position < len(code) and (line := _LINE.match(code, position)) and line.end() > position:
        bare = line[0].strip()
        if bare and not bare.startswith(('"', ")")) and len(line[0]) - len(line[0].lstrip()) <= indent:
            return position
        position = line.end()
    return position


def _add_import_lines(code: str, text: str) -> str:
    """Where three quotes never close, code and text cannot be distinguished: each line that imports counts as code."""
    lines = [match[0].partition("#")[0] for match in _LINE_IMPORT.finditer(text)]
    return code + "\n" + "\n".join(lines)


MAX_NAMES = 40
MAX_POSITIONS = 200
MAX_CALL_LENGTH = 4_000
_VARIABLE_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w{0,80}+")
_IN_FORMAT = re.compile(r"\{\s{0,20}+([A-Za-z_]\w{0,80}+)")
_ASSIGNMENT = re.compile(r"(?<![\w.])([A-Za-z_]\w{0,80}+)[ \t]{0,20}+(?::[^=\n]{0,80}+)?=(?!=)")
_LOOP = re.compile(r"(?<![\w.])for[ \t]{1,20}+([^:\n\[\](){}]{1,200}+)")
_BRACKETS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}


def find_reaching_strings(text: SourceText, starts: Iterable[int]) -> tuple[Literal, ...]:
    """The strings behind each start, up to the end of its call or statement, and those of the variables in it."""
    literals: dict[Literal, None] = {}
    given: dict[str, list[int]] | None = None
    queue = list(starts)[:MAX_NAMES]
    seen: set[str] = set()
    for _ in range(MAX_POSITIONS):
        if not queue:
            break
        start = queue.pop()
        end = _find_call_end(text.code, start)
        strings = text.find_strings_within(start, end)
        literals |= dict.fromkeys(strings)
        for name in _find_names(text.code[start:end], strings):
            if name not in seen and len(seen) < MAX_NAMES:
                seen.add(name)
                given = _find_assignments(text.code) if given is None else given
                queue += given.get(name, ())[:MAX_NAMES]
    return tuple(literals)


def find_strings_after(text: SourceText, start: int) -> Sequence[Literal]:
    """The strings behind a place, up to the end of its call or statement."""
    return text.find_strings_within(start, _find_call_end(text.code, start))


def _find_call_end(code: str, start: int) -> int:
    """Where the call or the statement that holds a place ends: at its closing bracket, or with its line."""
    depth = 0
    for index in range(start, min(len(code), start + MAX_CALL_LENGTH)):
        depth += _BRACKETS.get(code[index], 0)
        if depth < 0 or (depth == 0 and code[index] == "\n"):
            return index
    return min(len(code), start + MAX_CALL_LENGTH)


def _find_names(code: str, strings: Iterable[Literal]) -> Iterator[str]:
    yield from _VARIABLE_NAME.findall(code)
    for literal in strings:
        if literal.is_format:
            yield from _IN_FORMAT.findall(literal.body)


def _find_assignments(code: str) -> dict[str, list[int]]:
    """Where each variable is given its values."""
    positions: dict[str, list[int]] = {}
    for match in _ASSIGNMENT.finditer(code):
        positions.setdefault(match[1], []).append(match.end())
    for match in _LOOP.finditer(code):
        names, _, _ = match[1].partition(" in ")
        for name in _VARIABLE_NAME.findall(names):
            positions.setdefault(name, []).append(match.start(1) + len(names) + 3)
    return positions
