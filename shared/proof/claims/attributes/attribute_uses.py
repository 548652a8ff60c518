"""Where a source reads an attribute of a given name, and which of these places cannot fail for its absence."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from shared.proof.claims.attributes.bound_names import read_constant_test
from shared.proof.claims.attributes.source_file import Function, SourceFile, is_future_annotated, mangle_name
from shared.proof.claims.source.python_source import walk_nodes

_EXPECTING = frozenset(("AttributeError",))


@dataclass(frozen=True, slots=True)
class AttributeUse:
    """One place. `value` is what is asked for the attribute."""

    value: ast.expr
    lines: tuple[int, ...]
    """Those that a traceback may name: where the expression begins, and where the attribute is."""
    function: str
    """As a frame names it."""
    is_expected: bool
    """Whether the code around it is written for the attribute's absence."""
    is_indirect: bool = False
    """`getattr(…)`: what it yields without the attribute is not looked at."""


def find_uses(source: SourceFile, attribute: str, python: str) -> list[AttributeUse]:
    """All places that are run, in their order."""
    uses = [
        _describe_use(source, node, attribute)
        for node in source.nodes
        if _reads_attribute(source, node, attribute) and not _is_never_run(source, node, python)
    ]
    return sorted(uses, key=lambda use: use.lines)


def name_function(source: SourceFile, node: ast.AST) -> str:
    """The name of the frame in which a node runs."""
    scope = source.get_scope(node)
    if isinstance(scope, ast.Module):
        return "<module>"
    return "<lambda>" if isinstance(scope, ast.Lambda) else scope.name


def is_frame(function: str, frame: str) -> bool:
    """Whether code of a function runs in a frame of that name; a comprehension may have a frame of its own."""
    return function == frame or (frame.startswith("<") and frame not in {"<module>", "<lambda>"})


def has_function(source: SourceFile, name: str) -> bool:
    """Whether a source defines a function of a name."""
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name for node in source.nodes)


def _reads_attribute(source: SourceFile, node: ast.AST, attribute: str) -> bool:
    match node:
        case ast.Attribute(ctx=ast.Load() | ast.Del()):
            return mangle_name(node.attr, source.get_class(node)) == attribute
        case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value=value), *_]):
            return value == attribute
        case ast.Call(func=ast.Name(id="attrgetter") | ast.Attribute(attr="attrgetter")):
            return any(isinstance(given, ast.Constant) and given.value == attribute for given in node.args)
        case ast.AugAssign(target=ast.Attribute() as target):
            return mangle_name(target.attr, source.get_class(node)) == attribute
    return False


def _describe_use(source: SourceFile, node: ast.AST, attribute: str) -> AttributeUse:
    assert isinstance(node, ast.Attribute | ast.Call | ast.AugAssign)
    read = node.target if isinstance(node, ast.AugAssign) else node
    is_indirect = not isinstance(read, ast.Attribute)
    value = read.value if isinstance(read, ast.Attribute) else node.args[0] if isinstance(node, ast.Call) else read
    lines = tuple(sorted({read.lineno, read.end_lineno or read.lineno}))
    expected = any(_expects_absence(around, node, attribute) for around in _list_guards(source, node))
    return AttributeUse(value, lines, name_function(source, node), expected, is_indirect)


def _list_guards(source: SourceFile, node: ast.AST) -> Iterator[ast.AST]:
    """The nodes around a use, up to the function that holds it, or the module."""
    for around in source.list_around(node):
        yield around
        if isinstance(around, Function) and not isinstance(around, ast.Lambda):
            return


def _expects_absence(around: ast.AST, node: ast.AST, attribute: str) -> bool:
    match around:
        case ast.Try() | ast.TryStar():
            names = {name for handler in around.handlers for name in _list_names(handler.type)}
            return bool(names & _EXPECTING) and _is_within(around.body, node)
        case ast.With() | ast.AsyncWith():
            return any("AttributeError" in _list_names(item.context_expr) for item in around.items)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Module():
            return any(_asks_for(part, attribute) for part in walk_nodes(around))
    return False


def _asks_for(node: ast.AST, attribute: str) -> bool:
    """`hasattr(x, "a")`, `"a" in dir(x)`: the code looks before it reads."""
    match node:
        case ast.Call(func=ast.Name(id="hasattr"), args=[_, name, *_]):
            return not isinstance(name, ast.Constant) or name.value == attribute
        case ast.Compare(left=ast.Constant(value=value), ops=[ast.In() | ast.NotIn()]):
            return bool(value == attribute)
    return False


def _is_within(body: list[ast.stmt], node: ast.AST) -> bool:
    return any(node is part for statement in body for part in walk_nodes(statement))


def _list_names(node: ast.AST | None) -> set[str]:
    names = (part for part in walk_nodes(node) if isinstance(part, ast.Name | ast.Attribute)) if node else ()
    return {part.id if isinstance(part, ast.Name) else part.attr for part in names}


def _is_never_run(source: SourceFile, node: ast.AST, python: str) -> bool:
    """Whether a node is within a condition that is never met, or in an annotation that is not evaluated."""
    inner = node
    is_lazy = is_future_annotated(source, python)
    for around in source.list_around(node):
        if isinstance(around, ast.If | ast.IfExp):
            constant = read_constant_test(around.test)
            branches = (around.body, around.orelse)
            in_body, in_else = (inner is part or (isinstance(part, list) and inner in part) for part in branches)
            if (constant is False and in_body) or (constant is True and in_else):
                return True
        if _is_annotation(around, inner) and (is_lazy or _is_local_annotation(source, around)):
            return True
        inner = around
    return False


def _is_annotation(around: ast.AST, inner: ast.AST) -> bool:
    return inner in (getattr(around, "annotation", None), getattr(around, "returns", None))


def _is_local_annotation(source: SourceFile, around: ast.AST) -> bool:
    """The annotation of a function's own variable is never evaluated."""
    is_plain = isinstance(around, ast.AnnAssign) and bool(around.simple)
    return is_plain and isinstance(source.get_scope(around), Function)
