"""Whether sources set or remove an attribute of a class or its objects in other ways than by their class's own body."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from shared.proof.claims.attributes.class_hierarchy import Hierarchy
from shared.proof.claims.attributes.source_file import SourceFile, mangle_name

_SETTERS = frozenset(("setattr", "__setattr__"))
_REMOVERS = frozenset(("delattr", "__delattr__"))


@dataclass(frozen=True, slots=True)
class DynamicChange:
    """`reason`: what may set the attribute, "" for nothing. `is_deleted`: something may remove it."""

    reason: str = ""
    is_deleted: bool = False


def find_dynamic_change(hierarchy: Hierarchy, attribute: str, sources: Iterable[SourceFile]) -> DynamicChange:
    """What the sources may do to the attribute. Objects of unrelated classes, known by `self`, do not count."""
    reason, is_deleted = "", False
    for source in sources:
        for node in source.changing_nodes:
            effect = _read_effect(source, node, attribute)
            if effect and not _is_of_another_class(source, node, hierarchy):
                line = getattr(node, "lineno", 0)
                reason = reason or f"{source.path}, line {line}, may set {attribute}"
                is_deleted |= effect == "remove"
    return DynamicChange(reason, is_deleted)


def _read_effect(source: SourceFile, node: ast.AST, attribute: str) -> str:
    """ "set", "remove", or "" for none."""
    match node:
        case ast.Attribute(ctx=ast.Store() | ast.Del()) if mangle_name(node.attr, source.get_class(node)) == attribute:
            around = source.parents.get(node)
            is_bare = isinstance(around, ast.AnnAssign) and around.value is None
            return "remove" if isinstance(node.ctx, ast.Del) else "" if is_bare else "set"
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _SETTERS | _REMOVERS:
            effect = "set" if name in _SETTERS else "remove"
            return "" if _is_of_another_name(node, attribute) else effect
        case ast.Name(id=name, ctx=ast.Load()) if name in _SETTERS | _REMOVERS:
            around = source.parents.get(node)
            return "" if isinstance(around, ast.Call) and around.func is node else "remove"
        case ast.Attribute(value=ast.Name(), attr="__new__"):
            return "remove"
    return "set" if _reaches_namespace(node) and not _lists_locals(source, node) else ""


def _reaches_namespace(node: ast.AST) -> bool:
    """Whether code that is not spelled out may change any attribute."""
    match node:
        case ast.Attribute(attr="__dict__" | "__class__"):
            return True
        case ast.Name(id="vars" | "locals" | "exec" | "eval", ctx=ast.Load()):
            return True
    return False


def _lists_locals(source: SourceFile, node: ast.AST) -> bool:
    """Whether a function lists its local variables: to change that list changes no attribute of an object."""
    if not isinstance(node, ast.Name) or node.id not in {"locals", "vars"} or source.get_function(node) is None:
        return False
    call = source.parents.get(node)
    return isinstance(call, ast.Call) and call.func is node and not call.args and not call.keywords


def _is_of_another_name(call: ast.Call, attribute: str) -> bool:
    """Whether a constant name is set or removed that is not the attribute."""
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    position = -2 if name in _SETTERS else -1
    if call.keywords or len(call.args) < -position or any(isinstance(part, ast.Starred) for part in call.args):
        return False
    given = call.args[position]
    return isinstance(given, ast.Constant) and given.value != attribute


def _is_of_another_class(source: SourceFile, node: ast.AST, hierarchy: Hierarchy) -> bool:
    """Whether what is changed is the `self` of a class from which the hierarchy does not derive."""
    this = next((part for part in _list_targets(node) if isinstance(part, ast.Name)), None)
    function = source.get_function(node)
    owner = source.parents.get(function) if function is not None else None
    if this is None or not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    if not isinstance(owner, ast.ClassDef) or hierarchy.contains(owner) or function.name == "__init_subclass__":
        return False
    arguments = [*function.args.posonlyargs, *function.args.args][:1]
    decorated = any(isinstance(part, ast.Name) and part.id == "staticmethod" for part in function.decorator_list)
    return not decorated and bool(arguments) and arguments[0].arg == this.id


def _list_targets(node: ast.AST) -> Iterator[ast.expr]:
    match node:
        case ast.Attribute(value=value):
            yield value
        case ast.Call(args=[first, *_]):
            yield first
