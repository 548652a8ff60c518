"""Whether a class, or its instances, have an attribute: bound for sure, nowhere, or unknown."""

import ast
from collections.abc import Iterable
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
from shared.proof.claims.attributes.class_hierarchy import Hierarchy, ResolvedClass
from shared.proof.claims.attributes.dataclass_fields import is_pseudo_field, may_leave_class
from shared.proof.claims.attributes.dynamic_attributes import find_dynamic_change
from shared.proof.claims.attributes.instance_attributes import is_set_by_construction, may_be_slot
from shared.proof.claims.attributes.source_file import SourceFile, mangle_name

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
