"""Whether a module of the service has a name when its code has run to the end.

Takes the file of a module and a name. The module's statements are followed for that name alone: each leaves it bound,
unbound, or possibly both. Star imports are followed into their modules.
"""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import ModuleType

from shared.proof.claims.claim import FoundModule, ModuleKind
from shared.proof.claims.importing.name_flow import BOUND, EITHER, UNBOUND, ImportEffects, States, follow_name
from shared.proof.claims.importing.started_modules import StartedModules
from shared.proof.claims.ports import ServiceModules
from shared.proof.claims.source.export_lists import read_export_list
from shared.proof.claims.source.lazy_attributes import refuses_name
from shared.proof.claims.source.module_code import ModuleCode, list_import_statements, parse_module
from shared.proof.claims.source.python_source import describe_unparsed

_MODULE_NAMES = frozenset(("__name__", "__file__", "__package__", "__spec__", "__loader__", "__builtins__"))
_UNCERTAIN_NAMES = frozenset(("__annotations__", "__cached__", "__warningregistry__"))
_MAX_STARS = 20
_NOT_KNOWN = "*"
"""In a list of files: a module of the service that is not known."""


class BindingState(StrEnum):
    """Whether a module has a name."""

    BOUND = "bound"
    UNBOUND = "unbound"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Binding:
    """`reason`: one sentence without a full stop; for `BOUND` where it is bound."""

    state: BindingState
    reason: str
    path: str = ""
    """The file that binds it."""
    line: int = 0
    """Of the last statement that binds it, from 1; 0 where there is none."""


def find_binding(modules: ServiceModules, path: str, name: str) -> Binding:
    """Whether the module at a repository path has `name` as an attribute of its own code's making.

    A submodule counts where the package's own code imports it; whether one of that name exists is not asked.
    """
    return _BindingSearch(modules).find(path, name, ())


def find_imported_name(modules: ServiceModules, importing_path: str, module: str, level: int, name: str) -> Binding:
    """Whether `from module import name` in a file finds the name, or a submodule of that name."""
    source = modules.find_module(importing_path, module, level)
    if source.kind in {ModuleKind.OUTSIDE, ModuleKind.UNKNOWN, ModuleKind.MISSING}:
        return Binding(BindingState.UNKNOWN, source.reason or f"{module} is not of the repository")
    binding = Binding(BindingState.UNBOUND, f"{source.path} is a folder without a module {name}", source.path)
    if source.kind is not ModuleKind.NAMESPACE:
        binding = find_binding(modules, source.path, name)
    if binding.state is BindingState.BOUND or source.kind is ModuleKind.FILE:
        return binding
    return _add_submodule(modules.find_module(importing_path, f"{module}.{name}" if module else name, level), binding)


def _add_submodule(submodule: FoundModule, binding: Binding) -> Binding:
    """What an import takes where the package itself has no such name, or may have none."""
    if submodule.kind in {ModuleKind.FILE, ModuleKind.PACKAGE, ModuleKind.NAMESPACE}:
        return Binding(BindingState.BOUND, f"{submodule.path} is the module", submodule.path)
    if submodule.kind is ModuleKind.UNKNOWN:
        return Binding(BindingState.UNKNOWN, submodule.reason, binding.path)
    return binding


class _BindingSearch:
    def __init__(self, modules: ServiceModules) -> None:
        self.modules = modules

    def find(self, path: str, name: str, importers: Sequence[str]) -> Binding:
        """`importers`: the modules whose star imports led to this one."""
        code = parse_module(self.modules.tree.read(path) or b"")
        if code is None:
            return _build_unknown(describe_unparsed(path), path)
        if code.may_replace_module:
            return _build_unknown(f"{path} changes its own names: {code.may_replace_module}", path)
        is_package = path.endswith("/__init__.py")
        if _has_every_module(name, is_package=is_package):
            return Binding(BindingState.BOUND, f"every module has {name}", path)
        if name in _UNCERTAIN_NAMES:
            return _build_unknown(f"Python sets {name} itself", path)
        effects = _ImportReader(self, path, name, (*importers, path))
        flow = follow_name(code, name, self.modules.python, ImportEffects(effects.find_star, effects.is_own_submodule))
        if flow.states == BOUND:
            return Binding(BindingState.BOUND, f"{path} binds {name} in line {flow.line}", path, flow.line)
        reason = effects.reason or self._find_doubt(path, name, code)
        if not reason and not flow.states:
            reason = f"{path} does not run to its end"
        if not reason and flow.states == EITHER:
            reason = f"whether line {flow.line} of {path} binds {name} depends on what runs"
        return (
            _build_unknown(reason, path)
            if reason
            else Binding(BindingState.UNBOUND, f"{path} does not bind {name}", path)
        )

    def _find_doubt(self, path: str, name: str, code: ModuleCode) -> str:
        """Why a name that no statement binds may be there all the same."""
        if code.may_bind_any:
            return f"{path} may bind any name: {code.may_bind_any}"
        if name in code.attribute_stores:
            return f"{path} sets an attribute {name}"
        if name != "__getattr__":
            attributes = follow_name(code, "__getattr__", self.modules.python)
            if refuses_name(code, name):
                return ""
            return f"{path} has a __getattr__ that may give any name" if attributes.states != UNBOUND else ""
        return ""

    def find_in_star(self, path: str, name: str, star: ast.ImportFrom, importers: Sequence[str]) -> Binding:
        """What `from module import *` in a file brings of a name."""
        source = self.modules.find_module(path, star.module or "", star.level)
        if source.kind is ModuleKind.NAMESPACE:
            return Binding(BindingState.UNBOUND, "")
        if source.kind not in {ModuleKind.FILE, ModuleKind.PACKAGE}:
            return _build_unknown(
                f"line {star.lineno} of {path} takes all names of a module that is not of the tree", path
            )
        if source.path in importers or len(importers) > _MAX_STARS:
            return _build_unknown(f"the star imports of {path} lead back to it", path)
        return self._find_taken(path, name, source, importers)

    def _find_taken(self, path: str, name: str, source: FoundModule, importers: Sequence[str]) -> Binding:
        """What a star import of a module of the tree brings."""
        code = parse_module(self.modules.tree.read(source.path) or b"")
        if code is None or self._may_import(source.path, path):
            return _build_unknown(f"what {path} takes from {source.path} depends on the order of imports", path)
        exported = self._find_exported(code, name)
        if exported is None:
            return _build_unknown(f"which names {source.path} exports is not plain", path)
        brought = self.find(source.path, name, importers) if exported else Binding(BindingState.UNBOUND, "")
        if exported and brought.state is BindingState.UNBOUND and source.kind is ModuleKind.PACKAGE:
            submodule = self.modules.find_module(source.path, name, 1)
            if submodule.kind is not ModuleKind.MISSING:  # an attribute as soon as anything has imported it
                return _build_unknown(f"{source.path} may have a submodule {name}", path)
        return brought

    def _find_exported(self, code: ModuleCode, name: str) -> bool | None:
        """Whether a star import takes a name; None where the module's `__all__` cannot be read."""
        flow = follow_name(code, "__all__", self.modules.python)
        if flow.states == UNBOUND and not code.may_bind_any:
            return not name.startswith("_")
        names = read_export_list(code.tree) if flow.states == BOUND else None
        return None if names is None or code.may_bind_any else name in names

    def _may_import(self, path: str, target: str) -> bool:
        """Whether a module leads to another by imports of the service's own modules; True where that is not known."""
        seen, waiting = {path}, [path]
        while waiting and len(seen) < 200:
            code = parse_module(self.modules.tree.read(waiting[0]) or b"")
            importer = waiting.pop(0)
            if code is None:
                return True
            for imported in _list_imported_files(self.modules, importer, code.tree):
                if imported in {target, _NOT_KNOWN}:
                    return True
                if imported not in seen:
                    seen.add(imported)
                    waiting.append(imported)
        return bool(waiting)


class _ImportReader:
    """What the imports of one module do to one name; `reason`: why a star import may bring it or not."""

    def __init__(self, search: _BindingSearch, path: str, name: str, importers: Sequence[str]) -> None:
        self._search = search
        self._path = path
        self._name = name
        self._importers = importers
        self.reason = ""

    def find_star(self, star: ast.ImportFrom) -> States:
        binding = self._search.find_in_star(self._path, self._name, star, self._importers)
        if binding.state is BindingState.UNKNOWN:
            self.reason = binding.reason
            return EITHER
        return BOUND if binding.state is BindingState.BOUND else UNBOUND

    def is_own_submodule(self, module: str, level: int) -> bool:
        """Whether importing a module imports the submodule `name` of the package that this code is of."""
        folder, _, file_name = self._path.rpartition("/")
        parts = module.split(".")
        if file_name != "__init__.py" or self._name not in parts:
            return False
        target = f"{folder}/{self._name}"
        prefixes = [".".join(parts[: index + 1]) for index, part in enumerate(parts) if part == self._name]
        answers = [self._search.modules.find_module(self._path, prefix, level) for prefix in prefixes]
        return any(answer.path in {target, f"{target}.py", f"{target}/__init__.py"} for answer in answers)


def _list_imported_files(modules: ServiceModules, path: str, tree: ast.Module) -> list[str]:
    """The service's own files that the statements of a module import, packages on the way included."""
    files: list[str] = []
    for node in list_import_statements(tree):
        requests: list[tuple[str, int]] = []
        if isinstance(node, ast.Import):
            requests = [(alias.name, 0) for alias in node.names]
        else:
            requests = [(node.module or "", node.level)]
            requests += [(f"{node.module}.{a.name}" if node.module else a.name, node.level) for a in node.names]
        for module, level in requests:
            parts = module.split(".") if module else []
            for count in range(0 if level else 1, len(parts) + 1):
                if "*" not in parts[:count]:
                    answer = modules.find_module(path, ".".join(parts[:count]), level)
                    files += [answer.path] if answer.kind in {ModuleKind.FILE, ModuleKind.PACKAGE} else []
                    is_first = count == 1 and not level
                    if answer.kind is ModuleKind.UNKNOWN and not (is_first and _is_outside(modules, path, parts[0])):
                        files.append(_NOT_KNOWN)
    return files


def _is_outside(modules: ServiceModules, path: str, name: str) -> bool:
    return isinstance(modules, StartedModules) and modules.is_outside(path, name)


def _has_every_module(name: str, *, is_package: bool) -> bool:
    if name in _MODULE_NAMES or (name == "__path__" and is_package):
        return True
    return name.startswith("__") and name not in {"__getattr__", "__all__"} and hasattr(ModuleType, name)


def _build_unknown(reason: str, path: str) -> Binding:
    return Binding(BindingState.UNKNOWN, reason, path)
