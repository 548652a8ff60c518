"""Lists the claims of a source that are worth a verdict: what it asks for and a cheap look does not find.

Covers each family that can be decided before the program runs. `only` limits them to those that mention one of some
names.
"""

import ast
import symtable
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.proof.claims.attributes.attribute_uses import name_function
from shared.proof.claims.attributes.class_attributes import Answer, Presence, find_attribute
from shared.proof.claims.attributes.class_hierarchy import Hierarchy, read_hierarchy
from shared.proof.claims.attributes.expression_meaning import ClassMeaning, MeaningFinder, ModuleMeaning
from shared.proof.claims.attributes.source_file import SourceFile
from shared.proof.claims.calls.call_signature import find_complaint, read_shape
from shared.proof.claims.calls.callee_signatures import Callee, SignatureSearch
from shared.proof.claims.calls.value_search import ValueSearch
from shared.proof.claims.claim import Claim, ClaimFamily, ModuleKind
from shared.proof.claims.importing.bindings import BindingState, find_imported_name
from shared.proof.claims.importing.import_requests import Guard, ImportRequest, list_import_requests
from shared.proof.claims.ports import ServiceModules
from shared.proof.claims.regressions.change_focus import Focus
from shared.proof.claims.regressions.complaints import add_message, format_call_complaint, list_unbound_locals
from shared.proof.claims.source.builtin_names import is_builtin
from shared.proof.claims.source.module_code import list_nodes
from shared.proof.claims.source.python_source import parse_source

_OWN = frozenset((ModuleKind.FILE, ModuleKind.PACKAGE, ModuleKind.NAMESPACE))
_EVERYWHERE = frozenset(("__file__", "__name__", "__doc__", "__package__", "__spec__", "__loader__", "__path__"))


@dataclass(frozen=True, slots=True)
class Suspect:
    """A claim. `subclassed`: the class whose subclasses may have what it lacks; "" where only one class is asked."""

    claim: Claim
    subclassed: str = ""


@dataclass(frozen=True, slots=True)
class SuspectReader:
    """Reads the files of one commit."""

    modules: ServiceModules
    finder: MeaningFinder
    values: ValueSearch
    _unbound: dict[tuple[str, str, str], bool] = field(default_factory=dict)
    _hierarchies: dict[ClassMeaning, Hierarchy] = field(default_factory=dict)
    _answers: dict[tuple[str, ClassMeaning, str], Answer] = field(default_factory=dict)

    def list_suspects(self, path: str, focus: Focus) -> Iterator[Suspect]:
        """The claims of one file."""
        source = self.modules.tree.read(path)
        tree = parse_source(source) if source is not None else None
        if source is None or tree is None:
            return
        yield from map(Suspect, self._list_imports(path, tree, focus))
        yield from map(Suspect, self._list_names(path, source, tree, focus))
        attributes, calls = _find_asked(tree, focus)
        if attributes:
            yield from self._list_attributes(path, focus)
        if calls:
            yield from map(Suspect, self._list_calls(path, focus))

    def list_missing_imports(self, path: str) -> Iterator[Suspect]:
        """The imports of one file that find nothing."""
        tree = parse_source(self.modules.tree.read(path) or b"")
        yield from map(Suspect, self._list_imports(path, tree, Focus())) if tree is not None else ()

    def _list_imports(self, path: str, tree: ast.Module, focus: Focus) -> Iterator[Claim]:
        asked: dict[tuple[ClaimFamily, str, str], tuple[int, int]] = {}
        for request in list_import_requests(tree, self.modules.python, "ImportError"):
            if request.guard is Guard.CAUGHT or request.is_dynamic:
                continue
            if focus.covers_line(request.line, *request.parts, request.name):
                position = request.line, request.level
                asked |= {key: position for key in self._list_missing(path, request) if key not in asked}
        for (family, module, name), (line, level) in asked.items():
            yield add_message(Claim(family, path, line, "", "", "<module>", module=module, name=name), level)

    def _list_missing(self, path: str, request: ImportRequest) -> Iterator[tuple[ClaimFamily, str, str]]:
        for count in range(1, len(request.parts) + 1):
            module = ".".join(request.parts[:count])
            step = self.modules.find_module(path, module, request.level)
            if step.kind is ModuleKind.MISSING:
                yield ClaimFamily.MODULE, module, ""
            if step.kind not in _OWN:
                return
        if request.name not in {"", "*"} and self._is_unbound(path, request):
            yield ClaimFamily.IMPORT_NAME, request.module, request.name

    def _is_unbound(self, path: str, request: ImportRequest) -> bool:
        """Whether a module does not have the name; for the same module and name decided once."""
        source = self.modules.find_module(path, request.module, request.level)
        key = (source.path, request.module, request.name)
        if request.level or key not in self._unbound:
            binding = find_imported_name(self.modules, path, request.module, request.level, request.name)
            self._unbound[key] = binding.state is BindingState.UNBOUND
        return self._unbound[key]

    def _list_names(self, path: str, source: bytes, tree: ast.Module, focus: Focus) -> Iterator[Claim]:
        former = frozenset(_list_unbound_globals(focus.former)) if focus.former is not None else frozenset()
        for name in _list_unbound_globals(source):
            is_known = is_builtin(name, self.modules.python) or name in _EVERYWHERE
            is_asked = name in focus.names if focus.is_unchanged else name not in former or name in focus.names
            if not is_known and is_asked:
                yield add_message(Claim(ClaimFamily.NAME, path, 0, "", "", name=name))
        for function, name, line in () if focus.is_unchanged else list_unbound_locals(tree):
            yield add_message(Claim(ClaimFamily.LOCAL_NAME, path, line, "", "", function, name=name))

    def _list_attributes(self, path: str, focus: Focus) -> Iterator[Suspect]:
        source = self.finder.get_source(path)
        asked: set[tuple[str, str]] = set()
        for node in source.nodes if source is not None else ():
            if source is None or not isinstance(node, ast.Attribute) or not _is_asked(node, focus):
                continue
            suspect = self._judge_attribute(source, node)
            key = (suspect.claim.owner or suspect.claim.module, node.attr) if suspect is not None else ("", "")
            if suspect is not None and key not in asked:
                asked.add(key)
                yield suspect

    def _judge_attribute(self, source: SourceFile, node: ast.Attribute) -> Suspect | None:
        meaning = self.finder.find_meaning(source, node.value)
        function = name_function(source, node)
        claim = Claim(ClaimFamily.MODULE_ATTRIBUTE, source.path, node.lineno, "AttributeError", "", name=node.attr)
        if isinstance(meaning, ModuleMeaning):
            dotted = meaning.name or self._name_module(source.path, meaning.location.path)
            if not dotted or not self._lacks(source.path, meaning, node.attr, dotted):
                return None
            return Suspect(add_message(_replace(claim, module=dotted)))
        if not isinstance(meaning, ClassMeaning) or meaning.is_annotated:
            return None
        answer = self._find_attribute(source, meaning, node.attr)
        if answer.presence is not Presence.ABSENT:
            return None
        owner = meaning.node.name
        shown = f"'{owner}' object" if meaning.is_instance else f"type object '{owner}'"
        message = f"{shown} has no attribute '{node.attr}'"
        claim = Claim(
            ClaimFamily.CLASS_ATTRIBUTE, source.path, node.lineno, "AttributeError", message, function,
            f"x.{node.attr}", name=node.attr, owner=owner,
        )  # fmt: skip
        return Suspect(claim, owner if meaning.is_self else "")

    def _find_attribute(self, source: SourceFile, meaning: ClassMeaning, name: str) -> Answer:
        """What a class has, as one source asks for it: asked once, however often it does."""
        key = (source.path, meaning, name)
        if key not in self._answers:
            if meaning not in self._hierarchies:
                self._hierarchies[meaning] = read_hierarchy(self.finder, meaning)
            hierarchy = self._hierarchies[meaning]
            self._answers[key] = find_attribute(hierarchy, name, [source], on_type=not meaning.is_instance)
        return self._answers[key]

    def _lacks(self, path: str, meaning: ModuleMeaning, name: str, dotted: str) -> bool:
        """Whether a module of the repository neither binds a name nor has a submodule of it."""
        location = meaning.location
        if location.kind not in {ModuleKind.FILE, ModuleKind.PACKAGE} or self.finder.is_exported(location.path, name):
            return False
        return self.modules.find_module(path, f"{dotted}.{name}").kind is ModuleKind.MISSING

    def _name_module(self, importing_path: str, path: str) -> str:
        """A dotted name by which a file finds a module of the repository; "" where there is none."""
        parts = path.removesuffix("/__init__.py").removesuffix(".py").split("/")
        for start in range(len(parts)):
            dotted = ".".join(parts[start:])
            if self.modules.find_module(importing_path, dotted).path == path:
                return dotted
        return ""

    def _list_calls(self, path: str, focus: Focus) -> Iterator[Claim]:
        file = self.values.open_file(path)
        signatures = SignatureSearch(self.values)
        for call in list_nodes(file.tree) if file is not None else ():
            if file is None or not isinstance(call, ast.Call) or not read_shape(call).is_exact:
                continue
            if not _is_asked(call, focus):
                continue
            callee = signatures.find(self.values.find(call.func, file, file.scopes[call]), "")
            if not isinstance(callee, Callee) or not callee.is_exact or callee.takes_nothing or callee.positional:
                continue
            complaints = (find_complaint(signature, read_shape(call)) for signature in callee.signatures)
            complaint = next((entry for entry in complaints if entry is not None), None)
            if complaint is not None and not callee.keywords:
                inner = file.scopes[call][-1]
                function = "<module>" if isinstance(inner, ast.Module) else getattr(inner, "name", "<lambda>")
                yield Claim(
                    ClaimFamily.CALL, path, call.lineno, "TypeError", format_call_complaint(complaint), function,
                    owner=complaint.callee,
                )  # fmt: skip


def _find_asked(tree: ast.Module, focus: Focus) -> tuple[bool, bool]:
    """Whether any attribute, and whether any call of a source is worth a look."""
    asked = [node for node in list_nodes(tree) if isinstance(node, ast.Attribute | ast.Call) and _is_asked(node, focus)]
    return any(isinstance(node, ast.Attribute) for node in asked), any(isinstance(node, ast.Call) for node in asked)


def _is_asked(node: ast.Attribute | ast.Call, focus: Focus) -> bool:
    """Whether an attribute that is read, or a call, may newly fail."""
    if isinstance(node, ast.Attribute) and (not isinstance(node.ctx, ast.Load) or node.attr.startswith("__")):
        return False
    names: list[str] = []
    inner: ast.expr = node.func if isinstance(node, ast.Call) else node
    while isinstance(inner, ast.Attribute | ast.Call):
        names += [inner.attr] if isinstance(inner, ast.Attribute) else []
        inner = inner.value if isinstance(inner, ast.Attribute) else inner.func
    names += [inner.id] if isinstance(inner, ast.Name) else []
    return bool(names) and focus.covers(node, *names)


def _replace(claim: Claim, *, module: str) -> Claim:
    return Claim(
        claim.family,
        claim.path,
        claim.line,
        claim.error_class,
        "",
        source_text=f"x.{claim.name}",
        module=module,
        name=claim.name,
    )


def _list_unbound_globals(source: bytes) -> list[str]:
    """The global names that a source reads and that its module nowhere binds, in the order of their names."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            top = symtable.symtable(source.decode("utf-8", "replace"), "<source>", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    bound: set[str] = set()
    read: set[str] = set()
    waiting = [top]
    for table in waiting:
        waiting += table.get_children()
        is_top = table is top
        for symbol in table.get_symbols():
            is_bound = symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()
            if is_bound and (is_top or symbol.is_declared_global()):
                bound.add(symbol.get_name())
            if symbol.is_referenced() and (is_top or symbol.is_global()):
                read.add(symbol.get_name())
    return sorted(read - bound)
