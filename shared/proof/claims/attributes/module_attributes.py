"""Whether a module has an attribute once it has been imported: bound by its code, or a submodule that it imports."""

import ast
from collections.abc import Iterator

from shared.proof.claims.attributes.bound_names import (
    BodyReader,
    list_possible_names,
    read_scope_bindings,
    read_scope_deletions,
)
from shared.proof.claims.attributes.class_attributes import Answer, Presence
from shared.proof.claims.attributes.expression_meaning import MeaningFinder
from shared.proof.claims.attributes.source_file import SourceFile
from shared.proof.claims.claim import FoundModule, ModuleKind
from shared.proof.claims.source.python_source import describe_unparsed

_DYNAMIC_NAMES = frozenset(("globals", "vars", "locals", "exec", "eval", "setattr", "delattr", "__getattr__"))
_DYNAMIC_ATTRIBUTES = frozenset(("modules", "__dict__", "__class__", "__setattr__", "__delattr__"))
_OWN = (ModuleKind.FILE, ModuleKind.PACKAGE)


def find_module_attribute(
    finder: MeaningFinder, module: FoundModule, dotted: str, attribute: str, users: list[SourceFile]
) -> Answer:
    """`users`: the sources whose imports and assignments count beside the module's own."""
    if module.kind not in (*_OWN, ModuleKind.NAMESPACE):
        return Answer(Presence.UNKNOWN, module.reason or f"{dotted} is not of the repository")
    source = finder.get_source(module.path) if module.kind is not ModuleKind.NAMESPACE else None
    if source is None and module.kind is not ModuleKind.NAMESPACE:
        return Answer(Presence.UNKNOWN, describe_unparsed(module.path))
    if _is_removed([*users, *([source] if source else [])], attribute):
        return Answer(Presence.UNKNOWN, f"{attribute} may be removed, or set from outside")
    if source is not None:
        bound = BodyReader(read_scope_bindings, read_scope_deletions).read(source.tree.body)
        if attribute in bound:
            return Answer(Presence.PRESENT, f"{module.path} binds {attribute}")
        if doubt := _find_doubt(source, attribute):
            return Answer(Presence.UNKNOWN, doubt)
    return _find_submodule(finder, module, dotted, attribute, [*([source] if source else []), *users])


def _find_submodule(
    finder: MeaningFinder, module: FoundModule, dotted: str, attribute: str, importers: list[SourceFile]
) -> Answer:
    """A submodule is an attribute of its package once something has imported it."""
    absent = Answer(Presence.ABSENT, f"{module.path or dotted} does not bind {attribute}")
    if module.kind is ModuleKind.FILE:
        return absent
    name = f"{dotted}.{attribute}"
    submodule = finder.modules.find_module(finder.importing_path, name)
    if submodule.kind is ModuleKind.MISSING:
        return absent
    for importer in importers:
        if submodule.path and submodule.path in _list_imported(finder, importer):
            return Answer(Presence.PRESENT, f"{importer.path} imports the submodule {name}")
    return Answer(Presence.UNKNOWN, f"{name} is a module, but it is not known to be imported before")


def _list_imported(finder: MeaningFinder, source: SourceFile) -> Iterator[str]:
    """The paths of the modules that a file always imports."""

    def read_imports(node: ast.AST) -> Iterator[str]:
        match node:
            case ast.Import():
                for alias in node.names:
                    yield from _list_on_the_way(finder, source, alias.name)
            case ast.ImportFrom():
                module = node.module or ""
                if module or node.level:
                    yield finder.modules.find_module(source.path, module, node.level).path
                for alias in node.names:
                    yield from _find_from(finder, source, node, alias.name)

    return iter(BodyReader(read_imports, read_scope_deletions).read(source.tree.body))


def _list_on_the_way(finder: MeaningFinder, source: SourceFile, dotted: str) -> Iterator[str]:
    parts = dotted.split(".")
    for count in range(1, len(parts) + 1):
        yield finder.modules.find_module(source.path, ".".join(parts[:count])).path


def _find_from(finder: MeaningFinder, source: SourceFile, node: ast.ImportFrom, name: str) -> Iterator[str]:
    """`from package import name` imports a submodule where the package binds no such name itself."""
    package = finder.modules.find_module(source.path, node.module or "", node.level)
    if package.kind is ModuleKind.PACKAGE and name != "*" and not finder.is_exported(package.path, name):
        module = f"{node.module}.{name}" if node.module else name
        yield finder.modules.find_module(source.path, module, node.level).path


def _find_doubt(source: SourceFile, attribute: str) -> str:
    """Why the module may have the attribute all the same."""
    if attribute in list_possible_names(source.tree.body):
        return f"{source.path} binds {attribute} on some paths alone"
    if attribute.startswith("__") and attribute.endswith("__"):
        return f"{attribute} is among the names that Python itself gives"
    uses = (use for node in source.nodes if (use := _read_dynamic_use(node)))
    return next((f"{source.path} {use}" for use in uses), "")


def _read_dynamic_use(node: ast.AST) -> str:
    """How a node may change the names of its module; "" where it does not."""
    match node:
        case ast.Name(id=name) | ast.FunctionDef(name=name) if name in _DYNAMIC_NAMES:
            return f"uses {name}"
        case ast.Attribute(attr=name) if name in _DYNAMIC_ATTRIBUTES:
            return f"uses {name}"
        case ast.ImportFrom(names=[ast.alias(name="*")]):
            return "imports all names of another module"
        case ast.ImportFrom(names=names) if any(alias.name in _DYNAMIC_NAMES | {"modules"} for alias in names):
            return "imports what may change its names"
    return ""


def _is_removed(sources: list[SourceFile], attribute: str) -> bool:
    """Whether a file sets or deletes such an attribute of anything, or one whose name is not spelled."""
    for source in sources:
        for node in source.nodes:
            match node:
                case ast.Attribute(value=value, attr=name, ctx=ast.Store() | ast.Del()) if name == attribute:
                    if not (isinstance(value, ast.Name) and value.id in {"self", "cls"}):
                        return True
                case ast.Call(func=ast.Name(id="setattr" | "delattr"), args=[_, name, *_]):
                    if not isinstance(name, ast.Constant) or name.value == attribute:
                        return True
    return False
