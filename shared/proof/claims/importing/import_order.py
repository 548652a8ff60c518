"""The order in which a service's modules are loaded, followed statement by statement from its start.

Takes the service's modules and the files that its start command runs. Returns the first import that takes a name out of
a module that is still being loaded and has not bound it; raises `Undecided` where a run may take another way.
"""

import ast
import builtins
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from shared.proof.claims.claim import FoundModule, ModuleKind
from shared.proof.claims.importing.bindings import BindingState, find_imported_name
from shared.proof.claims.importing.started_modules import CircularImport, ImportFailed, StartStep, Undecided
from shared.proof.claims.ports import ServiceModules
from shared.proof.claims.source.conditions import ConditionReader
from shared.proof.claims.source.module_code import parse_module
from shared.proof.claims.source.python_source import read_dotted_name, walk_nodes
from shared.proof.claims.source.statements import (
    ANY_MODULE,
    cannot_fail,
    find_bound_names,
    list_all_imports,
    list_own_calls,
    names_module_in_text,
)

_MAX_MODULES = 400
_OWN = frozenset((ModuleKind.FILE, ModuleKind.PACKAGE))


@dataclass(slots=True)
class _LoadedModule:
    """One module while it is loaded."""

    path: str
    bound: set[str] = field(default_factory=set)
    maybe_bound: set[str] = field(default_factory=set)
    own_names: set[str] = field(default_factory=set)
    """Names through which code of the service may be called."""
    late_imports: list[tuple[str, int]] = field(default_factory=list)
    """What its functions import: (module, level)."""
    is_done: bool = False


@dataclass(slots=True)
class ImportOrder:
    """Loads modules in the order of a start. `is_outside`: whether a top-level name is not of the repository."""

    modules: ServiceModules
    is_outside: Callable[[str, str], bool]
    loaded: dict[str, _LoadedModule] = field(default_factory=dict)

    def follow(self, steps: Sequence[StartStep], importer: str) -> CircularImport | None:
        """None where everything is loaded; `importer`: any file of the image, for which modules are looked up."""
        try:
            for step in steps:
                if step.is_script:
                    self._execute(f"__main__ {step.target}", step.target)
                else:
                    self._load(importer, step.target, 0)
        except ImportFailed as failed:
            if failed.circular_import is None:
                raise Undecided(f"the start fails in another way: {failed}") from None
            return failed.circular_import
        except RecursionError:
            raise Undecided("its imports are nested too deeply") from None
        return None

    def _load(self, importer: str, module: str, level: int) -> FoundModule | None:
        """Load a module with the packages above it; None where it is not of the repository."""
        parts = module.split(".") if module else []
        answer: FoundModule | None = None
        for count in range(0 if level else 1, len(parts) + 1):
            answer = self.modules.find_module(importer, ".".join(parts[:count]), level)
            if answer.kind in _OWN:
                self._execute(answer.path, answer.path)
            elif answer.kind is not ModuleKind.NAMESPACE:
                is_outside = answer.kind is ModuleKind.OUTSIDE or (not level and self.is_outside(importer, parts[0]))
                if is_outside:
                    return None
                if answer.kind is ModuleKind.MISSING:
                    raise ImportFailed(None, answer.reason)
                raise Undecided(answer.reason or f"{module} is not found")
        return answer

    def _execute(self, key: str, path: str) -> None:
        if key in self.loaded:
            return
        if len(self.loaded) >= _MAX_MODULES:
            raise Undecided(f"more than {_MAX_MODULES} modules are loaded")
        code = parse_module(self.modules.tree.read(path) or b"")
        if code is None or code.may_bind_any or code.may_replace_module:
            raise Undecided(f"{path} may change what it binds, or cannot be parsed")
        module = self.loaded[key] = _LoadedModule(path)
        is_script = key != path
        reader = ConditionReader(code.tree, self.modules.python, is_started=is_script)
        try:
            _Execution(self, module, reader).run(code.tree.body)
        except ImportFailed:
            del self.loaded[key]  # as Python does: the next import begins again
            raise
        module.is_done = True

    def load_from(self, module: _LoadedModule, statement: ast.ImportFrom) -> bool:
        """Run `from module import names`; whether it is one of the service's own modules."""
        source = self._load(module.path, statement.module or "", statement.level)
        if source is None:
            return False
        for alias in statement.names:
            if source.kind is ModuleKind.NAMESPACE or alias.name == "*":
                self._load_submodule(module, statement, alias.name)
                continue
            self._take(module, statement, source, alias.name)
        return True

    def _take(self, module: _LoadedModule, statement: ast.ImportFrom, source: FoundModule, name: str) -> None:
        target = self.loaded[source.path]
        if not target.is_done and name in target.bound:
            return
        if not target.is_done and name in target.maybe_bound:
            raise Undecided(f"whether {source.path} has bound {name} by then depends on what runs")
        binding = find_imported_name(self.modules, module.path, statement.module or "", statement.level, name)
        if target.is_done and binding.state is not BindingState.BOUND:
            if binding.state is BindingState.UNBOUND:
                raise ImportFailed(None, binding.reason)
            raise Undecided(binding.reason)
        if self._load_submodule(module, statement, name) or target.is_done:
            return
        if binding.state is not BindingState.BOUND:
            raise Undecided(binding.reason)
        raise ImportFailed(CircularImport(module.path, statement.lineno, source.path, name), "")

    def _load_submodule(self, module: _LoadedModule, statement: ast.ImportFrom, name: str) -> bool:
        """Load the submodule of a name, if there is one and the package has not bound that name itself."""
        if name == "*":
            raise Undecided(f"line {statement.lineno} of {module.path} takes all names")
        dotted = f"{statement.module}.{name}" if statement.module else name
        answer = self.modules.find_module(module.path, dotted, statement.level)
        if answer.kind is ModuleKind.UNKNOWN:
            raise Undecided(answer.reason)
        if answer.kind in _OWN:
            self._execute(answer.path, answer.path)
        return answer.kind is not ModuleKind.MISSING

    def load_plain(self, module: _LoadedModule, name: str) -> bool:
        """Run `import name`; whether it is of the service."""
        return self._load(module.path, name, 0) is not None

    def check_call(self, module: _LoadedModule, line: int) -> None:
        """A call of the service's own code may run any import in its functions."""
        for other in list(self.loaded.values()):
            for name, level in other.late_imports:
                if name == ANY_MODULE:
                    raise Undecided(f"line {line} of {module.path} may run a dynamic import of {other.path}")
                answer = self.modules.find_module(other.path, name, level)
                is_loaded = answer.path in self.loaded and self.loaded[answer.path].is_done
                if answer.kind in _OWN and not is_loaded:
                    raise Undecided(f"line {line} of {module.path} may run an import in a function of {other.path}")


class _Execution:
    """The statements of one module."""

    def __init__(self, order: ImportOrder, module: _LoadedModule, reader: ConditionReader) -> None:
        self._order = order
        self._module = module
        self._reader = reader

    def run(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            self._run_statement(statement)

    def _run_statement(self, statement: ast.stmt) -> None:
        for line in list_own_calls(statement, self._module.own_names):
            self._order.check_call(self._module, line)
        if isinstance(statement, ast.If) and (decided := self._reader.decide(statement.test)) is not None:
            self.run(statement.body if decided else statement.orelse)
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            self._run_import(statement)
            self._bind(find_bound_names(statement))
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            self._module.late_imports += list_all_imports(statement)
            self._module.own_names.add(statement.name)
            self._bind({statement.name})
        elif isinstance(statement, ast.ClassDef):
            self._run_class(statement)
            self._bind({statement.name})
        elif isinstance(statement, ast.Try) and not self._imports_outside_alone(statement):
            self._run_try(statement)
        else:
            self._run_other(statement)

    def _run_try(self, statement: ast.Try) -> None:
        """A `try` around imports of the service: its handler runs if one of them fails."""
        if not all(self._is_decided(inner) for inner in statement.body):
            raise Undecided(f"whether the handlers of line {statement.lineno} of {self._module.path} run is not known")
        try:
            self.run(statement.body)
        except ImportFailed as failed:
            handler = self._find_handler(statement, is_missing=failed.circular_import is None)
            if handler is None:
                raise
            self.run(handler.body)
        else:
            self.run(statement.orelse)
        self.run(statement.finalbody)

    def _is_decided(self, statement: ast.stmt) -> bool:
        """Whether nothing but a failing import of the service can end a statement."""
        if isinstance(statement, ast.ImportFrom) and statement.level:
            return True
        if isinstance(statement, ast.Import | ast.ImportFrom):
            firsts = {module.partition(".")[0] for module, _ in list_all_imports(statement)}
            return not any(self._order.is_outside(self._module.path, name) for name in firsts)
        return cannot_fail(statement)

    def _find_handler(self, statement: ast.Try, *, is_missing: bool) -> ast.ExceptHandler | None:
        catching = {"ImportError", "Exception", "BaseException"}
        for handler in statement.handlers:
            types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
            names = {read_dotted_name(name) for name in types if name is not None}
            if is_missing and "ModuleNotFoundError" in names:
                raise Undecided(f"which error line {handler.lineno} of {self._module.path} handles is not known")
            if not names or not names.isdisjoint(catching):
                return handler
            if not all(isinstance(getattr(builtins, name, None), type) for name in names):
                raise Undecided(f"which error line {handler.lineno} of {self._module.path} handles is not known")
        return None

    def _imports_outside_alone(self, statement: ast.stmt) -> bool:
        path = self._module.path
        return all(
            not level and module != ANY_MODULE and self._order.is_outside(path, module.partition(".")[0])
            for module, level in list_all_imports(statement)
        )

    def _run_import(self, statement: ast.Import | ast.ImportFrom) -> None:
        if isinstance(statement, ast.ImportFrom):
            if self._order.load_from(self._module, statement):
                self._module.own_names |= {alias.asname or alias.name for alias in statement.names}
            return
        for alias in statement.names:
            if self._order.load_plain(self._module, alias.name):
                self._module.own_names.add(alias.asname or alias.name.partition(".")[0])

    def _run_other(self, statement: ast.stmt) -> None:
        """An assignment, an expression, or a block."""
        if isinstance(statement, ast.Raise) or names_module_in_text(statement):
            raise Undecided(f"line {statement.lineno} of {self._module.path} may load more, or end the start")
        self._check_imports(statement)
        targets: list[ast.expr] = []
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, ast.AnnAssign | ast.AugAssign) and statement.value is not None:
            targets = [statement.target]
        bound = {name for target in targets for name in find_bound_names(target)}
        maybe_bound = find_bound_names(statement) - bound
        if isinstance(statement, ast.AnnAssign) and statement.value is None:
            maybe_bound = set()
        used = {node.id for node in walk_nodes(statement) if isinstance(node, ast.Name)}
        if not used.isdisjoint(self._module.own_names):
            self._module.own_names |= bound | maybe_bound
        self._module.bound -= maybe_bound
        self._module.maybe_bound |= maybe_bound
        self._bind(bound)

    def _run_class(self, statement: ast.ClassDef) -> None:
        self._module.own_names.add(statement.name)
        for inner in statement.body:
            if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                self._module.late_imports += list_all_imports(inner)
            elif any(list_all_imports(inner)):
                raise Undecided(f"line {inner.lineno} of {self._module.path} imports in a class")

    def _check_imports(self, statement: ast.stmt) -> None:
        """A block of which parts may not run: its imports must not load anything of the service."""
        if not self._imports_outside_alone(statement):
            raise Undecided(f"whether line {statement.lineno} of {self._module.path} imports depends on a run")

    def _bind(self, names: set[str]) -> None:
        self._module.bound |= names
        self._module.maybe_bound -= names
