"""Whether every new instance of a class has an attribute before anything can ask for it.

That is so where the `__init__` that runs sets it on every path, itself or through `super().__init__(…)`, and does
nothing with `self` before that could read it: no call of a method, no `self` that is handed on.
"""

import ast
from collections.abc import Iterator, Sequence

from shared.proof.claims.attributes.bound_names import (
    BodyReader,
    list_class_names,
    list_possible_names,
    walk_always_run,
)
from shared.proof.claims.attributes.class_hierarchy import (
    Hierarchy,
    ResolvedClass,
    generates_init,
    has_option,
    is_field_set,
)
from shared.proof.claims.attributes.source_file import mangle_name
from shared.proof.claims.source.python_source import walk_nodes

_BYPASSES = frozenset(("__new__", "__setattr__", "__delattr__", "__init_subclass__", "__class_getitem__"))
_REFLECTION = frozenset(("locals", "vars", "eval", "exec", "setattr", "getattr"))
_Method = ast.FunctionDef


def is_set_by_construction(hierarchy: Hierarchy, attribute: str) -> bool:
    """False where it is not, and where that is unknown."""
    if hierarchy.outside or hierarchy.is_enum or any(resolved.kind == "named_tuple" for resolved in hierarchy.classes):
        return False
    if any(_BYPASSES & list_class_names(resolved.node) for resolved in hierarchy.classes):
        return False
    if not _fits_slots(hierarchy, attribute):
        return False
    return _Construction(hierarchy, attribute).sets_from(0)


def _fits_slots(hierarchy: Hierarchy, attribute: str) -> bool:
    """Whether setting the attribute is allowed: no class has slots, or one of them names it."""
    if not any(has_slots(resolved) for resolved in hierarchy.classes):
        return True
    return any(attribute in list_slots(resolved) for resolved in hierarchy.classes)


def has_slots(resolved: ResolvedClass) -> bool:
    """Whether a class has slots, written or made by `@dataclass(slots=True)`."""
    is_made = resolved.kind == "dataclass" and has_option(resolved, "slots", default=False)
    return is_made or "__slots__" in list_class_names(resolved.node)


def list_slots(resolved: ResolvedClass) -> frozenset[str]:
    """The slots that are spelled out, and the fields of a dataclass that makes slots of them."""
    names: set[str] = set()
    is_made = resolved.kind == "dataclass" and has_option(resolved, "slots", default=False)
    for part in resolved.node.body:
        match part:
            case ast.Assign(targets=[ast.Name(id="__slots__")], value=value):
                constants = [value] if isinstance(value, ast.Constant) else list(getattr(value, "elts", ()))
                names |= {
                    mangle_name(str(text.value), resolved.node) for text in constants if isinstance(text, ast.Constant)
                }
            case ast.AnnAssign(target=ast.Name(id=name)) if is_made:
                names.add(name)
    return frozenset(names)


def may_be_slot(resolved: ResolvedClass, attribute: str) -> bool:
    """Whether a class has, or may have, a slot of the name: it hides what the bases bind to it, and may be empty."""
    if not has_slots(resolved):
        return False
    return attribute in list_slots(resolved) or not all(_spells_slots(part) for part in resolved.node.body)


def _spells_slots(part: ast.stmt) -> bool:
    """Whether a statement of a class body binds no slots but by strings that are spelled out."""
    if "__slots__" not in list_possible_names([part]):
        return True
    value = part.value if isinstance(part, ast.Assign) else None
    elements = [value] if isinstance(value, ast.Constant) else getattr(value, "elts", None)
    return elements is not None and all(isinstance(element, ast.Constant) for element in elements)


class _Construction:
    """The chain of `__init__` methods that a new instance runs through."""

    def __init__(self, hierarchy: Hierarchy, attribute: str) -> None:
        self._hierarchy = hierarchy
        self._attribute = attribute
        self._active_names = frozenset(
            name for resolved in hierarchy.classes for name in _list_active_names(resolved.node)
        )

    def sets_from(self, first: int) -> bool:
        """Whether the `__init__` that is looked up from this class of the order on sets the attribute in time."""
        for index, resolved in enumerate(self._hierarchy.classes[first:], first):
            methods = _find_methods(resolved.node, "__init__")
            if methods is None:
                return False
            if methods:
                return self._sets_in(resolved, index, methods[0])
            generated = generates_init(resolved)
            if generated is None:
                return False
            if generated:
                return is_field_set(self._hierarchy, index, self._attribute)
        return False

    def _sets_in(self, resolved: ResolvedClass, index: int, method: _Method) -> bool:
        this = _get_first_argument(method)
        if not this:
            return False

        def read_bindings(node: ast.AST) -> Iterator[str]:
            for part in walk_always_run(node):
                if isinstance(part, ast.Attribute) and _is_own_attribute(part, this):
                    is_stored = isinstance(part.ctx, ast.Store) and not _is_bare(node)
                    yield from (mangle_name(part.attr, resolved.node),) if is_stored else ()
                if isinstance(part, ast.Call) and _is_super_init(part) and self.sets_from(index + 1):
                    yield self._attribute

        if not _may_set(method, this, self._attribute, resolved.node):
            return False
        for count in range(1, len(method.body) + 1):
            body = method.body[:count]
            if self._attribute in BodyReader(read_bindings, _read_nothing).read(body):
                return self._is_safe(resolved, index, body, this)
        return False

    def _is_safe(self, resolved: ResolvedClass, index: int, body: Sequence[ast.stmt], this: str) -> bool:
        """Whether nothing in these statements can read the attribute, or change what `self` is."""
        nodes = [node for statement in body for node in walk_nodes(statement)]
        called = {node.func for node in nodes if isinstance(node, ast.Call)}
        allowed: set[ast.AST] = set()
        for node in nodes:
            if isinstance(node, ast.Call) and _is_super_init(node):
                if not (self._is_harmless(index + 1) or self.sets_from(index + 1)):
                    return False
                allowed.update(walk_nodes(node.func))
            elif isinstance(node, ast.Attribute) and _is_own_attribute(node, this) and node not in called:
                allowed |= {node.value} if self._is_plain_access(resolved, node) else set()
        names = [node for node in nodes if isinstance(node, ast.Name)]
        return all(name in allowed for name in names if name.id in {this, "super", "__class__"}) and not any(
            name.id in _REFLECTION for name in names
        )

    def _is_plain_access(self, resolved: ResolvedClass, node: ast.Attribute) -> bool:
        """Whether an access to an attribute of `self` runs no code: the classes bind nothing to it but plain values."""
        if isinstance(node.ctx, ast.Store):
            return node.attr not in self._active_names
        is_other = mangle_name(node.attr, resolved.node) != self._attribute
        return isinstance(node.ctx, ast.Load) and is_other and node.attr not in self._active_names

    def _is_harmless(self, first: int) -> bool:
        """Whether the `__init__` from this class on does nothing that could read the attribute."""
        for index, resolved in enumerate(self._hierarchy.classes[first:], first):
            methods = _find_methods(resolved.node, "__init__")
            if methods is None:
                return False
            if methods:
                this = _get_first_argument(methods[0])
                return bool(this) and self._is_safe(resolved, index, methods[0].body, this)
            if generates_init(resolved) is not False:
                return not any("__post_init__" in list_class_names(other.node) for other in self._hierarchy.classes)
        return True


def _find_methods(node: ast.ClassDef, name: str) -> list[_Method] | None:
    """The one plain definition of a method, [] where there is none; None where it is something else."""
    if name not in list_class_names(node):
        return []
    methods = [part for part in node.body if isinstance(part, ast.FunctionDef) and part.name == name]
    is_plain = len(methods) == 1 and not methods[0].decorator_list
    others = [part for part in node.body if not isinstance(part, ast.FunctionDef)]
    return methods if is_plain and name not in list_possible_names(others) else None


def _may_set(method: _Method, this: str, attribute: str, owner: ast.ClassDef) -> bool:
    """Whether any statement of an `__init__` sets the attribute, or hands on to the next `__init__`."""
    for part in walk_nodes(method):
        if isinstance(part, ast.Call) and _is_super_init(part):
            return True
        if not isinstance(part, ast.Attribute) or not isinstance(part.ctx, ast.Store):
            continue
        if _is_own_attribute(part, this) and mangle_name(part.attr, owner) == attribute:
            return True
    return False


def _get_first_argument(method: _Method) -> str:
    arguments = [*method.args.posonlyargs, *method.args.args]
    return arguments[0].arg if arguments else ""


def _list_active_names(node: ast.ClassDef) -> frozenset[str]:
    """The names of a class body but for those that are bound to plain values alone: reading these runs no code."""
    active: list[ast.stmt] = []
    for part in node.body:
        match part:
            case ast.Assign(targets=[ast.Name()], value=value) if _is_plain_value(value):
                pass
            case ast.AnnAssign(target=ast.Name(), value=value) if value is None or _is_plain_value(value):
                pass
            case _:
                active.append(part)
    return list_possible_names(active)


def _is_plain_value(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant | ast.List | ast.Tuple | ast.Dict | ast.Set | ast.JoinedStr)


def _is_own_attribute(node: ast.Attribute, this: str) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == this


def _is_bare(node: ast.AST) -> bool:
    """`self.x: int` without a value."""
    return isinstance(node, ast.AnnAssign) and node.value is None


def _is_super_init(node: ast.Call) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="super"), args=[]), attr="__init__")):
            return True
    return False


def _read_nothing(node: ast.AST) -> Iterator[str]:
    del node
    return iter(())
