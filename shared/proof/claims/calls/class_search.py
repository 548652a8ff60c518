"""Classes of the service: their bases in the order in which Python asks them, and what an attribute of them is."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

from shared.proof.claims.calls.code_values import (
    ClassValue,
    FunctionValue,
    InstanceValue,
    OutsideValue,
    SourceFile,
    SuperValue,
    UnknownValue,
    Value,
)
from shared.proof.claims.source.python_source import FunctionNode, read_dotted_name, read_words, walk_nodes, walk_scope
from shared.proof.claims.source.scope_bindings import ScopeNode

_PLAIN_BASES = read_words(
    """
    builtins.object abc.ABC typing.Generic typing.Protocol typing_extensions.Protocol builtins.Exception
    builtins.BaseException builtins.ValueError builtins.RuntimeError builtins.TypeError builtins.KeyError
    builtins.LookupError builtins.AttributeError builtins.NotImplementedError builtins.PermissionError
    """
)
_DATACLASS = frozenset(("dataclasses.dataclass",))
_PLAIN_DECORATORS = _DATACLASS | {"typing.final", "functools.total_ordering", "typing.runtime_checkable"}
_MAX_CLASSES = 60


class ValueFinder(Protocol):
    """Says what an expression is."""

    def find(self, node: ast.expr, file: SourceFile, scopes: tuple[ScopeNode, ...]) -> Value:
        """What an expression in these scopes is of a file."""


@dataclass(frozen=True, slots=True)
class Ancestry:
    """A class and those behind it, in the order in which Python asks them."""

    classes: tuple[ClassValue, ...]
    outside: str
    """The first base that is not of the repository and not known to be plain; it is asked after `classes`."""
    has_exception: bool = False


class ClassSearch:
    """Looks attributes of classes up."""

    def __init__(self, values: ValueFinder) -> None:
        self._values = values

    def find_attribute(self, owner: ClassValue | InstanceValue | SuperValue, name: str) -> Value:
        """What an attribute of a class, an instance or `super()` is."""
        if isinstance(owner, InstanceValue):
            own = self._find_instance_attribute(owner, name)
            if own is not None:
                return own
        start = owner if isinstance(owner, ClassValue) else owner.type
        ancestry = self.list_ancestry(start)
        if isinstance(ancestry, UnknownValue):
            return ancestry
        classes = ancestry.classes[1:] if isinstance(owner, SuperValue) else ancestry.classes
        for position, candidate in enumerate(classes):
            function = self.find_own(candidate, name)
            if function is not None:
                is_exact = owner.is_exact if not isinstance(owner, SuperValue) else False
                return _find_reachable(function, owner, is_exact=is_exact and (position == 0 or not ancestry.outside))
        return UnknownValue(f"{start.node.name} has no {name} that is followed")

    def find_own(self, owner: ClassValue, name: str) -> Value | None:
        """What the body of one class binds a name to; None where it does not."""
        bindings = [node for node in walk_scope(owner.node.body) if _binds(node, name)]
        if not bindings:
            return None
        last = bindings[-1]
        others = [node for node in bindings[:-1] if not _is_overload(node)]
        if not isinstance(last, FunctionNode) or others or last not in owner.node.body:
            return UnknownValue(f"{owner.node.name} binds {name} in a way that is not followed")
        return FunctionValue(owner.file, last)

    def list_ancestry(self, start: ClassValue) -> Ancestry | UnknownValue:
        """A class and its bases; several bases are merged as Python does (C3), where all are known."""
        merged = self._merge(start, 0)
        if merged is None:
            return UnknownValue(f"the bases of {start.node.name} are not known")
        own = tuple(value for value in merged if isinstance(value, ClassValue))
        names = [value.name for value in merged if isinstance(value, OutsideValue)]
        outside = next((name for name in names if name not in _PLAIN_BASES), "")
        first = next((i for i, value in enumerate(merged) if value == OutsideValue(outside)), len(merged))
        before = tuple(value for value in merged[:first] if isinstance(value, ClassValue))
        has_exception = any(name.endswith(("Exception", "Error")) for name in names)
        return Ancestry(before if outside else own, outside, has_exception)

    def _merge(self, start: ClassValue, depth: int) -> list[Value] | None:
        if depth > _MAX_CLASSES or any(keyword.arg != "metaclass" for keyword in start.node.keywords):
            return None
        if not self._has_plain_metaclass(start):
            return None
        lines: list[list[Value]] = []
        bases: list[Value] = []
        for base in start.node.bases:
            value = self._find_base(base, start)
            if isinstance(value, ClassValue):
                line = self._merge(value, depth + 1)
                if line is None:
                    return None
            elif isinstance(value, OutsideValue):
                line = [value]
            else:
                return None
            lines.append(line)
            bases.append(value)
        rest = _merge_lines([*lines, bases])
        return None if rest is None else [start, *rest]

    def _find_base(self, base: ast.expr, start: ClassValue) -> Value:
        node = base.value if isinstance(base, ast.Subscript) else base
        scopes = start.file.scopes[start.node]
        value = self._values.find(node, start.file, scopes)
        return replace(value, is_exact=True) if isinstance(value, ClassValue) else value

    def _has_plain_metaclass(self, owner: ClassValue) -> bool:
        scopes = owner.file.scopes[owner.node]
        return all(
            self._values.find(keyword.value, owner.file, scopes) == OutsideValue("abc.ABCMeta")
            for keyword in owner.node.keywords
        )

    def makes_instances(self, owner: ClassValue) -> bool:
        """Whether calling a class surely gives an instance of it."""
        ancestry = self.list_ancestry(owner)
        if isinstance(ancestry, UnknownValue) or not self.has_plain_decorators(owner):
            return False
        return all(self.find_own(candidate, "__new__") is None for candidate in ancestry.classes)

    def has_plain_decorators(self, owner: ClassValue) -> bool:
        """Whether the decorators of a class leave the class what it is."""
        return all(name in _PLAIN_DECORATORS for name in self.list_decorators(owner))

    def find_dataclass_call(self, owner: ClassValue) -> ast.expr | None:
        """The `@dataclass` of a class, as written."""
        for decorator, name in zip(owner.node.decorator_list, self.list_decorators(owner), strict=True):
            if name in _DATACLASS:
                return decorator
        return None

    def list_decorators(self, owner: ClassValue) -> list[str]:
        """The dotted names of a class's decorators; "" for one of the repository."""
        scopes = owner.file.scopes[owner.node]
        names = []
        for decorator in owner.node.decorator_list:
            target = decorator.func if isinstance(decorator, ast.Call) else decorator
            value = self._values.find(target, owner.file, scopes)
            names.append(value.name if isinstance(value, OutsideValue) else "")
        return names

    def _find_instance_attribute(self, owner: InstanceValue, name: str) -> Value | None:
        """What the methods of a class assign to `self.name`; None where none does."""
        ancestry = self.list_ancestry(owner.type)
        if isinstance(ancestry, UnknownValue):
            return ancestry
        assigned = [
            (candidate, node)
            for candidate in ancestry.classes
            for node in _map_self_assignments(candidate.node).get(name, ())
        ]
        if not assigned:
            return None
        if len(assigned) > 1:
            return UnknownValue(f"{owner.type.node.name}.{name} is assigned more than once")
        candidate, statement = assigned[0]
        value = statement.value
        if value is None:
            return UnknownValue(f"{owner.type.node.name}.{name} is assigned in a way that is not followed")
        target = self._values.find(value, candidate.file, candidate.file.scopes[statement])
        if isinstance(target, InstanceValue):
            return replace(target, is_exact=False)
        return UnknownValue(f"{owner.type.node.name}.{name} is not known")


def _merge_lines(lines: list[list[Value]]) -> list[Value] | None:
    """C3: the first head that is in no other line's rest."""
    merged: list[Value] = []
    lines = [list(line) for line in lines if line]
    while lines:
        head = next((line[0] for line in lines if not any(_holds(other[1:], line[0]) for other in lines)), None)
        if head is None or len(merged) > _MAX_CLASSES:
            return None
        merged.append(head)
        lines = [rest for line in lines if (rest := line[1:] if _is_same(line[0], head) else line)]
    return merged


def _holds(values: list[Value], wanted: Value) -> bool:
    return any(_is_same(value, wanted) for value in values)


def _is_same(first: Value, second: Value) -> bool:
    if isinstance(first, ClassValue) and isinstance(second, ClassValue):
        return first.node is second.node
    return first == second and isinstance(first, OutsideValue)


def _find_reachable(function: Value, owner: ClassValue | InstanceValue | SuperValue, *, is_exact: bool) -> Value:
    """A function as reached through a class, an instance or `super()`."""
    if not isinstance(function, FunctionValue):
        return function
    decorators = {read_dotted_name(decorator) for decorator in function.node.decorator_list}
    is_static = "staticmethod" in decorators or function.node.name == "__new__"
    is_class_method = "classmethod" in decorators or function.node.name in {"__init_subclass__", "__class_getitem__"}
    through_instance = isinstance(owner, InstanceValue) or (isinstance(owner, SuperValue) and not owner.is_class_method)
    bound = 0 if is_static else int(is_class_method or through_instance)
    return replace(function, bound=bound, is_exact=is_exact)


def _binds(node: ast.AST, name: str) -> bool:
    match node:
        case ast.FunctionDef(name=own) | ast.AsyncFunctionDef(name=own) | ast.ClassDef(name=own):
            return own == name
        case ast.Name(id=own, ctx=ast.Store() | ast.Del()):
            return own == name
        case ast.Import() | ast.ImportFrom():
            return any((alias.asname or alias.name) == name for alias in node.names)
    return False


def _is_overload(node: ast.AST) -> bool:
    return isinstance(node, FunctionNode) and any(
        read_dotted_name(decorator).rpartition(".")[2] == "overload" for decorator in node.decorator_list
    )


@lru_cache(maxsize=128)
def _map_self_assignments(node: ast.ClassDef) -> Mapping[str, Sequence[ast.Assign | ast.AnnAssign]]:
    """By the name of the attribute: the statements in a class that assign to one of any object."""
    assignments: dict[str, list[ast.Assign | ast.AnnAssign]] = {}
    for part in walk_nodes(node):
        if isinstance(part, ast.Assign | ast.AnnAssign):
            targets = part.targets if isinstance(part, ast.Assign) else [part.target]
            for name in {target.attr for target in targets if isinstance(target, ast.Attribute)}:
                assignments.setdefault(name, []).append(part)
    return assignments
