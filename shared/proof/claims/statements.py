"""What of a statement runs, and when: its expressions, its loop, the errors that it lets through."""

import ast
from collections.abc import Iterator

from shared.proof.claims.module_code import get_dotted_name

_TRANSPARENT_CONTEXTS = frozenset(("open", "catch_warnings", "Lock", "RLock", "TemporaryDirectory", "closing"))


def list_expressions(statement: ast.stmt) -> Iterator[ast.expr]:
    """The expressions that stand in a statement itself."""
    return (child for child in ast.iter_child_nodes(statement) if isinstance(child, ast.expr))


def list_header_expressions(
    statement: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef,
) -> Iterator[ast.expr]:
    """What is evaluated where a function or class is defined, outside of its body."""
    yield from statement.decorator_list
    if isinstance(statement, ast.ClassDef):
        yield from statement.bases
        yield from (keyword.value for keyword in statement.keywords)
    else:
        yield from statement.args.defaults
        yield from (default for default in statement.args.kw_defaults if default is not None)


def find_walruses(node: ast.AST, *, always: bool) -> Iterator[tuple[ast.NamedExpr, bool]]:
    """Each `name := …` of an expression, and whether it runs whenever the expression does."""
    if isinstance(node, ast.Lambda):
        return
    if isinstance(node, ast.NamedExpr):
        yield node, always
    first_alone = isinstance(node, ast.BoolOp | ast.IfExp | ast.Compare)
    is_loop = isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp)
    children = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.BoolOp):
        children = list(node.values)
    elif isinstance(node, ast.Compare):
        children = [node.left, *node.comparators]
    for index, child in enumerate(children):
        runs = always and not is_loop and (not first_alone or index == 0)
        yield from find_walruses(child, always=runs)


def runs_once(statement: ast.For | ast.AsyncFor | ast.While) -> bool:
    """Whether a loop's body is entered for certain: `for x in ("a", "b")`, `while True`."""
    if isinstance(statement, ast.While):
        return isinstance(statement.test, ast.Constant) and bool(statement.test.value)
    items = statement.iter.elts if isinstance(statement.iter, ast.Tuple | ast.List) else []
    return any(not isinstance(item, ast.Starred) for item in items)


def is_transparent(node: ast.expr) -> bool:
    """Whether a context lets every error through."""
    return isinstance(node, ast.Call) and get_dotted_name(node.func).rpartition(".")[2] in _TRANSPARENT_CONTEXTS


def cannot_fail(statement: ast.stmt) -> bool:
    """Whether a statement ends without an error whatever is bound."""
    if isinstance(statement, ast.Assign):
        return isinstance(statement.value, ast.Constant) and all(isinstance(t, ast.Name) for t in statement.targets)
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )
