"""What binds the names of one scope, in the order of the source, less what the image's Python never runs."""

import ast
from collections.abc import Iterator, Mapping, Sequence

from shared.proof.claims.source.conditions import ConditionReader
from shared.proof.claims.source.python_source import read_dotted_name, walk_nodes, walk_scope
from shared.proof.claims.source.scope_bindings import read_bound_alias

_OVERLOADS = frozenset(("overload", "typing.overload", "typing_extensions.overload"))


def map_bindings(body: list[ast.stmt], conditions: ConditionReader) -> Mapping[str, Sequence[ast.AST]]:
    """By name: what binds it in the scope of these statements, each import with the one alias that does."""
    bindings: dict[str, list[ast.AST]] = {}
    skipped: set[ast.AST] = set()
    for node in walk_scope(body):
        if node in skipped:
            continue
        if isinstance(node, ast.If):
            decided = conditions.decide(node.test)
            branch = [] if decided is None else node.orelse if decided else node.body
            skipped |= {part for statement in branch for part in walk_nodes(statement)}
        for name, binding in _list_own_bindings(node):
            bindings.setdefault(name, []).append(binding)
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            skipped.add(node.targets[0])
        elif isinstance(node, ast.AnnAssign):
            skipped.add(node.target)
    return bindings


def _list_own_bindings(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """The names that a node binds itself."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            if not any(read_dotted_name(decorator) in _OVERLOADS for decorator in node.decorator_list):
                yield name, node
        case ast.Import() | ast.ImportFrom():
            aliases = {read_bound_alias(node, alias): alias for alias in node.names}
            yield from ((name, _narrow_import(node, alias)) for name, alias in aliases.items() if name)
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
            yield name, node
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.ClassDef(name=name):
            yield name, node
        case (
            ast.ExceptHandler(name=str() as name)
            | ast.MatchAs(name=str() as name)
            | ast.MatchStar(name=str() as name)
            | ast.MatchMapping(rest=str() as name)
        ):
            yield name, node


def _narrow_import(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> ast.AST:
    """The import statement with one of its aliases alone."""
    if isinstance(node, ast.Import):
        return ast.Import(names=[alias])
    return ast.ImportFrom(module=node.module, names=[alias], level=node.level)
