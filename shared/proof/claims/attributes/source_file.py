"""One parsed source: what encloses a node, and what the names in its scopes are bound to."""

import ast
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from shared.proof.claims.source import python_source
from shared.proof.claims.source.module_code import list_nodes
from shared.proof.claims.source.python_source import list_parts

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Scope = ast.Module | ast.ClassDef | Function


@dataclass(frozen=True, slots=True)
class ImportedName:
    """`import module` has no name; `from module import name` has one, and so has `import a.b as c`: it is a module."""

    module: str
    level: int = 0
    name: str = ""


Binding = ImportedName | ast.AST
"""An import; a class or a function; a parameter (`ast.arg`); an annotated or plain assignment; else any other node."""


@dataclass(frozen=True)
class SourceFile:
    """A source that compiles, as far as the Python that runs this can show."""

    path: str
    tree: ast.Module

    @cached_property
    def parents(self) -> Mapping[ast.AST, ast.AST]:
        """The node around each node."""
        return {child: node for node in self.nodes for child in list_parts(node)}

    @cached_property
    def nodes(self) -> Sequence[ast.AST]:
        """All of them but the contexts of expressions, once."""
        return list_nodes(self.tree)

    @cached_property
    def changing_nodes(self) -> Sequence[ast.AST]:
        """Those that may set or remove an attribute of an object, whatever its name is."""
        return tuple(node for node in self.nodes if _may_change(node))

    @cached_property
    def _bindings(self) -> dict[ast.AST, Mapping[str, Sequence[Binding]]]:
        return {}

    def list_around(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around a node, the nearest first."""
        while (parent := self.parents.get(node)) is not None:
            yield parent
            node = parent

    def get_scope(self, node: ast.AST) -> Scope:
        """The scope of a node. A decorator, a default or a base is outside of what it belongs to."""
        inner = node
        for parent in self.list_around(node):
            if isinstance(parent, Scope) and _is_inside(parent, inner):
                return parent
            inner = parent
        return self.tree

    def get_class(self, node: ast.AST) -> ast.ClassDef | None:
        """The innermost class around a node, through the functions in between."""
        return next((parent for parent in self.list_around(node) if isinstance(parent, ast.ClassDef)), None)

    def get_function(self, node: ast.AST) -> Function | None:
        """The function of a node."""
        scope = self.get_scope(node)
        return scope if isinstance(scope, Function) else None

    def list_bindings(self, scope: Scope) -> Mapping[str, Sequence[Binding]]:
        """What binds each name of a scope, without the scopes in it."""
        if scope not in self._bindings:
            collected: dict[str, list[Binding]] = {}
            for name, binding in _list_scope_bindings(scope):
                collected.setdefault(name, []).append(binding)
            self._bindings[scope] = collected
        return self._bindings[scope]

    def resolve_name(self, name: str, at: ast.AST) -> Sequence[Binding]:
        """What binds a name as it is read at a node; () where nothing in this file does."""
        scope = self.get_scope(at)
        while True:
            bindings = self.list_bindings(scope).get(name)
            if bindings and not any(isinstance(binding, ast.Global) for binding in bindings):
                return bindings
            if isinstance(scope, ast.Module):
                return bindings or ()
            scope = self.get_scope(scope)
            while isinstance(scope, ast.ClassDef):  # names of a class are not seen in its functions
                scope = self.get_scope(scope)

    def find_classes(self, name: str) -> list[ast.ClassDef]:
        """All classes of a name, wherever they are."""
        return [node for node in self.nodes if isinstance(node, ast.ClassDef) and node.name == name]


def parse_source(path: str, content: bytes | None) -> SourceFile | None:
    """None where there is no source, or none that can be parsed."""
    tree = python_source.parse_source(content) if content is not None else None
    return None if tree is None else _open_tree(path, tree)


@lru_cache(maxsize=128)
def _open_tree(path: str, tree: ast.Module) -> SourceFile:
    """The same one for the same tree and every caller: what is known of it is found once."""
    return SourceFile(path, tree)


def mangle_name(name: str, around: ast.ClassDef | None) -> str:
    """`__x` in a class `C` is `_C__x`."""
    if around is None or not name.startswith("__") or name.endswith("__"):
        return name
    bare = around.name.lstrip("_")
    return f"_{bare}{name}" if bare else name


_CHANGING_NAMES = frozenset(
    (
        "setattr",
        "__setattr__",
        "delattr",
        "__delattr__",
        "__new__",
        "__dict__",
        "__class__",
        "vars",
        "locals",
        "exec",
        "eval",
    )
)


def _may_change(node: ast.AST) -> bool:
    match node:
        case ast.Attribute():
            return not isinstance(node.ctx, ast.Load) or node.attr in _CHANGING_NAMES
        case ast.Name():
            return node.id in _CHANGING_NAMES
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in _CHANGING_NAMES
    return False


def _is_inside(scope: ast.AST, inner: ast.AST) -> bool:
    """Whether a direct part of a scope's node is run in the scope itself."""
    match scope:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return inner in scope.body
        case ast.Lambda():
            return inner is scope.body
    return True


def _list_scope_bindings(scope: Scope) -> Iterator[tuple[str, Binding]]:
    if isinstance(scope, Function):
        arguments = scope.args
        listed = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        yield from ((argument.arg, argument) for argument in listed if argument is not None)
    for statement in [scope.body] if isinstance(scope, ast.Lambda) else scope.body:
        yield from _list_node_bindings(statement)


def _list_node_bindings(node: ast.AST) -> Iterator[tuple[str, Binding]]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name, node
            return
        case ast.Lambda():
            return
        case ast.Import() | ast.ImportFrom():
            yield from _list_imported(node)
        case ast.Global() | ast.Nonlocal():
            yield from ((name, node) for name in node.names)
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            yield name, node
            yield from _list_node_bindings(node.value) if node.value is not None else ()
            return
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            yield name, node
        case ast.MatchAs(name=str() as name) | ast.MatchStar(name=str() as name) | ast.MatchMapping(rest=str() as name):
            yield name, node
        case ast.ExceptHandler(name=str() as name):
            yield name, node
    for child in ast.iter_child_nodes(node):
        yield from _list_node_bindings(child)


def _list_imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Binding]]:
    if isinstance(node, ast.ImportFrom):
        for alias in node.names:
            yield alias.asname or alias.name, ImportedName(node.module or "", node.level, alias.name)
        return
    for alias in node.names:
        name = alias.asname or alias.name.partition(".")[0]
        yield name, ImportedName(alias.name if alias.asname else name)


def is_future_annotated(source: SourceFile, python: str) -> bool:
    """Whether annotations are not evaluated when the code runs."""
    minor = int(python.partition(".")[2]) if python.partition(".")[2].isdigit() else sys.version_info[1]
    return minor >= 14 or any(
        isinstance(node, ast.ImportFrom) and node.module == "__future__" and node.names[0].name == "annotations"
        for node in source.tree.body
    )
