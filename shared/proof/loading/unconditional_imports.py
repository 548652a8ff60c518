"""Which import statements of a file run whenever the file is loaded, each with its line.

It reads the text, as `imports` does, so that the Python that the file is written for does not matter.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from shared.proof.loading.imports import Import, find_statements
from shared.proof.loading.source_text import Literal, split_source

_MARK = re.compile(r"[()\[\]{}\n]|\\\n")
_FIRST_WORD = re.compile(r"[ \t\f]*+(?:async[ \t]++)?+(\w*+)")
_WORD = re.compile(r"[^\W\d]\w*+")
_IMPORT_ERRORS = frozenset(("ImportError", "ModuleNotFoundError", "Exception", "BaseException"))
_OTHER_ERRORS = frozenset(
    [
        "AttributeError",
        "KeyError",
        "IndexError",
        "LookupError",
        "ValueError",
        "TypeError",
        "NameError",
        "OSError",
        "IOError",
        "RuntimeError",
        "UnicodeError",
        "SyntaxError",
        "AssertionError",
        "NotImplementedError",
        "StopIteration",
        "KeyboardInterrupt",
        "SystemExit",
    ]
)
_BRANCHES = frozenset(("if", "elif", "else", "for", "while", "match", "case", "def", "except", "with"))
_TAB_WIDTH = 8


@dataclass(frozen=True, slots=True)
class ImportStatement:
    """`always_runs`: nothing is seen that keeps it from running, or its failure from ending the program."""

    imported: Import
    line: int
    always_runs: bool


@dataclass(slots=True)
class _Block:
    """What a header begins. `is_guarded`: its author expects an import that fails."""

    indent: int
    is_optional: bool = False
    is_guarded: bool = False


@dataclass(slots=True)
class _BlockStack:
    """The blocks around the line that was read last, and each `try` whose clauses may follow, by its indent."""

    blocks: list[_Block] = field(default_factory=list)
    tries: dict[int, _Block] = field(default_factory=dict)

    def enter(self, line: str) -> tuple[_Block, ...]:
        """The blocks around a logical line, with the one that its own header begins."""
        indent = _measure_indent(line)
        while self.blocks and self.blocks[-1].indent >= indent:
            self.blocks.pop()
        self.tries = {position: block for position, block in self.tries.items() if position <= indent}
        match = _FIRST_WORD.match(line)
        block = self._begin_block(indent, match[1] if match else "", line)
        self.blocks += [block] if block else []
        return tuple(self.blocks)

    def _begin_block(self, indent: int, word: str, line: str) -> _Block | None:
        is_clause = word in {"except", "else", "finally"}
        attempt = self.tries.get(indent) if is_clause else self.tries.pop(indent, None)
        header, colon, _ = line.partition(":")
        if not colon:
            return None
        if word == "try":
            self.tries[indent] = _Block(indent)
            return self.tries[indent]
        if word == "except" and attempt:
            _add_handler(attempt, header)
        if word == "with":
            is_guarded = "suppress" in header and _names_import_error(header)
            return _Block(indent, "catch_warnings" not in header, is_guarded)
        if word in {"class", "finally"} or (word == "else" and attempt):
            return _Block(indent)
        return _Block(indent, is_optional=True) if word in _BRANCHES else None


def parse_statements(source: bytes) -> tuple[ImportStatement, ...]:
    """The imports of a file, less those that a handler, a `suppress` or an `if TYPE_CHECKING` is written for."""
    text = split_source(source)
    code = text.code.replace("\r\n", " \n").replace("\r", "\n")
    line_ends = [match.start() for match in re.finditer("\n", code)]
    lines = list(_read_blocks(_join_strings(code, text.strings)))  # all: a handler comes after what it guards
    logical_ends = [end for end, _ in lines]
    statements = []
    for position, imported in find_statements(text):
        index = bisect_right(logical_ends, position)
        blocks = lines[index][1] if index < len(lines) else ()
        if not any(block.is_guarded for block in blocks):
            always_runs = not any(block.is_optional for block in blocks)
            statements.append(ImportStatement(imported, bisect_left(line_ends, position) + 1, always_runs))
    return tuple(statements)


def _read_blocks(code: str) -> Iterator[tuple[int, tuple[_Block, ...]]]:
    """Where each logical line ends, and the blocks around it."""
    stack, start = _BlockStack(), 0
    for end in _find_logical_ends(code):
        line = code[start:end]
        yield end, stack.enter(line) if line.strip() else ()
        start = end


def _find_logical_ends(code: str) -> Iterator[int]:
    depth = 0
    for match in _MARK.finditer(code):
        if match[0] in "([{":
            depth += 1
        elif match[0] in ")]}":
            depth = max(0, depth - 1)
        elif match[0] == "\n" and depth == 0:
            yield match.end()
    yield len(code)


def _join_strings(code: str, strings: Sequence[Literal]) -> str:
    """The code with the line ends in its strings as blanks: a string does not end a line."""
    pieces: list[str] = []
    position = 0
    for literal in strings:
        body = code[literal.start : literal.end]
        if "\n" in body:
            pieces += [code[position : literal.start], body.replace("\n", " ")]
            position = literal.end
    return "".join([*pieces, code[position:]])


def _measure_indent(line: str) -> int:
    blank = line[: len(line) - len(line.lstrip(" \t\f"))].rpartition("\f")[2]
    return len(blank.expandtabs(_TAB_WIDTH))


def _add_handler(attempt: _Block, header: str) -> None:
    """Notes what a handler catches; a name that is not known may be that of a failing import's error."""
    names = set(_WORD.findall(header.partition(" as ")[0])) - {"except"}
    attempt.is_guarded |= not names or _names_import_error(header)
    attempt.is_optional |= not names <= _OTHER_ERRORS


def _names_import_error(header: str) -> bool:
    return not _IMPORT_ERRORS.isdisjoint(_WORD.findall(header))
