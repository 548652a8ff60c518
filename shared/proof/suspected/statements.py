"""Source text in, its statements out, each in one canonical form, without layout, comments, annotations, docstrings.

So what a formatter changes is no change. Compound statements are taken apart: a header, then the statements below it.
"""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Statement:
    """One simple statement, or the header of a compound one. Lines count from 1."""

    text: str
    first: int
    last: int


def list_function_statements(function: _FunctionNode) -> Sequence[Statement]:
    """The header of a function and all that it contains, nested functions included."""
    return tuple(_walk_statement(function, enters_functions=True))


def list_module_statements(module: ast.Module) -> Sequence[Statement]:
    """What runs when a module is imported: bodies of functions are left out, those of classes are not."""
    return tuple(_walk_body(module.body, enters_functions=False))


def _walk_body(body: Sequence[ast.stmt], *, enters_functions: bool) -> Iterator[Statement]:
    for statement in body:
        yield from _walk_statement(statement, enters_functions=enters_functions)


def _walk_statement(node: ast.stmt, *, enters_functions: bool) -> Iterator[Statement]:
    if _is_docstring(node):
        return
    body = getattr(node, "body", None)
    if not isinstance(body, list) and not isinstance(node, ast.Match):
        yield Statement(_unparse_simple(node), node.lineno, node.end_lineno or node.lineno)
        return
    yield _make_header(node)
    is_function = isinstance(node, _FunctionNode)
    if is_function and not enters_functions:
        return
    for part in _list_parts(node):
        if isinstance(part, ast.stmt):
            yield from _walk_statement(part, enters_functions=enters_functions or is_function)
        else:
            yield _make_header(part)
            yield from _walk_body(part.body, enters_functions=enters_functions or is_function)


def _list_parts(node: ast.stmt) -> Iterator[ast.stmt | ast.ExceptHandler | ast.match_case]:
    """What stands below a header, in the order of the source."""
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
    last = max(first, _first_line(below[0]) - 1) if below else first
    return Statement(_describe_header(node), min([first, *(entry.lineno for entry in decorators)]), last)


def _first_line(node: ast.AST) -> int:
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
