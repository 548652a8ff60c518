"""Whether a condition of a module is decided before it runs: `TYPE_CHECKING`, the version, the platform, constants.

Takes the expression and the minor version of the image. Returns None where only a run decides.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from shared.proof.claims.source.module_code import list_nodes
from shared.proof.claims.source.python_source import read_dotted_name

_Comparison = Callable[[Any, Any], bool]
_COMPARISONS: Mapping[type[ast.cmpop], _Comparison] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_VERSION = "sys.version_info"
_TEXTS: Mapping[str, str] = {"sys.platform": "linux", "os.name": "posix"}
"""An image runs on Linux."""


class ConditionReader:
    """Decides conditions of one module.

    `is_started`: whether it is run as `__main__`; None where either may be. `has_constants`: whether a constant of the
    module still has its value where the condition is asked; another module may have changed it before a function runs.
    """

    def __init__(
        self, tree: ast.Module, python: str, *, is_started: bool | None = False, has_constants: bool = True
    ) -> None:
        major, _, minor = python.partition(".")
        self._version = (int(major), int(minor)) if major.isdigit() and minor.isdigit() else None
        self._is_started = is_started
        self._sources = _find_sources(tree)
        self._constants = _find_constants(tree) if has_constants else {}

    def decide(self, test: ast.expr) -> bool | None:
        """Whether a condition is true."""
        answer: bool | None = None
        if isinstance(test, ast.Constant):
            answer = bool(test.value)
        elif isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            inner = self.decide(test.operand)
            answer = None if inner is None else not inner
        elif isinstance(test, ast.BoolOp):
            answer = self._decide_all(test)
        elif isinstance(test, ast.Compare) and len(test.ops) == 1:
            answer = self._decide_comparison(test.left, test.ops[0], test.comparators[0])
        elif isinstance(test, ast.Call):
            answer = self._decide_call(test)
        elif isinstance(test, ast.Name | ast.Attribute):
            answer = self._decide_name(test)
        return answer

    def _decide_name(self, test: ast.Name | ast.Attribute) -> bool | None:
        if isinstance(test, ast.Name) and test.id in self._constants:
            return self._constants[test.id]
        return False if self._get_source(test) in {"typing.TYPE_CHECKING", "typing_extensions.TYPE_CHECKING"} else None

    def _decide_all(self, test: ast.BoolOp) -> bool | None:
        values = [self.decide(value) for value in test.values]
        decisive = isinstance(test.op, ast.Or)
        if decisive in values:
            return decisive
        return None if None in values else not decisive

    def _decide_call(self, test: ast.Call) -> bool | None:
        function = test.func
        if not isinstance(function, ast.Attribute) or function.attr != "startswith" or len(test.args) != 1:
            return None
        text = _TEXTS.get(self._get_source(function.value))
        start = test.args[0]
        if text is None or not isinstance(start, ast.Constant) or not isinstance(start.value, str):
            return None
        return text.startswith(start.value)

    def _decide_comparison(self, left: ast.expr, comparison: ast.cmpop, right: ast.expr) -> bool | None:
        compare = _COMPARISONS.get(type(comparison))
        if compare is None:
            return None
        if isinstance(left, ast.Name) and left.id == "__name__" and isinstance(right, ast.Constant):
            if right.value != "__main__" or self._is_started is None:
                return None
            return self._is_started if compare is operator.eq else not self._is_started
        text = _TEXTS.get(self._get_source(left))
        if text is not None:
            is_text = isinstance(right, ast.Constant) and compare in {operator.eq, operator.ne}
            return compare(text, right.value) if is_text and isinstance(right, ast.Constant) else None
        return self._compare_version(left, compare, right)

    def _compare_version(self, left: ast.expr, compare: _Comparison, right: ast.expr) -> bool | None:
        number = _read_numbers(right)
        if self._version is None or number is None:
            return None
        if isinstance(left, ast.Subscript) and self._get_source(left.value) == _VERSION:
            return self._compare_part(left.slice, compare, number)
        if isinstance(left, ast.Attribute) and self._get_source(left.value) == _VERSION:
            part = {"major": 0, "minor": 1}.get(left.attr)
            return None if part is None or isinstance(number, tuple) else compare(self._version[part], number)
        if self._get_source(left) != _VERSION or not isinstance(number, tuple) or not number:
            return None
        if (
            number[:2] == self._version[: len(number)]
        ):  # the whole version is longer: a later one than its own beginning
            return compare((*self._version, 0), number) if len(number) <= 2 else None
        return compare(self._version, number)

    def _compare_part(self, index: ast.expr, compare: _Comparison, number: int | tuple[int, ...]) -> bool | None:
        assert self._version is not None
        if isinstance(index, ast.Constant) and index.value in {0, 1} and isinstance(number, int):
            return compare(self._version[int(index.value == 1)], number)
        is_beginning = isinstance(index, ast.Slice) and index.lower is None and index.step is None
        if not is_beginning or not isinstance(index, ast.Slice) or not isinstance(number, tuple):
            return None
        end = index.upper.value if isinstance(index.upper, ast.Constant) else None
        return compare(self._version[: 1 if end == 1 else 2], number) if end in {1, 2} else None

    def _get_source(self, node: ast.expr) -> str:
        """What a name means by the module's imports: `TYPE_CHECKING` is `typing.TYPE_CHECKING`."""
        name = read_dotted_name(node)
        first, dot, rest = name.partition(".")
        source = self._sources.get(first, "")
        return f"{source}{dot}{rest}" if source else ""


@lru_cache(maxsize=256)
def _find_sources(tree: ast.Module, *, is_any: bool = False) -> dict[str, str]:
    """By name: what is imported by it, where nothing else in the module binds it; `is_any`: also where it does."""
    sources: dict[str, str] = {}
    bound: dict[str, int] = {}
    for node in list_nodes(tree):
        pairs: list[tuple[str, str]] = []
        if isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            pairs = [(node.name, "")]
        elif isinstance(node, ast.Import):
            pairs = [(a.asname or a.name.partition(".")[0], a.name) for a in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            pairs = [(a.asname or a.name, f"{node.module}.{a.name}") for a in node.names]
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            pairs = [(node.id, "")]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            pairs = [(node.name, "")]
        for name, source in pairs:
            if sources.get(name) != source:
                bound[name] = bound.get(name, 0) + 1
                sources[name] = source
    return {name: source for name, source in sources.items() if source and (is_any or bound[name] == 1)}


@lru_cache(maxsize=128)
def _find_constants(tree: ast.Module) -> dict[str, bool]:
    """The names that a statement of the module sets to a constant, and nothing else binds."""
    constants: dict[str, bool] = {}
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
            targets = [target.id for target in statement.targets if isinstance(target, ast.Name)]
            constants |= dict.fromkeys(targets, bool(statement.value.value))
    if not constants:
        return {}
    names = [node for node in list_nodes(tree) if isinstance(node, ast.Name) and node.id in constants]
    stored = [node.id for node in names if not isinstance(node.ctx, ast.Load)]
    other = _find_sources(tree, is_any=True)
    return {name: value for name, value in constants.items() if stored.count(name) == 1 and name not in other}


def _read_numbers(node: ast.expr) -> int | tuple[int, ...] | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    if isinstance(node, ast.Tuple):
        numbers = [item.value for item in node.elts if isinstance(item, ast.Constant)]
        values = [number for number in numbers if isinstance(number, int)]
        return tuple(values) if len(values) == len(node.elts) else None
    return None
