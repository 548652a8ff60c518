"""Whether a file puts something else in place of a function: by an assignment to an attribute, or by `setattr`.

`setattr` with a name that is put together at run time may mean any function of a module or a class. What updates the
fields of an object does not change the functions of a module.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from shared.proof.claims.source.module_code import list_nodes
from shared.proof.claims.source.python_source import FunctionNode, list_parameters, read_dotted_name, walk_scope

_OPEN_TYPES = frozenset(("Any", "object", "ModuleType", "Module", "type", "Type", "Callable", "Self"))
_TRANSPARENT_TYPES = frozenset(("Optional", "Annotated"))
_GIVES_MODULES = re.compile(r"modul|import|load|class|type|getattr|globals|locals|vars", re.IGNORECASE)
_SHORTEST_CLASS = 3
"""Shorter names are mostly type variables, which may stand for anything."""

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class _Patches:
    """What one file puts in place of something else's attributes."""

    names: frozenset[str]
    has_any_name: bool
    """Whether a name that is put together at run time may be any of a module's or a class's."""
    has_any_name_of_objects: bool
    """Whether it may be any of an object's."""


def patches_function(tree: ast.Module, name: str, *, is_method: bool) -> bool:
    """Whether a file may put something else in place of a function of that name, of a module or of a class."""
    patches = _find_patches(tree)
    return patches.has_any_name or name in patches.names or (is_method and patches.has_any_name_of_objects)


@lru_cache(maxsize=256)  # every call of a file asks
def _find_patches(tree: ast.Module) -> _Patches:
    names: set[str] = set()
    computed: list[ast.Call] = []
    has_any_name = False
    for node in list_nodes(tree):
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            names.add(node.attr)
        if not isinstance(node, ast.Call):
            continue
        called = read_dotted_name(node.func)
        if called in {"setattr", "delattr"} and len(node.args) > 1:
            name = node.args[1]
            if isinstance(name, ast.Constant):
                names |= {name.value} if isinstance(name.value, str) else set()
            elif read_dotted_name(node.args[0]) != "self":
                computed.append(node)
        has_any_name |= called.endswith("patch.object")
    updates = _list_updates(tree) if computed else frozenset()
    return _Patches(
        frozenset(names),
        has_any_name or any(call not in updates for call in computed),
        any(call in updates for call in computed),
    )


def _list_updates(tree: ast.Module) -> frozenset[ast.Call]:
    """The calls of `setattr` on a local variable that holds an object."""
    return frozenset(
        node
        for function in list_nodes(tree)
        if isinstance(function, FunctionNode)
        for node in walk_scope(function.body)
        if isinstance(node, ast.Call) and len(node.args) > 1
        if isinstance(node.args[0], ast.Name) and _holds_object(node.args[0].id, function)
    )


def _holds_object(name: str, function: _Function) -> bool:
    """Whether a name is bound in a function by what gives objects alone: its annotation as a parameter, and calls."""
    parameters = [part for part in list_parameters(function.args) if part.arg == name]
    nodes = list(walk_scope(function.body))
    values = [value for node in nodes for value in _list_values(node, name)]
    bindings = sum(_binds(node, name) for node in nodes)
    return (
        bool(parameters or values)
        and len(values) == bindings
        and all(part.annotation is not None and _names_class(part.annotation) for part in parameters)
        and all(_gives_object(value) for value in values)
    )


def _binds(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.Global | ast.Nonlocal):
        return name in node.names
    if isinstance(node, ast.alias):
        return (node.asname or node.name.partition(".")[0]) == name
    return isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store)


def _list_values(node: ast.AST, name: str) -> Iterator[ast.expr]:
    """What an assignment to the name alone gives it."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    for target in targets:
        if isinstance(target, ast.Name) and target.id == name and isinstance(node, ast.Assign | ast.AnnAssign):
            yield from [node.value] if node.value is not None else []


def _gives_object(value: ast.expr) -> bool:
    """Whether a value is what a call gave that is not known for modules or classes."""
    call = value.value if isinstance(value, ast.Await) else value
    if not isinstance(call, ast.Call):
        return False
    called = read_dotted_name(call.func) or (call.func.attr if isinstance(call.func, ast.Attribute) else "")
    inner = call.func.value if isinstance(call.func, ast.Attribute) else None
    maker = read_dotted_name(inner.func) if isinstance(inner, ast.Call) else ""
    return bool(called) and _GIVES_MODULES.search(called) is None and _GIVES_MODULES.search(maker) is None


def _names_class(annotation: ast.expr) -> bool:
    """Whether an annotation names a class of objects, or None beside it."""
    match annotation:
        case ast.Constant(value=str(text)):
            parsed = _parse_annotation(text)
            return parsed is not None and _names_class(parsed)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _names_class(left) and _names_class(right)
        case ast.Subscript(value=outer, slice=inside):
            first = inside.elts[0] if isinstance(inside, ast.Tuple) and inside.elts else inside
            return read_dotted_name(outer).rpartition(".")[2] in _TRANSPARENT_TYPES and _names_class(first)
        case ast.Constant(value=value):
            return value is None
        case _:
            name = read_dotted_name(annotation).rpartition(".")[2]
            return len(name) >= _SHORTEST_CLASS and name[0].isupper() and name not in _OPEN_TYPES


def _parse_annotation(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
