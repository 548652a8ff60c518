"""The names in a module's `__all__`, where its statements spell them out."""

import ast
from collections.abc import Iterator

from shared.proof.claims.source.python_source import walk_nodes

_MAX_NAMES = 10_000
_LIST_METHODS = frozenset(("append", "extend"))


def read_export_list(tree: ast.Module) -> frozenset[str] | None:
    """The names; None where some statement does more than to list texts, or is in a branch."""
    names: set[str] = set()
    is_known = False
    uses = sum(isinstance(node, ast.Name) and node.id == "__all__" for node in walk_nodes(tree))
    for statement in tree.body:
        value, is_added = _find_value(statement)
        if value is None:
            continue
        uses -= 1
        listed = _read_texts(value)
        if listed is None:
            return None
        names = {*names, *listed} if is_added else set(listed)
        is_known = True
    return frozenset(names) if is_known and uses == 0 and len(names) <= _MAX_NAMES else None


def _find_value(statement: ast.stmt) -> tuple[ast.expr | None, bool]:
    """What a statement gives to `__all__`, and whether it adds to what is in it."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and _is_all(statement.targets[0]):
        return statement.value, False
    if isinstance(statement, ast.AnnAssign) and _is_all(statement.target):
        return statement.value, False
    if isinstance(statement, ast.AugAssign) and _is_all(statement.target) and isinstance(statement.op, ast.Add):
        return statement.value, True
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        call = statement.value
        is_method = isinstance(call.func, ast.Attribute) and call.func.attr in _LIST_METHODS
        if is_method and isinstance(call.func, ast.Attribute) and _is_all(call.func.value) and len(call.args) == 1:
            argument = call.args[0]
            return (ast.List([argument], ast.Load()) if call.func.attr == "append" else argument), True
    return None, False


def _is_all(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "__all__"


def _read_texts(node: ast.expr) -> list[str] | None:
    """The texts of a list, a tuple, or a sum of these."""
    texts: list[str] = []
    for item in _walk_sum(node):
        if not isinstance(item, ast.List | ast.Tuple):
            return None
        values = [element.value for element in item.elts if isinstance(element, ast.Constant)]
        texts += [value for value in values if isinstance(value, str)]
        if len(values) != len(item.elts) or not all(isinstance(value, str) for value in values):
            return None
    return texts


def _walk_sum(node: ast.expr) -> Iterator[ast.expr]:
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield node.right
        node = node.left
    yield node
