"""Parses source into statements in one canonical form: without layout, comments, annotations and docstrings.

So what a formatter changes is no change. Compound statements are taken apart: a header, then the statements below it.

`match_statements` matches the statements of two versions of a function.
"""

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher


@dataclass(frozen=True, slots=True)
class Statement:
    """One simple statement, or the header of a compound one. Lines count from 1."""

    text: str
    first: int
    last: int


def list_body_statements(body: Sequence[ast.stmt], lines: Sequence[str], texts: dict[str, str]) -> Sequence[Statement]:
    """Those of a body and of all that is below them; `pass` says nothing.

    `lines` are those of the source; `texts` keeps the canonical form of each simple statement by its own source.
    """
    return tuple(_StatementReader(lines, texts).walk_body(body))


@dataclass(frozen=True, slots=True)
class _StatementReader:
    lines: Sequence[str]
    texts: dict[str, str]

    def walk_body(self, body: Sequence[ast.stmt]) -> Iterator[Statement]:
        for statement in body:
            yield from self._walk_statement(statement)

    def _walk_statement(self, node: ast.stmt) -> Iterator[Statement]:
        if isinstance(node, ast.Pass) or _is_docstring(node):
            return
        body = getattr(node, "body", None)
        if not isinstance(body, list) and not isinstance(node, ast.Match):
            yield Statement(self._read_text(node), node.lineno, node.end_lineno or node.lineno)
            return
        yield _make_header(node)
        for part in _list_parts(node):
            if isinstance(part, ast.stmt):
                yield from self._walk_statement(part)
            else:
                yield _make_header(part)
                yield from self.walk_body(part.body)

    def _read_text(self, node: ast.stmt) -> str:
        source = "\n".join(self.lines[node.lineno - 1 : node.end_lineno])
        key = f"{node.col_offset}:{node.end_col_offset}:{source}"
        if key not in self.texts:
            self.texts[key] = _unparse_simple(node)
        return self.texts[key]


def _list_parts(node: ast.stmt) -> Iterator[ast.stmt | ast.ExceptHandler | ast.match_case]:
    """What is below a header, in the order of the source."""
    for name in ("body", "cases", "handlers", "orelse", "finalbody"):
        yield from getattr(node, name, ())


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _unparse_simple(node: ast.stmt) -> str:
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        return f"{ast.unparse(node.target)} = {ast.unparse(node.value)}"
    return ast.unparse(node)


def _make_header(node: ast.stmt | ast.ExceptHandler | ast.match_case) -> Statement:
    first = node.pattern.lineno if isinstance(node, ast.match_case) else node.lineno
    decorators = getattr(node, "decorator_list", [])
    below = getattr(node, "body", None) or getattr(node, "cases", None)
    last = max(first, _get_first_line(below[0]) - 1) if below else first
    return Statement(_describe_header(node), min([first, *(entry.lineno for entry in decorators)]), last)


def _get_first_line(node: ast.AST) -> int:
    """Where a statement begins, decorators and patterns included."""
    if isinstance(node, ast.match_case):
        return node.pattern.lineno
    lines: list[int] = [entry.lineno for entry in getattr(node, "decorator_list", [])]
    return min([int(getattr(node, "lineno", 1)), *lines])


def _describe_header(node: ast.stmt | ast.ExceptHandler | ast.match_case) -> str:  # noqa: PLR0911 - a table
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            kind = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
            decorators = "".join(f"@{ast.unparse(entry)} " for entry in node.decorator_list)
            return f"{decorators}{kind} {node.name}({_describe_arguments(node.args)})"
        case ast.ClassDef():
            bases = ", ".join(ast.unparse(entry) for entry in (*node.bases, *node.keywords))
            decorators = "".join(f"@{ast.unparse(entry)} " for entry in node.decorator_list)
            return f"{decorators}class {node.name}({bases})"
        case ast.If() | ast.While():
            return f"{type(node).__name__.lower()} {ast.unparse(node.test)}"
        case ast.For() | ast.AsyncFor():
            return f"for {ast.unparse(node.target)} in {ast.unparse(node.iter)}"
        case ast.With() | ast.AsyncWith():
            return f"with {', '.join(ast.unparse(entry) for entry in node.items)}"
        case ast.ExceptHandler():
            caught = f" {ast.unparse(node.type)}" if node.type is not None else ""
            return f"except{caught}{f' as {node.name}' if node.name else ''}"
        case ast.Match():
            return f"match {ast.unparse(node.subject)}"
        case ast.match_case():
            guard = f" if {ast.unparse(node.guard)}" if node.guard is not None else ""
            return f"case {ast.unparse(node.pattern)}{guard}"
    return "try" if isinstance(node, ast.Try | ast.TryStar) else ast.unparse(node)


def _describe_arguments(arguments: ast.arguments) -> str:
    """Names and defaults, without annotations."""
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [entry for entry in (arguments.vararg, arguments.kwarg) if entry is not None]
    for argument in every:
        argument.annotation = None
    return ast.unparse(arguments)


_MAX_COMPARED = 1_500
"""Statements on either side that are aligned; of more, only what both begin and end with."""
_MIN_MOVED_LENGTH = 8
"""Characters of a statement that is known again where it moved: `return` and `pass` are not."""


def match_statements(older: Sequence[str], newer: Sequence[str]) -> Mapping[int, int]:
    """Positions in `newer` to positions in `older`; each is used once. What moved within the function is matched."""
    start = _count_common(older, newer)
    end = _count_common(older[start:][::-1], newer[start:][::-1])
    matched = {number: number for number in range(start)}
    matched |= {len(newer) - 1 - number: len(older) - 1 - number for number in range(end)}
    left, right = older[start : len(older) - end], newer[start : len(newer) - end]
    if left and right and max(len(left), len(right)) <= _MAX_COMPARED:
        for block in SequenceMatcher(None, left, right, autojunk=False).get_matching_blocks():
            matched |= {start + block.b + number: start + block.a + number for number in range(block.size)}
        matched |= _match_moved(older, newer, matched)
    return matched


def measure_likeness(older: Sequence[str], newer: Sequence[str]) -> float:
    """The share of the larger function's statements that both have, wherever they are: 0.0 to 1.0."""
    larger = max(len(older), len(newer))
    common = Counter(older) & Counter(newer)
    return sum(common.values()) / larger if larger else 0.0


def _count_common(older: Sequence[str], newer: Sequence[str]) -> int:
    pairs = zip(older, newer, strict=False)
    return next((number for number, (left, right) in enumerate(pairs) if left != right), min(len(older), len(newer)))


def _match_moved(older: Sequence[str], newer: Sequence[str], matched: Mapping[int, int]) -> Mapping[int, int]:
    used = set(matched.values())
    free: dict[str, list[int]] = {}
    for number, text in enumerate(older):
        if number not in used and len(text) >= _MIN_MOVED_LENGTH:
            free.setdefault(text, []).append(number)
    moved: dict[int, int] = {}
    for number, text in enumerate(newer):
        if number not in matched and free.get(text):
            moved[number] = free[text].pop(0)
    return moved
