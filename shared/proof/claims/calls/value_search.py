"""Finds what a name or an attribute is: through imports, re-exports, aliases, classes and their instances.

Returns a `Value` for an expression and its scopes; unknown wherever more than one thing can be meant.
"""

import ast
import builtins
from collections.abc import Mapping, Sequence

from shared.proof.claims.calls.call_signature import read_shape
from shared.proof.claims.calls.class_search import ClassSearch
from shared.proof.claims.calls.code_values import (
    ClassValue,
    FunctionValue,
    InstanceValue,
    ModuleValue,
    OutsideValue,
    PartialValue,
    SourceFile,
    SuperValue,
    UnknownValue,
    Value,
)
from shared.proof.claims.claim import ModuleKind
from shared.proof.claims.ports import ServiceModules
from shared.proof.claims.scopes.name_bindings import map_bindings
from shared.proof.claims.scopes.star_exports import StarExports
from shared.proof.claims.source.conditions import ConditionReader
from shared.proof.claims.source.python_source import (
    FunctionNode,
    describe_unparsed,
    list_parameters,
    parse_source,
    read_dotted_name,
    walk_scope,
)
from shared.proof.claims.source.scope_bindings import (
    NameScope,
    ScopeNode,
    classify_name,
    list_global_bindings,
    list_nested_scopes,
)

_MAX_DEPTH = 25


class ValueSearch:
    """Looks values up at one commit."""

    def __init__(self, modules: ServiceModules) -> None:
        self.modules = modules
        self.classes = ClassSearch(self)
        self._files: dict[str, SourceFile | None] = {}
        self._bindings: dict[ast.AST, Mapping[str, Sequence[ast.AST]]] = {}
        self._depth = 0

    def open_file(self, path: str) -> SourceFile | None:
        """A file of the commit; None where it cannot be parsed."""
        if path not in self._files:
            tree = parse_source(self.modules.tree.read(path) or b"\0")
            self._files[path] = None if tree is None else SourceFile(path, tree)
        return self._files[path]

    def _list_bindings(
        self, file: SourceFile, scope: ast.Module | ast.ClassDef | FunctionNode, name: str
    ) -> Sequence[ast.AST]:
        """What binds a name in a scope of a file, whose statements are read once."""
        if scope not in self._bindings:
            conditions = ConditionReader(file.tree, self.modules.python, is_started=None, has_constants=False)
            self._bindings[scope] = map_bindings(scope.body, conditions)
        return self._bindings[scope].get(name, ())

    def find(self, node: ast.expr, file: SourceFile, scopes: tuple[ScopeNode, ...]) -> Value:
        """What an expression in these scopes is of a file."""
        if self._depth >= _MAX_DEPTH:
            return UnknownValue("too many steps lead to its definition")
        self._depth += 1
        try:
            return self._find(node, file, scopes)
        finally:
            self._depth -= 1

    def _find(self, node: ast.expr, file: SourceFile, scopes: tuple[ScopeNode, ...]) -> Value:
        if isinstance(node, ast.Name):
            return self._find_name(node.id, file, scopes)
        if isinstance(node, ast.Attribute):
            owner = self.find(node.value, file, scopes)
            return self.find_attribute(owner, node.attr)
        if isinstance(node, ast.Await):
            return UnknownValue("it is awaited")
        if isinstance(node, ast.Call):
            return self._find_result(node, file, scopes)
        return UnknownValue("it is computed")

    def _find_name(self, name: str, file: SourceFile, scopes: tuple[ScopeNode, ...]) -> Value:
        inner = scopes[-1]
        for position in range(len(scopes) - 1, 0, -1):
            scope = scopes[position]
            if isinstance(scope, ast.ClassDef) and scope is not inner:
                continue
            kind = classify_name(scope, name)
            if kind is NameScope.GLOBAL:
                break
            if kind is NameScope.LOCAL:
                return self._find_in_scope(name, file, scopes[: position + 1])
        return self.find_member(file, name, is_late=len(scopes) > 1)

    def find_member(self, file: SourceFile, name: str, *, is_late: bool = True) -> Value:
        """What a module binds a name to."""
        if name in list_global_bindings(file.tree):
            return UnknownValue(f"a function of {file.path} binds {name} as well")
        bindings = self._list_bindings(file, file.tree, name)
        if bindings:
            return self._choose_binding(bindings, name, file, (file.tree,), is_late=is_late)
        return self._find_star(file, name)

    def _find_star(self, file: SourceFile, name: str) -> Value:
        exports = StarExports(self.modules, name)
        stars = [
            node
            for node in walk_scope(file.tree.body)
            if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)
        ]
        for star in reversed(stars):
            is_bound = exports.decide(file.path, star)
            if is_bound is None:
                return UnknownValue(f"{file.path} may take {name} from a star import")
            if is_bound:
                return self.find_attribute(ModuleValue(file.path, star.module or "", star.level), name)
        if hasattr(builtins, name):
            return OutsideValue(f"builtins.{name}")
        return UnknownValue(f"{file.path} does not bind {name}")

    def _find_in_scope(self, name: str, file: SourceFile, scopes: tuple[ScopeNode, ...]) -> Value:
        """What a function or a class binds a name to."""
        scope = scopes[-1]
        if isinstance(scope, ast.Module | ast.Lambda):
            return UnknownValue(f"{name} is a parameter")
        bindings = self._list_bindings(file, scope, name)
        if any(classify_name(nested, name) is NameScope.NONLOCAL for nested in list_nested_scopes(scope)):
            return UnknownValue(f"{name} is bound in another function as well")
        if isinstance(scope, FunctionNode):
            parameters = [parameter for parameter in list_parameters(scope.args) if parameter.arg == name]
            if parameters and not bindings:
                return self._find_parameter(parameters[0], file, scopes)
            if parameters:
                return UnknownValue(f"{name} is a parameter that is bound again")
        return self._choose_binding(bindings, name, file, scopes, is_late=False)

    def _find_parameter(self, parameter: ast.arg, file: SourceFile, scopes: tuple[ScopeNode, ...]) -> Value:
        function = scopes[-1]
        assert isinstance(function, FunctionNode)
        positional = [*function.args.posonlyargs, *function.args.args]
        is_first = bool(positional) and parameter is positional[0] and len(scopes) > 1
        decorators = {read_dotted_name(decorator) for decorator in function.decorator_list}
        owner = scopes[-2]
        if is_first and isinstance(owner, ast.ClassDef) and "staticmethod" not in decorators:
            own_class = ClassValue(file, owner, is_exact=False)
            is_class = "classmethod" in decorators or function.name in {"__new__", "__init_subclass__"}
            return own_class if is_class else InstanceValue(own_class, is_exact=False)
        if parameter.annotation is not None and parameter not in (function.args.vararg, function.args.kwarg):
            return self._find_annotated(parameter.annotation, file, scopes[:-1])
        return UnknownValue(f"{parameter.arg} is a parameter")

    def _find_annotated(self, annotation: ast.expr, file: SourceFile, scopes: tuple[ScopeNode, ...]) -> Value:
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            try:
                annotation = ast.parse(annotation.value, mode="eval").body
            except (SyntaxError, ValueError, RecursionError):
                return UnknownValue("its annotation cannot be read")
        value = self.find(annotation, file, scopes)
        if isinstance(value, ClassValue):
            return InstanceValue(value, is_exact=False)
        return UnknownValue("its type is not known")

    def _choose_binding(
        self, bindings: Sequence[ast.AST], name: str, file: SourceFile, scopes: tuple[ScopeNode, ...], *, is_late: bool
    ) -> Value:
        if not bindings:
            return UnknownValue(f"{name} is bound in no way that is followed")
        binding = bindings[-1]
        if len(bindings) > 1:
            body = getattr(scopes[-1], "body", [])
            is_plain = all(isinstance(node, FunctionNode | ast.ClassDef) and node in body for node in bindings)
            if not (is_plain and is_late):
                return UnknownValue(f"{name} is bound more than once in {file.path}")
        return self._read_binding(binding, name, file, scopes)

    def _read_binding(self, binding: ast.AST, name: str, file: SourceFile, scopes: tuple[ScopeNode, ...]) -> Value:
        match binding:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                return FunctionValue(file, binding)
            case ast.ClassDef():
                return ClassValue(file, binding)
            case ast.Import(names=[alias]):
                return self._find_module(file.path, alias.name if alias.asname else name, 0)
            case ast.ImportFrom(names=[alias]):
                module = ModuleValue(file.path, binding.module or "", binding.level)
                return self.find_attribute(module, alias.name)
            case ast.Assign(targets=[ast.Name()], value=value) | ast.AnnAssign(value=ast.expr() as value):
                return self.find(value, file, scopes)
        return UnknownValue(f"{name} is bound in a way that is not followed")

    def _find_module(self, importing_path: str, module: str, level: int) -> Value:
        module_file = self.modules.find_module(importing_path, module, level)
        if module_file.kind is ModuleKind.OUTSIDE:
            return OutsideValue(module)
        if module_file.kind in {ModuleKind.MISSING, ModuleKind.UNKNOWN}:
            return UnknownValue(f"the module {module} is not known")
        return ModuleValue(importing_path, module, level)

    def find_attribute(self, owner: Value, name: str) -> Value:
        """What an attribute of a value is."""
        if isinstance(owner, ModuleValue):
            return self._find_module_attribute(owner, name)
        if isinstance(owner, OutsideValue):
            return OutsideValue(f"{owner.name}.{name}")
        if isinstance(owner, ClassValue | InstanceValue | SuperValue):
            return self.classes.find_attribute(owner, name)
        return owner if isinstance(owner, UnknownValue) else UnknownValue(f"{name} is an attribute of a function")

    def _find_module_attribute(self, owner: ModuleValue, name: str) -> Value:
        module_file = self.modules.find_module(owner.importing_path, owner.module, owner.level)
        if module_file.kind is ModuleKind.OUTSIDE:
            return OutsideValue(f"{owner.module}.{name}")
        if module_file.kind in {ModuleKind.FILE, ModuleKind.PACKAGE}:
            file = self.open_file(module_file.path)
            if file is None:
                return UnknownValue(describe_unparsed(module_file.path))
            value = self.find_member(file, name)
            if not isinstance(value, UnknownValue | OutsideValue) or module_file.kind is ModuleKind.FILE:
                return value
            if self._list_bindings(file, file.tree, name):
                return value
        if module_file.kind in {ModuleKind.PACKAGE, ModuleKind.NAMESPACE}:
            dotted = f"{owner.module}.{name}" if owner.module else name
            return self._find_module(owner.importing_path, dotted, owner.level)
        return UnknownValue(f"the module {owner.module} is not known")

    def _find_result(self, node: ast.Call, file: SourceFile, scopes: tuple[ScopeNode, ...]) -> Value:
        """What a call gives: an instance, a partial function, or `super()`."""
        called = self.find(node.func, file, scopes)
        if isinstance(called, ClassValue):
            if self.classes.makes_instances(called):
                return InstanceValue(called, called.is_exact)
            return UnknownValue("its class may make something else")
        if called == OutsideValue("builtins.super") and not node.args:
            return _find_super(file, scopes)
        if called == OutsideValue("functools.partial") and node.args:
            return self._find_partial(node, file, scopes)
        return UnknownValue("it is what a call returns")

    def _find_partial(self, node: ast.Call, file: SourceFile, scopes: tuple[ScopeNode, ...]) -> Value:
        function = self.find(node.args[0], file, scopes)
        shape = read_shape(node)
        if shape.is_exact and isinstance(function, FunctionValue | ClassValue):
            return PartialValue(function, shape.positional - 1, tuple(shape.keywords))
        return UnknownValue("it is a partial function of something unknown")


def _find_super(file: SourceFile, scopes: tuple[ScopeNode, ...]) -> Value:
    if len(scopes) < 3 or not isinstance(scopes[-2], ast.ClassDef) or not isinstance(scopes[-1], FunctionNode):
        return UnknownValue("super() is not called in a method")
    decorators = {read_dotted_name(decorator) for decorator in scopes[-1].decorator_list}
    is_class_method = "classmethod" in decorators or scopes[-1].name == "__new__"
    return SuperValue(ClassValue(file, scopes[-2], is_exact=False), is_class_method)
