"""The functions of one version of a file, and the statements of each; a source that does not parse is read by lines.

A version is parsed once; the statements of a function are listed when they are first asked for.
"""

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from shared.proof.suspected.statements import Statement, list_function_statements, list_module_statements

MODULE = ""
"""Stands for the code outside of functions."""
_MAX_BYTES = 2_000_000
_MAX_STATEMENTS = 3_000
_DEFINITION = re.compile(r"^([ \t]*)(?:async[ \t]+)?(def|class)[ \t]+(\w+)")
_PARSE_ERRORS = (SyntaxError, ValueError, RecursionError, MemoryError)


@dataclass(frozen=True, slots=True)
class Function:
    """One function, by its name with the classes and functions around it. Lines count from 1, decorators included."""

    name: str
    first: int
    last: int


@dataclass(slots=True)
class SourceOutline:
    """One version of a file."""

    lines: Sequence[str]
    functions: Sequence[Function]
    """Outer ones before those that they contain. A name that is defined again carries its number: `Room.size#2`."""
    _module: ast.Module | None
    _nodes: dict[str, ast.FunctionDef | ast.AsyncFunctionDef]
    _statements: dict[str, Sequence[Statement]] = field(default_factory=dict)

    @property
    def is_parsed(self) -> bool:
        return self._module is not None

    def has_function(self, name: str) -> bool:
        return name == MODULE or any(function.name == name for function in self.functions)

    def find_function(self, line: int) -> str:
        """The innermost function around a line; `MODULE` where there is none."""
        around = [function for function in self.functions if function.first <= line <= function.last]
        return max(around, key=lambda function: function.first).name if around else MODULE

    def list_statements(self, name: str) -> Sequence[Statement]:
        """Those of one function, in order; empty where the version has no such function."""
        if name not in self._statements:
            self._statements[name] = tuple(self._read_statements(name))[:_MAX_STATEMENTS]
        return self._statements[name]

    def _read_statements(self, name: str) -> Sequence[Statement]:
        try:
            if self._module is not None and name == MODULE:
                return list_module_statements(self._module)
            if name in self._nodes:
                return list_function_statements(self._nodes[name])
        except RecursionError:  # nested deeper than can be printed
            pass
        return tuple(self._read_lines(name))

    def _read_lines(self, name: str) -> Iterator[Statement]:
        """Every line that says something, its spaces made one."""
        spans = [(function.first, function.last) for function in self.functions if function.name == name]
        inner = [] if name != MODULE else [(function.first + 1, function.last) for function in self.functions]
        for first, last in spans or ([(1, len(self.lines))] if name == MODULE else []):
            for number in range(first, last + 1):
                text = " ".join(self.lines[number - 1].split())
                if text and text[0] != "#" and not any(begin <= number <= end for begin, end in inner):
                    yield Statement(text, number, number)


def read_outline(content: bytes, *, by_lines: bool = False) -> SourceOutline:
    """Never raises because of what the content is. `by_lines`: it is not parsed, whether or not it could be."""
    text = content[:_MAX_BYTES].decode("utf-8-sig", "replace")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    module = None if by_lines or len(content) > _MAX_BYTES else _parse(content)
    if module is None:
        return SourceOutline(lines, tuple(_scan_functions(lines)), None, {})
    functions: list[Function] = []
    nodes: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
    for name, node in _walk_functions(module):
        first = min([node.lineno, *(entry.lineno for entry in node.decorator_list)])
        functions.append(Function(name, first, node.end_lineno or node.lineno))
        nodes[name] = node
    return SourceOutline(lines, tuple(functions), module, nodes)


def _parse(content: bytes) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(content)
        except _PARSE_ERRORS:
            return None


def _walk_functions(module: ast.Module) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """With their names; without recursion, as sources may be nested as deep as their writer likes."""
    taken: dict[str, int] = {}
    waiting: list[tuple[str, ast.AST]] = [("", module)]
    while waiting:
        prefix, node = waiting.pop()
        below = prefix
        if isinstance(node, ast.ClassDef):
            below = f"{prefix}{node.name}."
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            name = f"{prefix}{node.name}"
            taken[name] = taken.get(name, 0) + 1
            yield name if taken[name] == 1 else f"{name}#{taken[name]}", node
            below = f"{name}."
        children = [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr)]
        waiting += [(below, child) for child in reversed(children)]


def _scan_functions(lines: Sequence[str]) -> Iterator[Function]:
    """By `def` and indentation alone."""
    taken: dict[str, int] = {}
    around: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        definition = _DEFINITION.match(line)
        if definition is None:
            continue
        depth = len(definition[1].expandtabs())
        around = [entry for entry in around if entry[0] < depth]
        name = ".".join([*(entry[1] for entry in around), definition[3]])
        around.append((depth, definition[3]))
        if definition[2] == "def":
            taken[name] = taken.get(name, 0) + 1
            last = _find_last_line(lines, number, depth)
            yield Function(name if taken[name] == 1 else f"{name}#{taken[name]}", number, last)


def _find_last_line(lines: Sequence[str], start: int, depth: int) -> int:
    last = start
    for number in range(start + 1, len(lines) + 1):
        line = lines[number - 1]
        if not line.strip():
            continue
        if len(line) - len(line.lstrip()) <= depth and line.lstrip()[0] not in ")]}":
            break
        last = number
    return last
