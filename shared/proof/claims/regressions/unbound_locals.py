"""Local variables that a function reads before any statement of it can have bound them.

Only what is certain: the read is a statement of the function's own block that always runs, and everything that binds
the name comes later in the text, outside of what runs before.
"""

import ast
from collections.abc import Iterator

from shared.proof.claims.source.python_source import FunctionNode, walk_nodes
from shared.proof.claims.source.scope_bindings import NameScope, classify_name

_PLAIN = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr, ast.Return, ast.Raise, ast.Assert, ast.Delete)


def list_unbound_locals(tree: ast.Module) -> Iterator[tuple[str, str, int]]:
    """Function, variable and line of each such read."""
    for function in walk_nodes(tree):
        if isinstance(function, FunctionNode):
            yield from _list_of_function(function)


def _list_of_function(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[str, str, int]]:
    seen: set[str] = set()
    for statement in function.body:
        if not isinstance(statement, _PLAIN):
            seen |= {node.id for node in walk_nodes(statement) if isinstance(node, ast.Name)}
            seen |= _list_other_bindings(statement)
            continue
        value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign | ast.Return | ast.Expr) else None
        for node in _walk_evaluated(value):
            if isinstance(node.ctx, ast.Load) and node.id not in seen and _is_local(function, node.id):
                yield function.name, node.id, node.lineno
        seen |= {node.id for node in walk_nodes(statement) if isinstance(node, ast.Name)}
        if isinstance(statement, ast.Return | ast.Raise):
            return


def _walk_evaluated(value: ast.expr | None) -> Iterator[ast.Name]:
    """The names that an expression certainly reads itself: none of a branch, a lambda or a comprehension."""
    waiting: list[ast.AST] = [value] if value is not None else []
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name):
            yield node
        elif not isinstance(
            node, ast.Lambda | ast.IfExp | ast.BoolOp | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
        ):
            waiting += ast.iter_child_nodes(node)


def _list_other_bindings(statement: ast.stmt) -> set[str]:
    """Names that a statement binds without a `Name`: imports, definitions, handlers, patterns."""
    names: set[str] = set()
    for node in walk_nodes(statement):
        match node:
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                names |= {alias.asname or alias.name.partition(".")[0] for alias in aliases}
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                names.add(name)
            case ast.MatchMapping(rest=str(name)):
                names.add(name)
    return names


def _is_local(function: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> bool:
    arguments = function.args
    parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    is_parameter = any(parameter is not None and parameter.arg == name for parameter in parameters)
    return not is_parameter and classify_name(function, name) is NameScope.LOCAL
