"""Whether a class, or its instances, have an attribute: bound for sure, nowhere, or unknown.

Sources may set or remove an attribute in other ways than by the class's own body: `find_dynamic_change` looks for them.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from shared.proof.claims.attributes.bound_names import (
    BodyReader,
    list_class_names,
    list_possible_names,
    read_scope_bindings,
    read_scope_deletions,
)
from shared.proof.claims.attributes.class_hierarchy import Hierarchy, ResolvedClass, is_pseudo_field, may_leave_class
from shared.proof.claims.attributes.instance_attributes import is_set_by_construction, may_be_slot
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


_HOOKS = ("__getattr__", "__getattribute__")


class Presence(StrEnum):
    """What is known of an attribute."""

    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answer:
    """`reason`: a sentence without a full stop."""

    presence: Presence
    reason: str


def find_attribute(hierarchy: Hierarchy, attribute: str, sources: Iterable[SourceFile], *, on_type: bool) -> Answer:
    """`sources`: all whose code may set the attribute from outside; `on_type`: the class itself is asked."""
    name = hierarchy.classes[0].node.name if hierarchy.classes else "the class"
    if hierarchy.obstacle:
        return Answer(Presence.UNKNOWN, hierarchy.obstacle)
    if any(_binds(resolved, "__getattribute__") for resolved in hierarchy.classes):
        return Answer(Presence.UNKNOWN, f"{name} has a __getattribute__ of its own")
    every_source = list({id(source): source for source in (*_list_sources(hierarchy), *sources)}.values())
    change = find_dynamic_change(hierarchy, attribute, every_source)
    if not change.is_deleted:
        answer = _find_bound(hierarchy, attribute, on_type=on_type)
        if answer is not None:
            return answer
    return _find_doubt(hierarchy, attribute, change.reason, on_type=on_type) or Answer(
        Presence.ABSENT, f"neither {name} nor a base of it binds {attribute}"
    )


def _list_sources(hierarchy: Hierarchy) -> Iterable[SourceFile]:
    return (resolved.source for resolved in hierarchy.classes)


def _find_bound(hierarchy: Hierarchy, attribute: str, *, on_type: bool) -> Answer | None:
    """Where the attribute is bound for sure."""
    for resolved in hierarchy.classes:
        if _is_bound_in_body(hierarchy, resolved, attribute, on_type=on_type):
            return Answer(Presence.PRESENT, f"{resolved.node.name} binds {attribute} in {resolved.source.path}")
        if _binds_value(resolved, attribute) and not _is_field(resolved, attribute):
            return None  # what is bound there on some paths, or by a decorator, comes first
        if may_be_slot(resolved, attribute):
            break
    if not on_type and is_set_by_construction(hierarchy, attribute):
        return Answer(Presence.PRESENT, f"every new {hierarchy.classes[0].node.name} is given {attribute}")
    return None


def _is_bound_in_body(hierarchy: Hierarchy, resolved: ResolvedClass, attribute: str, *, on_type: bool) -> bool:
    node = resolved.node
    if resolved.kind == "named_tuple" and attribute in _list_annotated(node):
        return True
    if hierarchy.pydantic and not on_type and _is_model_field(resolved, attribute):
        return not any(_binds(other, "__init__") for other in hierarchy.classes)
    functions = [part for part in node.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)]
    if hierarchy.outside:
        return any(mangle_name(part.name, node) == attribute and not part.decorator_list for part in functions) and (
            attribute in _read_definite(node)
        )
    if hierarchy.is_enum and not any(part.name == attribute for part in functions):
        return (
            on_type
            and resolved.kind == "enum"
            and attribute in _read_definite(node)
            and "_ignore_" not in list_class_names(node)
        )
    if resolved.kind == "dataclass" and may_leave_class(resolved, attribute):
        return False
    return attribute in _read_definite(node)


@lru_cache(maxsize=256)
def _read_definite(node: ast.ClassDef) -> frozenset[str]:
    bound = BodyReader(read_scope_bindings, read_scope_deletions).read(node.body)
    return frozenset(mangle_name(name, node) for name in bound)


def _list_annotated(node: ast.ClassDef) -> set[str]:
    fields = (part.target for part in node.body if isinstance(part, ast.AnnAssign))
    return {target.id for target in fields if isinstance(target, ast.Name)}


def _is_model_field(resolved: ResolvedClass, attribute: str) -> bool:
    for part in resolved.node.body:
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name) and part.target.id == attribute:
            return not attribute.startswith("_") and not is_pseudo_field(part.annotation)
    return False


def _binds(resolved: ResolvedClass, name: str) -> bool:
    """Whether a class body may bind a name."""
    node = resolved.node
    return name in {mangle_name(bound, node) for bound in list_class_names(node)}


def _find_doubt(hierarchy: Hierarchy, attribute: str, dynamic: str, *, on_type: bool) -> Answer | None:
    """Why the attribute may be there all the same."""
    reasons = [dynamic, hierarchy.outside, _name_given(hierarchy, attribute, on_type=on_type)]
    reasons += [_find_doubt_in(resolved, attribute) for resolved in hierarchy.classes]
    reason = next(filter(None, reasons), "")
    return Answer(Presence.UNKNOWN, reason) if reason else None


def _find_doubt_in(resolved: ResolvedClass, attribute: str) -> str:
    name = resolved.node.name
    if any(_binds(resolved, hook) for hook in _HOOKS):
        return f"{name} has a __getattr__"
    if _binds_value(resolved, attribute):
        return f"{name} binds {attribute} on some paths, or in a way that is not followed"
    if resolved.kind in {"dataclass", "named_tuple"} and attribute in _list_annotated(resolved.node):
        return f"{attribute} is a field of {name} that may not be set"
    if may_be_slot(resolved, attribute):
        return f"{attribute} may be a slot of {name}"
    if any(isinstance(part, ast.Global | ast.Nonlocal) for part in resolved.node.body):
        return f"the body of {name} changes what is around it"
    return ""


def _name_given(hierarchy: Hierarchy, attribute: str, *, on_type: bool) -> str:
    """Whether the attribute is one that Python gives to some kind of class."""
    given = f"{attribute} is among the names that Python itself gives"
    if attribute in hierarchy.list_built_in_names() or (on_type and attribute in dir(type)):
        return given
    if attribute.startswith("__") and attribute.endswith("__"):
        return given
    if hierarchy.is_enum and (attribute in {"name", "value"} or attribute.startswith("_")):
        return given
    is_tuple = any(resolved.kind == "named_tuple" for resolved in hierarchy.classes)
    return given if is_tuple and attribute.startswith("_") else ""


def _binds_value(resolved: ResolvedClass, attribute: str) -> bool:
    """As `_binds`, without `x: int`, which alone binds nothing in a plain class."""
    return attribute in _list_values(resolved.node)


@lru_cache(maxsize=256)
def _list_values(node: ast.ClassDef) -> frozenset[str]:
    body = [part for part in node.body if not (isinstance(part, ast.AnnAssign) and part.value is None)]
    return frozenset(mangle_name(name, node) for name in list_possible_names(body))


def _is_field(resolved: ResolvedClass, attribute: str) -> bool:
    return resolved.kind == "dataclass" and attribute in _list_annotated(resolved.node)
