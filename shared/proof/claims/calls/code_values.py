"""What an expression of the service can be known to be, without running it."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from shared.proof.claims.source.python_source import FunctionNode
from shared.proof.claims.source.scope_bindings import ScopeNode


@dataclass(frozen=True)
class SourceFile:
    """One parsed file, with the scopes around each node."""

    path: str
    tree: ast.Module

    @cached_property
    def scopes(self) -> Mapping[ast.AST, tuple[ScopeNode, ...]]:
        """Around each definition and call, from the module inwards."""
        return dict(_list_scopes(self.tree, (self.tree,)))

    def get_qualname(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> str:
        """As Python names a definition since 3.10 in what it says of calls."""
        name = ""
        for scope in self.scopes[node][1:]:
            own = "<lambda>" if isinstance(scope, ast.Lambda) else getattr(scope, "name", "")
            name += own + (".<locals>." if not isinstance(scope, ast.ClassDef) else ".")
        return name + node.name


def _list_scopes(node: ast.AST, scopes: tuple[ScopeNode, ...]) -> Iterator[tuple[ast.AST, tuple[ScopeNode, ...]]]:
    """Decorators, defaults and bases are of the scope around their definition."""
    waiting = [(node, scopes)]
    while waiting:
        current, around = waiting.pop()
        yield current, around
        inner = (*around, current) if isinstance(current, FunctionNode | ast.ClassDef | ast.Lambda) else around
        for name in current._fields:  # in less time than by `ast.iter_fields`
            value = getattr(current, name, None)
            inside = inner if name == "body" else around
            items = value if isinstance(value, list) else [value]
            waiting += [(item, inside) for item in items if isinstance(item, ast.AST)]


@dataclass(frozen=True, slots=True)
class UnknownValue:
    """Not decidable."""

    reason: str


@dataclass(frozen=True, slots=True)
class OutsideValue:
    """Something of the standard library, a package or the builtins, by its dotted name."""

    name: str


@dataclass(frozen=True, slots=True)
class OutsideObject:
    """An object of a class from outside, or what is reached through it."""

    name: str
    """The class, and the attributes on the way."""


@dataclass(frozen=True, slots=True)
class ModuleValue:
    """A module of the repository, as an import in some file names it."""

    importing_path: str
    module: str
    level: int = 0


@dataclass(frozen=True, slots=True)
class FunctionValue:
    """A function that is defined in the repository."""

    file: SourceFile
    node: ast.FunctionDef | ast.AsyncFunctionDef
    bound: int = 0
    """How many arguments are bound to it already."""
    is_exact: bool = True
    """False where a subclass may have put another one in its place."""


@dataclass(frozen=True, slots=True)
class ClassValue:
    """A class that is defined in the repository."""

    file: SourceFile
    node: ast.ClassDef
    is_exact: bool = True
    """False where it may be a subclass."""


@dataclass(frozen=True, slots=True)
class InstanceValue:
    """An instance of a class."""

    type: ClassValue
    is_exact: bool = True
    """False where it may be one of a subclass."""


@dataclass(frozen=True, slots=True)
class SuperValue:
    """`super()` in a class."""

    type: ClassValue
    is_class_method: bool = False


@dataclass(frozen=True, slots=True)
class PartialValue:
    """`functools.partial(function, …)`."""

    function: FunctionValue | ClassValue
    positional: int = 0
    keywords: Sequence[str] = field(default=())


Value = (
    UnknownValue
    | OutsideValue
    | OutsideObject
    | ModuleValue
    | FunctionValue
    | ClassValue
    | InstanceValue
    | SuperValue
    | PartialValue
)
