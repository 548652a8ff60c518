"""Finds the signatures to which the arguments of a call have to bind, or the reason why they are unknown.

Decorators count: those that hand all arguments on leave a signature as it is, any other makes it unknown. A class is
called through `__new__` and `__init__`, written or generated (`dataclass`, `NamedTuple`).
"""

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.proof.claims.calls.argument_forwarding import forwards_arguments
from shared.proof.claims.calls.call_signature import Signature, read_signature
from shared.proof.claims.calls.class_search import Ancestry
from shared.proof.claims.calls.code_values import (
    ClassValue,
    FunctionValue,
    InstanceValue,
    OutsideValue,
    PartialValue,
    UnknownValue,
    Value,
)
from shared.proof.claims.calls.generated_constructors import build_dataclass_signature, build_named_tuple_signature
from shared.proof.claims.calls.value_search import ValueSearch
from shared.proof.claims.source.python_source import read_words

_TRANSPARENT = read_words(
    """
    functools.lru_cache functools.cache contextlib.contextmanager contextlib.asynccontextmanager abc.abstractmethod
    typing.final typing.override typing_extensions.override typing.no_type_check typing.overload
    builtins.staticmethod builtins.classmethod
    """
)


@dataclass(frozen=True, slots=True)
class Callee:
    """What a call has to bind to."""

    signatures: Sequence[Signature]
    """All of them, in the order in which Python binds to them."""
    is_exact: bool = True
    """False where a subclass may have put another function in its place."""
    takes_nothing: str = ""
    """The class, where it is a class without a constructor: it takes no arguments."""
    positional: int = 0
    keywords: Sequence[str] = ()
    """What a partial function adds to the call."""


class SignatureSearch:
    """Finds what a call binds to."""

    def __init__(self, values: ValueSearch) -> None:
        self._values = values

    def find(self, called: Value, owner: str) -> Callee | UnknownValue:
        """What a call of a value binds to. `owner`: the function that the log names; what it names was reached."""
        if isinstance(called, FunctionValue):
            return self._find_function(called)
        if isinstance(called, ClassValue):
            return self._find_constructor(called, owner)
        if isinstance(called, InstanceValue):
            method = self._values.find_attribute(called, "__call__")
            return self._find_function(method) if isinstance(method, FunctionValue) else _build_unknown(method)
        if isinstance(called, PartialValue):
            callee = self.find(called.function, owner)
            if isinstance(callee, UnknownValue):
                return callee
            return replace(callee, positional=called.positional, keywords=called.keywords)
        return _build_unknown(called)

    def _find_function(self, function: FunctionValue) -> Callee | UnknownValue:
        scopes = function.file.scopes[function.node]
        for decorator in function.node.decorator_list:
            target = decorator.func if isinstance(decorator, ast.Call) else decorator
            value = self._values.find(target, function.file, scopes)
            is_known = isinstance(value, OutsideValue) and value.name in _TRANSPARENT
            forwards = isinstance(value, FunctionValue) and forwards_arguments(
                value.node, is_factory=isinstance(decorator, ast.Call)
            )
            if not is_known and not forwards:
                return UnknownValue(f"the decorator in line {decorator.lineno} of {function.file.path} may change it")
        signature = read_signature(function.node, function.file.get_qualname(function.node)).bind(function.bound)
        return Callee((signature,), function.is_exact)

    def _find_constructor(self, owner: ClassValue, claimed: str) -> Callee | UnknownValue:
        ancestry = self._values.classes.list_ancestry(owner)
        if isinstance(ancestry, UnknownValue):
            return ancestry
        if ancestry.outside == "typing.NamedTuple":
            signature = build_named_tuple_signature(owner)
            return Callee((signature,)) if signature and len(ancestry.classes) == 1 else _build_unknown(None)
        if not self._values.classes.has_plain_decorators(owner):
            return UnknownValue(f"a decorator may change how {owner.node.name} is made")
        constructors = [self._find_own_constructor(ancestry, name) for name in ("__new__", "__init__")]
        unknown = next((value for value in constructors if isinstance(value, UnknownValue)), None)
        signatures = [value for value in constructors if isinstance(value, Signature)]
        if ancestry.outside and claimed not in {signature.qualname for signature in signatures}:
            unknown = UnknownValue(f"{owner.node.name} has the base {ancestry.outside}, which is not of the repository")
        if ancestry.has_exception and not signatures:
            unknown = UnknownValue(f"{owner.node.name} is an exception without a constructor of its own")
        return unknown or Callee(signatures, owner.is_exact, takes_nothing="" if signatures else owner.node.name)

    def _find_own_constructor(self, ancestry: Ancestry, name: str) -> Signature | UnknownValue | None:
        """The first `__new__` or `__init__` among the classes of the repository."""
        classes = self._values.classes
        for position, candidate in enumerate(ancestry.classes):
            function = classes.find_own(candidate, name)
            if isinstance(function, FunctionValue):
                callee = self._find_function(replace(function, bound=1))
                return callee if isinstance(callee, UnknownValue) else callee.signatures[0]
            if function is not None:
                return _build_unknown(function)
            if name == "__init__" and classes.find_dataclass_call(candidate) is not None:
                lineage = Ancestry(ancestry.classes[position:], ancestry.outside)
                generated = build_dataclass_signature(lineage, classes)
                if generated is not None:
                    return generated
        return None


def _build_unknown(value: object) -> UnknownValue:
    return value if isinstance(value, UnknownValue) else UnknownValue("what is called is not of the repository")
