"""Decides to which scope a name belongs, by Python's rules."""

import ast
from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache

from shared.proof.claims.source.module_code import list_nodes
from shared.proof.claims.source.python_source import FunctionNode, list_parameters, walk_nodes, walk_scope

ScopeNode = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef
_Block = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class NameScope(StrEnum):
    """What a name is to one scope."""

    LOCAL = "local"
    """The scope binds it."""
    GLOBAL = "global"
    """The scope declares it `global`."""
    NONLOCAL = "nonlocal"
    """The scope declares it `nonlocal`."""
    OUTER = "outer"
    """The scope says nothing of it: it is looked for around it."""


@lru_cache(maxsize=4096)
def classify_name(scope: ScopeNode, name: str) -> NameScope:
    """What a name is to a scope."""
    if isinstance(scope, ast.Lambda):
        names = {parameter.arg for parameter in list_parameters(scope.args)}
        return NameScope.LOCAL if name in names or _binds_walrus(scope.body, name) else NameScope.OUTER
    declared = _list_declared_names(scope)
    if name in declared:
        return declared[name]
    if isinstance(scope, FunctionNode) and name in {parameter.arg for parameter in list_parameters(scope.args)}:
        return NameScope.LOCAL
    return NameScope.LOCAL if binds_name(scope, name) else NameScope.OUTER


def binds_name(scope: ScopeNode, name: str) -> bool:
    """Whether statements of a scope bind or delete a name, whichever scope it belongs to."""
    return not isinstance(scope, ast.Lambda) and name in _list_all_bound_names(scope)


@lru_cache(maxsize=256)
def list_global_bindings(tree: ast.Module) -> frozenset[str]:
    """The names of a module that functions and classes in it declare `global` and bind or delete."""
    if not any(isinstance(node, ast.Global) for node in list_nodes(tree)):
        return frozenset()
    scopes = [scope for scope in list_nested_scopes(tree) if not isinstance(scope, ast.Lambda)]
    return frozenset(
        name
        for scope in scopes
        for name, kind in _list_declared_names(scope).items()
        if kind is NameScope.GLOBAL and binds_name(scope, name)
    )


@lru_cache(maxsize=256)
def _list_declared_names(scope: _Block) -> dict[str, NameScope]:
    """The names that a scope declares `global` or `nonlocal`."""
    declared: dict[str, NameScope] = {}
    for node in walk_scope(scope.body):
        if isinstance(node, ast.Global | ast.Nonlocal):
            kind = NameScope.GLOBAL if isinstance(node, ast.Global) else NameScope.NONLOCAL
            declared = {**dict.fromkeys(node.names, kind), **declared}
    return declared


@lru_cache(maxsize=256)
def _list_all_bound_names(scope: _Block) -> frozenset[str]:
    return frozenset(name for names in _list_bound_names(scope.body) for name in names)


def list_nested_scopes(scope: ScopeNode) -> Iterator[ScopeNode]:
    """Every function, lambda and class below a scope, at any depth."""
    for node in walk_nodes(scope):
        if node is not scope and isinstance(node, FunctionNode | ast.Lambda | ast.ClassDef):
            yield node


def find_mentions(tree: ast.AST, name: str) -> frozenset[ast.AST]:
    """Every node below which the name is written as an identifier, with the nodes that do."""
    mentions: set[ast.AST] = set()
    path: list[ast.AST] = []

    def note_below(node: ast.AST) -> None:
        path.append(node)
        if _names_it(node, name):
            mentions.update(path)
        for child in ast.iter_child_nodes(node):
            note_below(child)
        path.pop()

    note_below(tree)
    return frozenset(mentions)


def _names_it(node: ast.AST, name: str) -> bool:
    match node:
        case ast.Name(id=own) | ast.arg(arg=own):
            return own == name
        case ast.alias(name=own, asname=other):
            return name in (other, own.partition(".")[0])
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            return name in names
        case ast.Constant(value=str(text)):
            return name in text
    return name in (getattr(node, "name", None), getattr(node, "rest", None))


def comprehension_binds(node: ast.AST, name: str) -> bool:
    """Whether a comprehension has a loop variable of that name: inside, it is the comprehension's own."""
    return isinstance(node, _COMPREHENSIONS) and any(
        isinstance(target, ast.Name) and target.id == name
        for generator in node.generators
        for target in walk_nodes(generator.target)
        if isinstance(getattr(target, "ctx", None), ast.Store)
    )


def _list_bound_names(body: list[ast.stmt]) -> Iterator[tuple[str, ...]]:
    """The names that the statements of one scope bind or delete, not those of its comprehensions and lambdas."""
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        yield _read_bound_names(node)
        waiting += _list_parts_in_scope(node)


def _list_parts_in_scope(node: ast.AST) -> list[ast.AST]:
    if isinstance(node, FunctionNode):
        return [*node.decorator_list, *node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)]
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases, *node.keywords]
    if isinstance(node, ast.Lambda):
        return [*node.args.defaults, *(default for default in node.args.kw_defaults if default is not None)]
    if isinstance(node, _COMPREHENSIONS):
        inside = [part for part in walk_nodes(node) if isinstance(part, ast.NamedExpr)]
        return [node.generators[0].iter, *(part.target for part in inside)]
    return list(ast.iter_child_nodes(node))


def _read_bound_names(node: ast.AST) -> tuple[str, ...]:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            return (name,)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return (name,)
        case ast.Import() | ast.ImportFrom():
            return tuple(read_bound_alias(node, alias) for alias in node.names)
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            return (name,)
        case ast.MatchMapping(rest=str(name)):
            return (name,)
    return ()


def read_bound_alias(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> str:
    """The name that one part of an import statement binds; `*` for a star."""
    return alias.asname or (alias.name.partition(".")[0] if isinstance(node, ast.Import) else alias.name)


def _binds_walrus(body: ast.expr, name: str) -> bool:
    return any(isinstance(node, ast.NamedExpr) and node.target.id == name for node in walk_nodes(body))
