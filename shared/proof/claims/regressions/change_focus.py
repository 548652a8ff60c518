"""What a change of a source can have broken: new lines, and code that mentions a name whose definition changed."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from shared.proof.claims.source.python_source import list_parts, parse_source

_MAX_READ = 1_024
"""Sources whose definitions are held: two comparisons of the same commits, and two services, ask for the same ones."""
_MAX_COMPARED = 20_000
"""Lines; a longer file counts as new."""


@dataclass(frozen=True, slots=True)
class Focus:
    """`lines`: None where all of the file is new. `former`: the source before, None where there was none."""

    names: frozenset[str] = frozenset()
    lines: frozenset[int] | None = None
    former: bytes | None = None

    @property
    def is_unchanged(self) -> bool:
        """Whether no line of the file is new."""
        return self.lines is not None and not self.lines

    def covers(self, node: ast.expr, *names: str) -> bool:
        """Whether an expression that has these names may newly fail."""
        if self.lines is None or not self.names.isdisjoint(names):
            return True
        lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
        return not self.lines.isdisjoint(lines) if len(lines) < 200 else True

    def covers_line(self, line: int, *names: str) -> bool:
        """The same for a statement of one line."""
        return self.lines is None or line in self.lines or not self.names.isdisjoint(names)

    def is_mentioned(self, source: bytes) -> bool:
        """Whether a source mentions a touched name at all."""
        return bool(self.names) and not _encode(self.names).isdisjoint(_BYTE_WORD.findall(source))


_CONSTRUCTORS = frozenset(("__init__", "__new__"))
_WORD = re.compile(rb"[^\W\d]\w*")
_BYTE_WORD = re.compile(rb"[\w\x80-\xff]+")


@dataclass(frozen=True, slots=True)
class TouchedNames:
    """`outer`: names that other files can ask for. `inner`: parameters and variables of functions."""

    outer: frozenset[str] = frozenset()
    inner: frozenset[str] = frozenset()


def find_touched_names(before: bytes, after: bytes | None) -> TouchedNames:
    """The names. `after`: None for a file that is gone. Of what cannot be parsed, the words that are gone."""
    if after is not None and before == after:
        return TouchedNames()
    former, later = _read_definitions(before), _read_definitions(after) if after is not None else ({}, {})
    if former is None or later is None:
        gone = set(_WORD.findall(before)) - set(_WORD.findall(after or b""))
        return TouchedNames(frozenset(word.decode("utf-8", "replace") for word in gone))
    outer, inner = (
        frozenset(name for name, shapes in own_shapes.items() if other_shapes.get(name) != shapes)
        for own_shapes, other_shapes in zip(former, later, strict=True)
    )
    return TouchedNames(outer, inner)


_Shapes = Mapping[str, frozenset[str]]


@lru_cache(maxsize=_MAX_READ)
def _read_definitions(source: bytes) -> tuple[_Shapes, _Shapes] | None:
    """Each name that a source binds, with the shapes of what it binds it to: outside of functions, and in them."""
    tree = parse_source(source)
    if tree is None:
        return None
    shapes: tuple[dict[str, set[str]], dict[str, set[str]]] = ({}, {})
    waiting: list[tuple[ast.AST, bool]] = [(tree, False)]
    while waiting:
        node, is_inner = waiting.pop()
        for name, shape in _list_definitions(node):
            is_attribute = isinstance(node, ast.Attribute)
            shapes[is_inner and not is_attribute].setdefault(name, set()).add(shape)
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        waiting += [(child, is_inner or is_function) for child in list_parts(node)]
    outer, inner = ({name: frozenset(kinds) for name, kinds in named.items()} for named in shapes)
    return outer, inner


def _list_definitions(node: ast.AST) -> Iterator[tuple[str, str]]:
    match node:
        case ast.FunctionDef(name=name, args=args) | ast.AsyncFunctionDef(name=name, args=args):
            if name not in _CONSTRUCTORS:  # those count for their class
                yield name, f"{type(node).__name__} {ast.dump(args)} {_dump_all(node.decorator_list)}"
        case ast.arg(arg=name, annotation=annotation):
            yield name, f"argument {ast.dump(annotation) if annotation is not None else ''}"
        case ast.ClassDef(name=name, bases=bases):
            fields = _dump_all([part for part in node.body if isinstance(part, ast.AnnAssign)])
            made = [part for part in node.body if isinstance(part, ast.FunctionDef) and part.name in _CONSTRUCTORS]
            arguments = ",".join(ast.dump(part.args) for part in made)
            yield name, f"class {_dump_all(bases)} {_dump_all(node.decorator_list)} {fields} {arguments}"
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() | ast.Name() | ast.Attribute() as value):
            yield name, ast.dump(value.func if isinstance(value, ast.Call) else value)
        case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
            yield name, "name"
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            source = getattr(node, "module", "") or ""
            yield from (
                (alias.asname or alias.name.partition(".")[0], f"import {source} {alias.name}") for alias in names
            )


def _dump_all(nodes: list[ast.expr] | list[ast.AnnAssign]) -> str:
    return ",".join(map(ast.dump, nodes))


@lru_cache(maxsize=16)
def _encode(names: frozenset[str]) -> frozenset[bytes]:
    return frozenset(name.encode("utf-8", "surrogatepass") for name in names)


def focus_on_change(before: bytes | None, after: bytes) -> Focus:
    """The focus on the lines of a file that changed, or that is new."""
    if before is None:
        return Focus()
    former, later = before.splitlines(), after.splitlines()
    if max(len(former), len(later)) > _MAX_COMPARED:
        return Focus(frozenset(), None, before)
    return Focus(frozenset(), frozenset(_list_new_lines(former, later)), before)


def _list_new_lines(former: list[bytes], later: list[bytes]) -> Iterator[int]:
    for tag, _, _, start, end in SequenceMatcher(None, former, later).get_opcodes():
        if tag != "equal":
            yield from range(start + 1, end + 1)
