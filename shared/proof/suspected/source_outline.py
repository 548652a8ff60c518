"""The functions of one version of a file, found by `def` and indentation, and the statements of each.

Only what is asked about is parsed: one function, or the code outside of functions. A version that does not parse as a
whole can so be read but for what is broken in it. The same text of a function is parsed once, in however many versions.

`Outlines` reads versions of files as outlines, each once, and no more than a few hundred of them.
"""

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from shared.proof.model.ports import History
from shared.proof.suspected.statements import Statement, list_body_statements

MODULE = ""
"""Stands for the code outside of functions."""
_MAX_BYTES = 2_000_000
_MAX_STATEMENTS = 3_000
_MAX_DECORATOR_LINES = 20
_DEFINITION = re.compile(r"([ \t]*)(?:async[ \t]+)?(def|class)[ \t]+(\w+)")
_PARSE_ERRORS = (SyntaxError, ValueError, RecursionError, MemoryError)


@dataclass(frozen=True, slots=True)
class StatementCache:
    """What was parsed once, for all versions of all files."""

    functions: dict[str, Sequence[Statement] | None] = field(default_factory=dict)
    """Statements by source text, their lines counted from the text's own first one; None for what does not parse."""
    texts: dict[str, str] = field(default_factory=dict)
    """The canonical form of simple statements, by their source."""


@dataclass(frozen=True, slots=True)
class Function:
    """One function, by its name with the classes and functions around it. Lines count from 1, without decorators.

    A name that is defined again carries its number: `Room.size#2`.
    """

    name: str
    first: int
    last: int
    depth: int
    """Columns in front of its `def`."""


@dataclass(slots=True)
class SourceOutline:
    """One version of a file. `by_lines`: nothing is parsed."""

    lines: Sequence[str]
    by_lines: bool = False
    cache: StatementCache = field(default_factory=StatementCache)
    _functions: dict[str, Function] | None = None
    _module: ast.Module | None = None

    @property
    def functions(self) -> Sequence[Function]:
        """Outer ones before those that they contain."""
        return tuple(self._by_name.values())

    @property
    def _by_name(self) -> dict[str, Function]:
        if self._functions is None:
            self._functions = {function.name: function for function in _scan_functions(self.lines)}
        return self._functions

    def has_function(self, name: str) -> bool:
        return name == MODULE or name in self._by_name

    def find_function(self, line: int) -> str:
        """The innermost function around a line; `MODULE` where there is none."""
        around = [function for function in self.functions if function.first <= line <= function.last]
        return max(around, key=lambda function: function.first).name if around else MODULE

    def can_parse(self, name: str) -> bool:
        """Whether a function parses, or the code outside of functions; everything does where it is read by lines."""
        return self.by_lines or self._read_statements(name)[1] is not None

    def list_statements(self, name: str) -> Sequence[Statement]:
        """Those of one function, in order; empty where the version has no such function, or it does not parse."""
        if not self.has_function(name):
            return ()
        if self.by_lines:
            return tuple(self._read_lines(name))[:_MAX_STATEMENTS]
        first, statements = self._read_statements(name)
        return tuple(
            Statement(entry.text, entry.first + first - 1, entry.last + first - 1)
            for entry in (statements or ())[:_MAX_STATEMENTS]
        )

    def _read_statements(self, name: str) -> tuple[int, Sequence[Statement] | None]:
        """The first line of what is parsed, and its statements."""
        first, text = self._cut_module() if name == MODULE else self._cut_function(self._by_name[name])
        known = self.cache.functions
        if text not in known:
            known[text] = _parse_statements(text, self.cache.texts)
        return first, known[text]

    def _cut_function(self, function: Function) -> tuple[int, str]:
        first = _find_decorators(self.lines, function)
        return first, "\n".join(self.lines[first - 1 : function.last])

    def _cut_module(self) -> tuple[int, str]:
        """All lines; of each outermost function one `pass` is left."""
        kept = list(self.lines)
        end = 0
        for function in self.functions:
            if function.first > end:
                end, first = function.last, _find_decorators(self.lines, function)
                kept[first - 1 : end] = [""] * (end - first + 1)
                kept[function.first - 1] = f"{self.lines[function.first - 1][: function.depth]}pass"
        return 1, "\n".join(kept)

    def _read_lines(self, name: str) -> Iterator[Statement]:
        """Every line that says something, its spaces made one."""
        if name != MODULE:
            spans, inner = [(self._by_name[name].first, self._by_name[name].last)], []
        else:
            spans, inner = [(1, len(self.lines))], [(entry.first + 1, entry.last) for entry in self.functions]
        for first, last in spans:
            for number in range(first, last + 1):
                text = " ".join(self.lines[number - 1].split())
                if text and text[0] != "#" and not any(begin <= number <= end for begin, end in inner):
                    yield Statement(text, number, number)


def read_outline(content: bytes, *, by_lines: bool = False, cache: StatementCache | None = None) -> SourceOutline:
    """Never raises because of what the content is. `cache` may be shared by all versions of all files."""
    text = content[:_MAX_BYTES].decode("utf-8-sig", "replace")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return SourceOutline(lines, by_lines, cache or StatementCache())


def _parse_statements(text: str, texts: dict[str, str]) -> Sequence[Statement] | None:
    """None for what does not parse; an indented text is parsed below an `if`."""
    is_indented = text[:1] in {" ", "\t"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            source = f"if 1:\n{text}" if is_indented else text
            body = ast.parse(source).body
            inner = body[0].body if is_indented and isinstance(body[0], ast.If) else body
            statements = list_body_statements(inner, source.split("\n"), texts)
        except _PARSE_ERRORS:
            return None
    shift = 1 if is_indented else 0
    return tuple(Statement(entry.text, entry.first - shift, entry.last - shift) for entry in statements)


def _scan_functions(lines: Sequence[str]) -> Iterator[Function]:
    taken: dict[str, int] = {}
    around: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        definition = _DEFINITION.match(line) if "def " in line or "class " in line else None
        if definition is None:
            continue
        depth = len(definition[1])
        around = [entry for entry in around if entry[0] < depth]
        name = ".".join([*(entry[1] for entry in around), definition[3]])
        around.append((depth, definition[3]))
        if definition[2] == "def":
            taken[name] = taken.get(name, 0) + 1
            unique = name if taken[name] == 1 else f"{name}#{taken[name]}"
            yield Function(unique, number, _find_last_line(lines, number, depth), depth)


def _find_last_line(lines: Sequence[str], start: int, depth: int) -> int:
    """The last line that is indented deeper; comments do not end a function, and neither does a closing bracket."""
    last = start
    for number in range(start + 1, len(lines) + 1):
        line = lines[number - 1]
        bare = line.lstrip()
        if not bare or bare[0] == "#":
            continue
        if len(line) - len(bare) <= depth and bare[0] not in ")]}":
            break
        last = number
    return last


def _find_decorators(lines: Sequence[str], function: Function) -> int:
    """The first line of a function with its decorators."""
    first = function.first
    for number in range(first - 1, max(0, first - _MAX_DECORATOR_LINES), -1):
        line = lines[number - 1]
        if not line.strip():
            break
        if len(line) - len(line.lstrip()) == function.depth and line.lstrip()[0] == "@":
            first = number
        elif len(line) - len(line.lstrip()) <= function.depth and line.lstrip()[0] not in ")]}":
            break
    return first


MAX_READS = 400
"""Versions that are read for one exception."""


@dataclass(slots=True)
class Outlines:
    """Of one history. `is_exhausted` says that something was not read any more."""

    history: History
    by_lines: bool = False
    """Whether nothing is parsed, because what is asked about does not parse here."""
    is_exhausted: bool = False
    reads: int = 0
    _cache: StatementCache = field(default_factory=StatementCache)
    _by_blob: dict[str, SourceOutline | None] = field(default_factory=dict)

    def read(self, blob: str) -> SourceOutline | None:
        """None for contents that are not in this copy, or after too many reads."""
        if blob not in self._by_blob:
            if self.reads >= MAX_READS:
                self.is_exhausted = True
                return None
            self.reads += 1
            content = self.history.read(blob)
            self._by_blob[blob] = (
                read_outline(content, by_lines=self.by_lines, cache=self._cache) if content is not None else None
            )
        return self._by_blob[blob]
