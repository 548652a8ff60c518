"""Finds the operations that the message of a TypeError may mean: those that fail on a value of the wrong type.

For a claim of the family `VALUE` it returns the kind of operation, and each place in the source that does it.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from shared.proof.claims.attributes.attribute_uses import find_uses, name_function
from shared.proof.claims.attributes.source_file import Function, SourceFile
from shared.proof.claims.claim import Claim
from shared.proof.claims.source.python_source import walk_nodes


class OperationKind(StrEnum):
    """What is done with the value."""

    ATTRIBUTE = "attribute"
    CALL = "call"
    SUBSCRIPT = "subscript"
    ITERATION = "iteration"
    AWAIT = "await"


@dataclass(frozen=True, slots=True)
class Operation:
    """One place. `lines`: from where its value begins to where it ends."""

    value: ast.expr
    lines: tuple[int, ...]
    function: str
    is_readable: bool
    """Whether a checker can be asked about it: not a `getattr(…)`, not within an f-string."""


_MESSAGES = (
    (OperationKind.CALL, re.compile(r"'[^']+' object is not callable")),
    (OperationKind.SUBSCRIPT, re.compile(r"'[^']+' object is not subscriptable")),
    (OperationKind.ITERATION, re.compile(r"'[^']+' object is not iterable|cannot unpack non-iterable ")),
    (OperationKind.AWAIT, re.compile(r"object [\w.]+ can't be used in 'await' expression")),
)
_UNPACKED = re.compile(r"cannot unpack non-iterable ([\w.]+) object")
_OWN_CALLS = frozenset(("isinstance", "issubclass", "callable", "hasattr", "len", "super", "type"))


def read_operation(claim: Claim) -> OperationKind | None:
    """The kind of operation that failed; None for one that is not followed."""
    if "has no attribute" in claim.message:
        return OperationKind.ATTRIBUTE if claim.name else None
    return next((kind for kind, pattern in _MESSAGES if pattern.match(claim.message)), None)


def read_value_type(claim: Claim) -> str:
    """The type of the value, as Python names it: `NoneType`."""
    unpacked = _UNPACKED.match(claim.message)
    return unpacked[1] if unpacked else claim.owner


def find_operations(source: SourceFile, kind: OperationKind, name: str, python: str) -> list[Operation]:
    """All places in a source, in their order; `name` counts for attributes alone."""
    if kind is OperationKind.ATTRIBUTE:
        return [
            _describe(source, use.value, use.value.lineno, max(use.lines), is_direct=not use.is_indirect)
            for use in find_uses(source, name, python)
        ]
    operations = [
        _describe(source, value, value.lineno, value.end_lineno or value.lineno)
        for node in source.nodes
        for value in _list_values(node, kind)
    ]
    return sorted(operations, key=lambda operation: operation.lines)


def _describe(source: SourceFile, value: ast.expr, first: int, last: int, *, is_direct: bool = True) -> Operation:
    is_formatted = any(isinstance(around, ast.JoinedStr) for around in source.list_around(value))
    lines = tuple(range(min(first, value.lineno), max(last, value.end_lineno or last) + 1))
    return Operation(value, lines, name_function(source, value), is_direct and not is_formatted)


def _list_values(node: ast.AST, kind: OperationKind) -> Iterator[ast.expr]:
    """What a node calls, subscripts, iterates over or awaits. Displays are what they look like."""
    match kind, node:
        case OperationKind.CALL, ast.Call(func=func) if not (isinstance(func, ast.Name) and func.id in _OWN_CALLS):
            yield func
        case OperationKind.SUBSCRIPT, ast.Subscript(value=value, ctx=ast.Load()):
            yield value
        case OperationKind.AWAIT, ast.Await(value=value):
            yield value
        case OperationKind.ITERATION, ast.For(iter=value) | ast.comprehension(iter=value) | ast.Starred(value=value):
            yield value
        case OperationKind.ITERATION, ast.YieldFrom(value=value):
            yield value
        case OperationKind.ITERATION, ast.Assign(targets=targets, value=value):
            if any(isinstance(target, ast.Tuple | ast.List) for target in targets):
                yield value
        case OperationKind.ITERATION, ast.Call(args=arguments):  # `list(x)`, `sorted(x)`, whatever takes an iterable
            yield from (part for part in arguments if not isinstance(part, ast.Constant | ast.Starred))


def is_guarded(source: SourceFile, operation: Operation) -> bool:
    """Whether the function looks at the very value before: a condition, an assertion, `x and x.y`, `(x or y).z`."""
    value = operation.value
    if isinstance(value, ast.BoolOp) and isinstance(value.op, ast.Or):
        return True
    text = ast.unparse(value)
    inner: ast.AST = value
    for around in source.list_around(value):
        if any(_mentions(test, text) for test in _list_tests(around, inner)):
            return True
        if isinstance(inner, ast.stmt) and _is_checked_before(around, inner, text):
            return True
        if isinstance(around, Function):
            return False
        inner = around
    return False


def _list_tests(around: ast.AST, inner: ast.AST) -> Iterator[ast.AST]:
    """The conditions in a node under which a part of it runs."""
    match around:
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) if inner is not test:
            yield test
        case ast.BoolOp(values=values):
            yield from values[: next(index for index, part in enumerate(values) if part is inner)]
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
            yield from (test for part in around.generators for test in part.ifs)


def _is_checked_before(around: ast.AST, statement: ast.stmt, text: str) -> bool:
    """Whether a statement before it in the same body leaves, asserts, or gives another value, for this very value."""
    for body in (getattr(around, name, None) for name in ("body", "orelse", "finalbody")):
        if isinstance(body, list) and statement in body:
            return any(_is_checked(earlier, text) for earlier in body[: body.index(statement)])
    return False


def _is_checked(statement: ast.stmt, text: str) -> bool:
    match statement:
        case ast.Assert(test=test):
            return _mentions(test, text)
        case ast.If(test=test, body=body):
            leaves = isinstance(body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)
            sets = any(isinstance(part, ast.Assign) and ast.unparse(part.targets[0]) == text for part in body)
            return (leaves or sets) and _mentions(test, text)
        case ast.Assign(targets=[target], value=ast.BoolOp(op=ast.Or())):
            return ast.unparse(target) == text
    return False


def _mentions(test: ast.AST, text: str) -> bool:
    return any(isinstance(node, ast.expr) and ast.unparse(_unwrap(node)) == text for node in walk_nodes(test))


def _unwrap(node: ast.expr) -> ast.expr:
    return node.target if isinstance(node, ast.NamedExpr) else node
