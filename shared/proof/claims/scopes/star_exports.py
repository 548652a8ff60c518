"""Decides whether `from m import *` binds a name; None where that is unknown."""

import ast
from collections.abc import Iterable

from shared.proof.claims.claim import ModuleKind
from shared.proof.claims.ports import ServiceModules
from shared.proof.claims.scopes.expression_flow import TooComplex
from shared.proof.claims.scopes.presence import BOUND
from shared.proof.claims.scopes.scope_analysis import ScopeRules, analyse_scope
from shared.proof.claims.source.conditions import ConditionReader
from shared.proof.claims.source.dynamic_names import find_dynamic_names
from shared.proof.claims.source.python_source import parse_source, walk_nodes

_MAX_DEPTH = 8
_LISTS = ast.List | ast.Tuple


class StarExports:
    """Follows star imports through the modules of one commit."""

    def __init__(self, modules: ServiceModules, name: str) -> None:
        self._modules = modules
        self._name = name
        self._open: list[str] = []

    def decide(self, importing_path: str, node: ast.ImportFrom) -> bool | None:
        """Whether the statement binds the name."""
        module = self._modules.find_module(importing_path, node.module or "", node.level)
        if module.kind is ModuleKind.NAMESPACE:
            return False
        if module.kind not in {ModuleKind.FILE, ModuleKind.PACKAGE}:
            return None
        if module.path in self._open or len(self._open) >= _MAX_DEPTH:
            return None
        tree = parse_source(self._modules.tree.read(module.path) or b"\0")
        if tree is None:
            return None
        self._open.append(module.path)
        is_exported = self._decide_module(module.path, tree)
        self._open.pop()
        return is_exported

    def _decide_module(self, path: str, tree: ast.Module) -> bool | None:
        listed = _read_listed_names(tree)
        if listed is None:
            return None
        if _lists_names(tree):
            return self._name in listed
        if self._name.startswith("_"):
            return False
        is_package = path.endswith("__init__.py")
        conditions = ConditionReader(tree, self._modules.python, is_started=None, has_constants=False)
        rules = ScopeRules(conditions, False, lambda star: self.decide(path, star), lambda _: True)
        try:
            end = analyse_scope(tree, self._name, rules).end
        except TooComplex:
            return None
        if end.is_bound:
            return True
        is_open = bool(find_dynamic_names(tree, self._name)) or (is_package and self._is_submodule(path))
        return None if is_open or end | BOUND == end or not end.is_unbound else False

    def _is_submodule(self, path: str) -> bool:
        module = self._modules.find_module(path, self._name, 1)
        return module.kind not in {ModuleKind.MISSING, ModuleKind.OUTSIDE}


def _lists_names(tree: ast.Module) -> bool:
    return any(_is_all(target) for statement in tree.body for target in _list_targets(statement))


def _read_listed_names(tree: ast.Module) -> frozenset[str] | None:
    """`__all__`, where it is a literal; None where it is put together at run time."""
    names: set[str] = set()
    mentions = sum(isinstance(node, ast.Name) and node.id == "__all__" for node in walk_nodes(tree))
    for statement in tree.body:
        if any(_is_all(target) for target in _list_targets(statement)):
            mentions -= 1
            value = getattr(statement, "value", None)
            if not isinstance(value, _LISTS):
                return None
            texts = [item.value for item in value.elts if isinstance(item, ast.Constant)]
            if len(texts) != len(value.elts):
                return None
            names |= {text for text in texts if isinstance(text, str)}
    return None if mentions else frozenset(names)


def _list_targets(statement: ast.stmt) -> Iterable[ast.expr]:
    if isinstance(statement, ast.Assign):
        return statement.targets
    return (statement.target,) if isinstance(statement, ast.AnnAssign | ast.AugAssign) else ()


def _is_all(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "__all__"
