"""The fields of a dataclass as its source declares them: which its `__init__` sets, and which leave the class."""

import ast

from shared.proof.claims.attributes.class_hierarchy import Hierarchy, ResolvedClass

_PSEUDO = ("ClassVar", "InitVar", "KW_ONLY", "PrivateAttr")


def is_pseudo_field(annotation: ast.expr) -> bool:
    """Whether an annotation makes no field, in whatever way it is spelled."""
    text = ast.unparse(annotation)
    return any(word in text for word in _PSEUDO)


def sets_field(resolved: ResolvedClass, attribute: str) -> bool | None:
    """Whether the generated `__init__` sets the field; None where this class declares no such field."""
    declared = _find_declaration(resolved, attribute)
    if declared is None:
        return None
    if is_pseudo_field(declared.annotation):
        return False
    if not isinstance(declared.value, ast.Call):
        return True
    function = ast.unparse(declared.value.func).rpartition(".")[2]
    return function == "field" and not any(keyword.arg in {"init", None} for keyword in declared.value.keywords)


def may_leave_class(resolved: ResolvedClass, attribute: str) -> bool:
    """Whether the class attribute of a field may be taken away: `field(…)` without a default, or with slots."""
    declared = _find_declaration(resolved, attribute)
    if declared is None:
        return False
    return (
        declared.value is None or isinstance(declared.value, ast.Call) or has_option(resolved, "slots", default=False)
    )


def generates_init(resolved: ResolvedClass) -> bool | None:
    """Whether the decorator writes the `__init__`; None where its arguments do not say."""
    if resolved.kind != "dataclass":
        return False
    if isinstance(resolved.decorator, ast.Call) and any(keyword.arg is None for keyword in resolved.decorator.keywords):
        return None
    return has_option(resolved, "init", default=True)


def has_option(resolved: ResolvedClass, option: str, *, default: bool) -> bool:
    """A keyword of the decorator; what is no constant counts as true."""
    if isinstance(resolved.decorator, ast.Call):
        for keyword in resolved.decorator.keywords:
            if keyword.arg == option:
                return not isinstance(keyword.value, ast.Constant) or bool(keyword.value.value)
    return default


def is_field_set(hierarchy: Hierarchy, first: int, attribute: str) -> bool:
    """Whether the `__init__` that is generated for a class of the order sets an attribute."""
    own = sets_field(hierarchy.classes[first], attribute)
    if own is not None or any(len(resolved.node.bases) > 1 for resolved in hierarchy.classes[first:]):
        return bool(own)  # with several bases, what follows in the order need not be a base of this class
    for resolved in hierarchy.classes[first + 1 :]:
        is_set = sets_field(resolved, attribute) if resolved.kind == "dataclass" else None
        if is_set is not None:
            return is_set
    return False


def _find_declaration(resolved: ResolvedClass, attribute: str) -> ast.AnnAssign | None:
    declared = [
        part
        for part in resolved.node.body
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name) and part.target.id == attribute
    ]
    return declared[-1] if declared else None
