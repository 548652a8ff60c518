"""What binds one name in one scope, in the order of the source, less what the image's Python never runs."""

import ast
from collections.abc import Iterator

from shared.proof.claims.source.python_source import FunctionNode, read_dotted_name, walk_scope
from shared.proof.claims.source.scope_bindings import read_bound_alias
from shared.proof.claims.source.static_conditions import decide_condition

_OVERLOADS = frozenset(("overload", "typing.overload", "typing_extensions.overload"))


def list_bindings(body: list[ast.stmt], name: str, python: str) -> Iterator[ast.AST]:
    """What binds a name in the scope of these statements, each import with the one alias that does."""
    skipped: set[ast.AST] = set()
    for node in walk_scope(body):
        if node in skipped:
            continue
        if isinstance(node, ast.If):
            decided = decide_condition(node.test, python)
            branch = [] if decided is None else node.orelse if decided else node.body
            skipped |= {part for statement in branch for part in ast.walk(statement)}
        binding = _read_name_binding(node, name)
        if binding is not None:
            yield binding
        if isinstance(node, ast.Assign) and binding is not None:
            skipped.add(node.targets[0])
        elif isinstance(node, ast.AnnAssign):
            skipped.add(node.target)


def _read_name_binding(node: ast.AST, name: str) -> ast.AST | None:
    if isinstance(node, FunctionNode):
        is_overload = any(read_dotted_name(decorator) in _OVERLOADS for decorator in node.decorator_list)
        return node if node.name == name and not is_overload else None
    if isinstance(node, ast.Import | ast.ImportFrom):
        aliases = [alias for alias in node.names if read_bound_alias(node, alias) == name]
        return _narrow_import(node, aliases[-1]) if aliases else None
    if isinstance(node, ast.AnnAssign) and node.value is None:
        return None
    return node if _names_target(node, name) else None


def _names_target(node: ast.AST, name: str) -> bool:
    match node:
        case ast.Assign(targets=[ast.Name(id=own)]) | ast.AnnAssign(target=ast.Name(id=own)):
            return own == name
        case ast.Name(id=own, ctx=ast.Store() | ast.Del()) | ast.ClassDef(name=own):
            return own == name
        case ast.ExceptHandler(name=own) | ast.MatchAs(name=own) | ast.MatchStar(name=own) | ast.MatchMapping(rest=own):
            return own == name
    return False


def _narrow_import(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> ast.AST:
    """The import statement with one of its aliases alone."""
    if isinstance(node, ast.Import):
        return ast.Import(names=[alias])
    return ast.ImportFrom(module=node.module, names=[alias], level=node.level)
