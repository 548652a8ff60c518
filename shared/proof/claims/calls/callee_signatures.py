"""Finds the signatures to which the arguments of a call have to bind, or the reason why they are unknown.

Decorators count: those that hand all arguments on leave a signature as it is, any other makes it unknown. A class is
called through `__new__` and `__init__`, written or generated (`dataclass`, `NamedTuple`).

A decorator hands all arguments on in one shape only: it returns a function that takes `*args, **kwargs` alone, changes
neither, and calls what is decorated with exactly these.
"""

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace

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
from shared.proof.claims.source.python_source import FunctionNode, read_dotted_name, read_words, walk_nodes, walk_scope

_READING = frozenset(("get", "items", "keys", "values", "copy", "index", "count"))


def forwards_arguments(node: ast.FunctionDef | ast.AsyncFunctionDef, *, is_factory: bool) -> bool:
    """`is_factory`: it is called first, and gives the decorator."""
    if isinstance(node, ast.AsyncFunctionDef) or node.decorator_list:
        return False
    if is_factory:
        inner = _find_returned(node)
        return inner is not None and forwards_arguments(inner, is_factory=False)
    parameters = [*node.args.posonlyargs, *node.args.args]
    wrapper = _find_returned(node)
    if len(parameters) != 1 or wrapper is None or node.args.vararg or node.args.kwarg or node.args.kwonlyargs:
        return False
    return _is_wrapper(wrapper, parameters[0].arg) and not _is_bound_again(node, parameters[0].arg)


def _find_returned(
    node: ast.FunctionDef | ast.AsyncFunctionDef,
) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The nested function that every `return` gives."""
    nested = {part.name: part for part in node.body if isinstance(part, FunctionNode)}
    returned = [part.value for part in walk_scope(node.body) if isinstance(part, ast.Return)]
    names = {value.id if isinstance(value, ast.Name) else "" for value in returned}
    ends_with_return = bool(node.body) and isinstance(node.body[-1], ast.Return)
    return nested.get(names.pop()) if len(names) == 1 and ends_with_return else None


def _is_wrapper(wrapper: ast.FunctionDef | ast.AsyncFunctionDef, function: str) -> bool:
    arguments = wrapper.args
    if arguments.vararg is None or arguments.kwarg is None:
        return False
    if arguments.posonlyargs or arguments.args or arguments.kwonlyargs:
        return False
    if not all(_is_wraps(decorator, function) for decorator in wrapper.decorator_list):
        return False
    rest, keywords = arguments.vararg.arg, arguments.kwarg.arg
    nodes = list(walk_nodes(ast.Module(body=wrapper.body, type_ignores=[])))
    calls = [node for node in nodes if isinstance(node, ast.Call) and _is_name(node.func, function)]
    named = sum(_is_name(node, function) for node in nodes)
    is_forwarding = all(_is_forwarding(call, rest, keywords) for call in calls)
    return (
        bool(calls)
        and named == len(calls) + _count_readings(nodes, function)
        and is_forwarding
        and not _changes(nodes, {rest, keywords})
    )


def _is_forwarding(call: ast.Call, rest: str, keywords: str) -> bool:
    match call:
        case ast.Call(args=[ast.Starred(value=ast.Name(id=first))], keywords=[ast.keyword(arg=None, value=last)]):
            return first == rest and _is_name(last, keywords)
    return False


def _count_readings(nodes: list[ast.AST], function: str) -> int:
    """`function.__name__` and the like."""
    return sum(
        isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and _is_name(node.value, function)
        for node in nodes
    )


def _changes(nodes: list[ast.AST], names: set[str]) -> bool:
    """Whether one of these containers may be changed."""
    for node in nodes:
        if isinstance(node, ast.Name) and node.id in names and not isinstance(node.ctx, ast.Load):
            return True
        if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load) and _names_any(node.value, names):
            return True
        if isinstance(node, ast.Attribute) and _names_any(node.value, names) and node.attr not in _READING:
            return True
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return True
        if isinstance(node, ast.Call) and any(_names_any(argument, names) for argument in node.args):
            return True
    return False


def _names_any(node: ast.AST, names: set[str]) -> bool:
    return isinstance(node, ast.Name) and node.id in names


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _is_wraps(decorator: ast.expr, function: str) -> bool:
    match decorator:
        case ast.Call(func=target, args=[ast.Name(id=wrapped)], keywords=[]):
            return wrapped == function and read_dotted_name(target) in {"wraps", "functools.wraps"}
    return False


def _is_bound_again(node: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> bool:
    return any(
        isinstance(part, ast.Name) and part.id == name and not isinstance(part.ctx, ast.Load)
        for part in walk_nodes(node)
    )


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
