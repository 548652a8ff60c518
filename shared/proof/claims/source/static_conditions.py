"""Decides conditions that the source and the image's Python settle. None: nothing in the source says."""

import ast
import operator
from collections.abc import Callable, Mapping

from shared.proof.claims.source.python_source import read_dotted_name

_COMPARISONS: Mapping[type[ast.cmpop], Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def decide_condition(test: ast.expr, python: str) -> bool | None:
    """Whether a condition is true in the image."""
    match test:
        case ast.Constant(value=value):
            return bool(value)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            decided = decide_condition(operand, python)
            return None if decided is None else not decided
        case ast.BoolOp(op=op, values=values):
            return _decide_values([decide_condition(value, python) for value in values], is_and=isinstance(op, ast.And))
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(value=ast.Name(), attr="TYPE_CHECKING"):
            return False
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _compare_versions(left, op, right, python)
    return None


def _decide_values(values: list[bool | None], *, is_and: bool) -> bool | None:
    deciding = not is_and
    if deciding in values:
        return deciding
    return None if None in values else is_and


def _compare_versions(left: ast.expr, op: ast.cmpop, right: ast.expr, python: str) -> bool | None:
    """`sys.version_info >= (3, 11)`; versions below the minor one are not known."""
    compare = _COMPARISONS.get(type(op))
    version = tuple(int(part) for part in python.split(".") if part.isdigit())[:2]
    if compare is None or len(version) != 2:
        return None
    if read_dotted_name(left) in {"sys.version_info", "version_info"}:
        return _compare_tuples(version, compare, _read_integers(right), op)
    if isinstance(left, ast.Subscript) and read_dotted_name(left.value) == "sys.version_info":
        return _compare_item(left.slice, version, compare, right)
    return None


def _compare_tuples(
    version: tuple[int, ...],
    compare: Callable[[tuple[int, ...], tuple[int, ...]], bool],
    wanted: tuple[int, ...],
    op: ast.cmpop,
) -> bool | None:
    """`sys.version_info` has five items, so it is more than its own first two, and never equal to them."""
    if not wanted or (len(wanted) > 2 and wanted[:2] == version):
        return None
    if wanted == version[: len(wanted)]:
        return isinstance(op, ast.Gt | ast.GtE | ast.NotEq)
    return compare(version, wanted)


def _compare_item(
    index: ast.expr,
    version: tuple[int, ...],
    compare: Callable[[tuple[int, ...], tuple[int, ...]], bool],
    right: ast.expr,
) -> bool | None:
    match index, right:
        case ast.Constant(value=int(position)), ast.Constant(value=int(wanted)) if position in (0, 1):
            return compare((version[position],), (wanted,))
        case ast.Slice(lower=None, upper=ast.Constant(value=2), step=None), ast.Tuple():
            wanted_items = _read_integers(right)
            return compare(version, wanted_items) if wanted_items else None
    return None


def _read_integers(node: ast.expr) -> tuple[int, ...]:
    if not isinstance(node, ast.Tuple):
        return ()
    values = [item.value for item in node.elts if isinstance(item, ast.Constant) and isinstance(item.value, int)]
    return tuple(values) if len(values) == len(node.elts) else ()


def has_iterations(iterable: ast.expr) -> bool | None:
    """Whether a loop over an expression runs at least once: True, False (never), or None."""
    match iterable:
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            if any(isinstance(item, ast.Starred) for item in items):
                return None
            return bool(items)
        case ast.Constant(value=str(text)):
            return bool(text)
        case ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=int(count))], keywords=[]):
            return count > 0
    return None
