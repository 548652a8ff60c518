"""The syntax tree of one source file, and what in its code may bind names that no statement spells out.

Returns None for what cannot be parsed: a file that is broken, or written for a newer Python than the running one.
"""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from shared.proof.claims.source.python_source import parse_source, read_dotted_name, walk_nodes

_READ_ONLY = frozenset(("get", "keys", "items", "values", "copy"))
_NAMESPACES = frozenset(("globals", "vars", "locals"))
_NAMESPACE_ATTRIBUTES = frozenset(("f_globals", "__dict__", "global_enum", "_convert_"))
_BINDING_FUNCTIONS = frozenset(("global_enum", "_convert_", "run_path"))
_CODE_RUNNERS = frozenset(("exec", "builtins.exec"))
_MODULE_TABLES = frozenset(("sys.modules", "modules"))


@dataclass(frozen=True, slots=True)
class ModuleCode:
    """A module as it is written."""

    tree: ast.Module
    may_bind_any: str
    """The construct by which the module's code may bind names that are not spelled out; "" where none is seen."""
    may_replace_module: str
    """The construct by which the module, or any of its names, may be replaced or deleted; "" where none is seen."""
    global_stores: frozenset[str]
    """Names that functions declare `global` and bind."""
    global_deletes: frozenset[str]
    attribute_stores: frozenset[str]
    """Names that are set on something else than `self` or `cls`."""


@lru_cache(maxsize=128)
def parse_module(source: bytes) -> ModuleCode | None:
    """The module of a source; never raises because of what it contains."""
    tree = parse_source(source)
    if tree is None:
        return None
    nodes = list_nodes(tree)
    stores, deletes = _find_global_names(nodes)
    return ModuleCode(
        tree,
        next(_find_bindings_of_any(nodes), ""),
        next(_find_replacements(nodes), ""),
        stores,
        deletes,
        frozenset(_find_attribute_stores(nodes)),
    )


@lru_cache(maxsize=16)
def list_nodes(tree: ast.Module) -> tuple[ast.AST, ...]:
    """All nodes of a module as `walk_nodes` gives them, held for the next caller."""
    return tuple(walk_nodes(tree))


@lru_cache(maxsize=256)
def list_import_statements(tree: ast.Module) -> tuple[ast.Import | ast.ImportFrom, ...]:
    """All import statements of a module, those of functions and of branches that never run included."""
    return tuple(node for node in list_nodes(tree) if isinstance(node, ast.Import | ast.ImportFrom))


@lru_cache(maxsize=256)
def has_assignment_expression(tree: ast.Module) -> bool:
    """Whether there is a `:=` anywhere in a module."""
    return any(isinstance(node, ast.NamedExpr) for node in list_nodes(tree))


def _find_bindings_of_any(nodes: Sequence[ast.AST]) -> Iterator[str]:
    """Constructs that may bind or delete names by their text, in the order of the walk."""
    harmless = {id(value) for node in nodes for value in _list_read_namespaces(node)}
    for node in nodes:
        name = ""
        if isinstance(node, ast.Call) and id(node) not in harmless:
            name = _find_binding_call(node)
        elif isinstance(node, ast.Attribute):
            is_namespace = node.attr in _NAMESPACE_ATTRIBUTES and not _is_own_object(node.value)
            is_table = id(node) not in harmless and read_dotted_name(node) == "sys.modules"
            name = node.attr if is_namespace or is_table else ""
        elif isinstance(node, ast.ImportFrom) and node.module == "sys":
            name = "sys.modules" if any(alias.name == "modules" for alias in node.names) else ""
        if name:
            yield f"{name}, line {getattr(node, 'lineno', 0)}"


def _find_binding_call(call: ast.Call) -> str:
    name = read_dotted_name(call.func)
    if name in _NAMESPACES and not call.args:
        return f"{name}()"
    if name in {"setattr", "delattr"}:
        return "" if _sets_own_object(call) or _read_set_name(call) else f"{name}(…)"
    is_binding = name in _CODE_RUNNERS or name.rpartition(".")[2] in _BINDING_FUNCTIONS
    return f"{name}(…)" if is_binding else ""


def _list_read_namespaces(node: ast.AST) -> Iterator[ast.expr]:
    """`globals()` in `globals()["name"]`, `globals().get(…)` and `"name" in globals()`."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        yield node.value
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _READ_ONLY:
        yield node.func.value
    elif isinstance(node, ast.Compare) and all(isinstance(operator, ast.In | ast.NotIn) for operator in node.ops):
        yield from node.comparators


def _is_own_object(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in {"self", "cls"}


def _sets_own_object(call: ast.Call) -> bool:
    return bool(call.args) and _is_own_object(call.args[0])


def _read_set_name(call: ast.Call) -> str:
    """The name that `setattr(thing, "name", value)` sets; "" for any other call."""
    match call:
        case ast.Call(func=ast.Name(id="setattr"), args=[_, ast.Constant(value=str(name)), _], keywords=[]):
            return name
    return ""


def _find_replacements(nodes: Sequence[ast.AST]) -> Iterator[str]:
    """Constructs after which a name that was bound may be gone."""
    for node in nodes:
        name = ""
        if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            container = node.value
            is_removal = isinstance(node.ctx, ast.Del) and _is_namespace_call(container)
            name = "del globals()[…]" if is_removal else read_dotted_name(container)
            name = name if is_removal or name in _MODULE_TABLES else ""
        elif isinstance(node, ast.Call):
            name = read_dotted_name(node.func)
            is_deleting = name in _CODE_RUNNERS or (name == "delattr" and not _sets_own_object(node))
            name = (name or "pop") if is_deleting or _is_removal(node.func) else ""
        if name:
            yield f"{name}, line {getattr(node, 'lineno', 0)}"


def _is_removal(function: ast.expr) -> bool:
    """`globals().pop`, `sys.modules.pop`."""
    if not isinstance(function, ast.Attribute) or function.attr not in {"pop", "clear", "popitem"}:
        return False
    return _is_namespace_call(function.value) or read_dotted_name(function.value) in _MODULE_TABLES


def _is_namespace_call(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and read_dotted_name(node.func) in _NAMESPACES


def _find_global_names(nodes: Sequence[ast.AST]) -> tuple[frozenset[str], frozenset[str]]:
    """The names that functions and classes declare `global`: those that they bind, and those that they delete."""
    stores: set[str] = set()
    deletes: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Global):
            stores |= set(node.names)
    if stores:
        deletes = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del)} & stores
    return frozenset(stores), frozenset(deletes)


def _find_attribute_stores(nodes: Sequence[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            base = node.value
            if not _is_own_object(base):
                yield node.attr
        elif isinstance(node, ast.Call) and not _sets_own_object(node) and (name := _read_set_name(node)):
            yield name
