"""What an expression of a source stands for: a module, a class of the repository, or an instance of one.

Only what the source says without a doubt: a name with one binding, an import that finds one file. Else None.
"""

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.proof.claims.attributes.source_file import Binding, ImportedName, SourceFile, parse_source
from shared.proof.claims.claim import FoundModule, ModuleKind
from shared.proof.claims.ports import ServiceModules

_MAX_DEPTH = 12
_OWN_KINDS = (ModuleKind.FILE, ModuleKind.PACKAGE)


@dataclass(frozen=True, slots=True)
class ModuleMeaning:
    """A module; `name` is its dotted name where the source spells it, "" for a relative import."""

    location: FoundModule
    name: str


@dataclass(frozen=True, slots=True)
class ClassMeaning:
    """A class of the repository. `is_instance`: an object of it. `is_self`: or of a class that derives from it.

    `is_annotated`: an annotation alone says so, and whatever has the same attributes may be passed.
    """

    path: str
    node: ast.ClassDef
    is_instance: bool = False
    is_self: bool = False
    is_annotated: bool = field(default=False, compare=False)


Meaning = ModuleMeaning | ClassMeaning | None


@dataclass(slots=True)
class MeaningFinder:
    """Reads the sources of one commit, each once. `importing_path`: the file whose imports are looked up."""

    modules: ServiceModules
    importing_path: str
    _sources: dict[str, SourceFile | None] = field(default_factory=dict)
    _followed: set[tuple[str, Binding]] = field(default_factory=set)
    """The bindings on the way to the one that is asked for, each with its file."""

    def get_source(self, path: str) -> SourceFile | None:
        """A parsed file of the commit."""
        self.modules.tree.blob(path)  # the caller depends on it, even if it is already parsed
        if path not in self._sources:
            self._sources[path] = parse_source(path, self.modules.tree.read(path))
        return self._sources[path]

    def find_meaning(self, source: SourceFile, node: ast.expr, depth: int = 0) -> Meaning:
        """What an expression stands for."""
        if depth > _MAX_DEPTH:
            return None
        match node:
            case ast.Name(id=name):
                return self._find_bound(source, source.resolve_name(name, node), depth)
            case ast.Attribute(value=value, attr=name):
                return self._find_member(self.find_meaning(source, value, depth + 1), name, depth)
            case ast.Call(func=func) if not (isinstance(func, ast.Name) and func.id == "super"):
                called = self.find_meaning(source, func, depth + 1)
                if isinstance(called, ClassMeaning) and not called.is_instance and not called.is_self:
                    return ClassMeaning(called.path, called.node, is_instance=True)
        return None

    def find_export(self, path: str, name: str, depth: int = 0) -> Meaning:
        """What the top-level name of a file stands for."""
        source = self.get_source(path)
        if source is None or depth > _MAX_DEPTH:
            return None
        return self._find_bound(source, source.list_bindings(source.tree).get(name, ()), depth + 1)

    def is_exported(self, path: str, name: str) -> bool:
        """Whether a file may bind a name at its top level by anything but a class or an import of it."""
        source = self.get_source(path)
        return source is None or name in source.list_bindings(source.tree)

    def _find_bound(self, source: SourceFile, bindings: Sequence[Binding], depth: int) -> Meaning:
        """What all bindings of a name agree on. One that is made of itself (`x = x.sorted()`) is not known."""
        agreed: Meaning = None
        for binding in bindings:
            step = (source.path, binding)
            if step in self._followed:
                return None
            self._followed.add(step)
            meaning = self._find_binding(source, binding, depth)
            self._followed.discard(step)
            if meaning is None or (agreed is not None and meaning != agreed):
                return None
            agreed = meaning
        return agreed

    def _find_binding(self, source: SourceFile, binding: Binding, depth: int) -> Meaning:
        match binding:
            case ImportedName():
                return self._find_imported(source, binding, depth)
            case ast.ClassDef():
                return ClassMeaning(source.path, binding)
            case ast.arg():
                return self._find_parameter(source, binding, depth)
            case ast.Assign(value=value):
                meaning = self.find_meaning(source, value, depth + 1)
                return meaning if isinstance(meaning, ClassMeaning) and meaning.is_instance else None
        return None

    def _find_parameter(self, source: SourceFile, argument: ast.arg, depth: int) -> Meaning:
        """`self` and `cls` are known by the class around; a parameter that is annotated, by its annotation."""
        around = list(source.list_around(argument))
        function = around[1] if len(around) > 1 else None
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            return None
        decorators = {part.id for part in function.decorator_list if isinstance(part, ast.Name)}
        owner = source.parents[function]
        is_first = argument in (*function.args.posonlyargs, *function.args.args)[:1]
        if isinstance(owner, ast.ClassDef) and is_first and "staticmethod" not in decorators:
            is_type = "classmethod" in decorators or function.name in {"__new__", "__init_subclass__"}
            return ClassMeaning(source.path, owner, is_instance=not is_type, is_self=True)
        if argument.annotation is None or depth > _MAX_DEPTH:
            return None
        meaning = self.find_meaning(source, argument.annotation, depth + 1)
        if not isinstance(meaning, ClassMeaning) or meaning.is_instance:
            return None
        return ClassMeaning(meaning.path, meaning.node, is_instance=True, is_self=True, is_annotated=True)

    def _find_imported(self, source: SourceFile, imported: ImportedName, depth: int) -> Meaning:
        location = self.modules.find_module(source.path, imported.module, imported.level)
        dotted = imported.module if not imported.level else ""
        if not imported.name:
            return self._check_alias(source, ModuleMeaning(location, dotted))
        if location.kind in _OWN_KINDS and self.is_exported(location.path, imported.name):
            return self.find_export(location.path, imported.name, depth + 1)
        return self._find_submodule(source, imported, f"{dotted}.{imported.name}" if dotted else "")

    def _find_submodule(self, source: SourceFile, imported: ImportedName, dotted: str) -> Meaning:
        module = f"{imported.module}.{imported.name}" if imported.module else imported.name
        location = self.modules.find_module(source.path, module, imported.level)
        return ModuleMeaning(location, dotted) if location.kind in (*_OWN_KINDS, ModuleKind.NAMESPACE) else None

    def _check_alias(self, source: SourceFile, meaning: ModuleMeaning) -> Meaning:
        """`import a.b as m` reads `b` of `a`: what else is bound to that name there counts instead."""
        above, _, name = meaning.name.rpartition(".")
        if above:
            package = self.modules.find_module(source.path, above)
            if package.kind in _OWN_KINDS and self.is_exported(package.path, name):
                return None
        return meaning

    def _find_member(self, owner: Meaning, name: str, depth: int) -> Meaning:
        """What an attribute of a module stands for; attributes of objects are not followed."""
        if not isinstance(owner, ModuleMeaning):
            return None
        location = owner.location
        if location.kind in _OWN_KINDS and self.is_exported(location.path, name):
            return self.find_export(location.path, name, depth + 1)
        if owner.name and location.kind in (*_OWN_KINDS, ModuleKind.NAMESPACE):
            dotted = f"{owner.name}.{name}"
            member = self.modules.find_module(self.importing_path, dotted)
            return ModuleMeaning(member, dotted) if member.kind in (*_OWN_KINDS, ModuleKind.NAMESPACE) else None
        return None
