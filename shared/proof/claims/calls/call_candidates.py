"""Which calls of a file a complaint can mean: by the name of what is called, and by the names it has in the file.

`find_definitions` lists all functions of a name that a file can reach: its own, and those of the repository's modules
that it imports.
"""

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache

from shared.proof.claims.calls.call_message import CallComplaint, ComplaintKind
from shared.proof.claims.calls.code_values import FunctionValue, SourceFile
from shared.proof.claims.calls.value_search import ValueSearch
from shared.proof.claims.claim import ModuleKind
from shared.proof.claims.ports import ServiceModules
from shared.proof.claims.source.module_code import list_import_statements, list_nodes
from shared.proof.claims.source.python_source import FunctionNode, read_dotted_name

_MAX_FILES = 40


def find_definitions(
    values: ValueSearch, file: SourceFile, is_claimed: Callable[[str], bool], name: str
) -> Iterator[FunctionValue]:
    """Each definition whose qualified name is claimed, as reached through an instance where it is a method."""
    paths = [file.path, *_list_imported_files(values.modules, file)][:_MAX_FILES]
    for path in paths:
        source = values.open_file(path)
        if source is None:
            continue
        for node in _list_functions(source.tree).get(name, ()):
            if is_claimed(source.get_qualname(node)):
                yield FunctionValue(source, node, _count_bound(source, node), is_exact=False)


@lru_cache(maxsize=256)  # every call of an unknown receiver asks for the definitions of its name
def _list_functions(tree: ast.Module) -> Mapping[str, Sequence[ast.FunctionDef | ast.AsyncFunctionDef]]:
    """All functions of a file by their name, in the order of `ast.walk`."""
    functions: dict[str, list[ast.FunctionDef | ast.AsyncFunctionDef]] = {}
    for node in list_nodes(tree):
        if isinstance(node, FunctionNode):
            functions.setdefault(node.name, []).append(node)
    return functions


def _count_bound(source: SourceFile, node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    is_method = isinstance(source.scopes[node][-1], ast.ClassDef)
    is_static = any(read_dotted_name(decorator) == "staticmethod" for decorator in node.decorator_list)
    return int(is_method and not is_static)


def _list_imported_files(modules: ServiceModules, file: SourceFile) -> list[str]:
    """The files of the repository that the import statements of a file name."""
    paths: dict[str, None] = {}
    for node in list_import_statements(file.tree):
        for module, level in _list_modules(node):
            module_file = modules.find_module(file.path, module, level)
            if module_file.kind in {ModuleKind.FILE, ModuleKind.PACKAGE} and module_file.path != file.path:
                paths[module_file.path] = None
    return list(paths)


def _list_modules(node: ast.AST) -> Iterator[tuple[str, int]]:
    if isinstance(node, ast.Import):
        yield from ((alias.name, 0) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield node.module or "", node.level
        for alias in node.names:
            yield ".".join(part for part in (node.module, alias.name) if part), node.level


_CONSTRUCTORS = frozenset(("__init__", "__new__"))
_CALLED = re.compile(r"(?<!\w)([^\W\d]\w{0,200}+)\s{0,20}+\(")


class CandidateCalls:
    """The calls of one file that may call what a message names."""

    def __init__(self, file: SourceFile, complaint: CallComplaint, source_text: str) -> None:
        self._file = file
        self._names = _list_callee_names(complaint)
        logged = set(_CALLED.findall(source_text))
        self.is_named_in_log = bool(logged & self._names)
        """Whether the logged line calls it by its own name."""
        self._own_names = frozenset(self._names)
        self._names |= _list_aliases(file.tree, self._names)
        self._is_any_class = complaint.callee in _CONSTRUCTORS
        if not self.is_named_in_log:
            self._names |= logged

    def are_all_named(self, calls: list[ast.Call]) -> bool:
        """Whether calls name what the message names itself: what has another name may pass arguments of its own."""
        return bool(calls or self.is_named_in_log) and all(_read_called_name(call) in self._own_names for call in calls)

    def list_calls(self) -> Iterator[ast.Call]:
        """In the order of the file."""
        calls = [node for node in list_nodes(self._file.tree) if isinstance(node, ast.Call)]
        for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset)):
            name = _read_called_name(call)
            if name in self._names or (self._is_any_class and name[:1].isupper()):
                yield call


def _list_callee_names(complaint: CallComplaint) -> set[str]:
    """By which names a call reaches it: a class by its own, and `super().__init__`."""
    parts = complaint.callee.split(".")
    if complaint.kind is ComplaintKind.NO_ARGUMENTS or parts[-1] not in _CONSTRUCTORS:
        return {parts[-1]}
    return {*parts[-2:], "cls"}


def _list_aliases(tree: ast.Module, names: set[str]) -> set[str]:
    """Names that are bound to one of these, and to partial functions of them."""
    aliases: set[str] = set()
    for node in list_nodes(tree):
        if isinstance(node, ast.ImportFrom):
            aliases |= {alias.asname for alias in node.names if alias.asname and alias.name in names}
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(_read_last_name(part) in names for part in _list_sources(node.value)):
                aliases |= {name for target in targets if (name := _read_last_name(target))}
        if isinstance(node, ast.ClassDef) and any(_read_last_name(base) in names for base in node.bases):
            aliases.add(node.name)
    return aliases


def _list_sources(value: ast.expr) -> list[ast.expr]:
    if isinstance(value, ast.Call) and read_dotted_name(value.func).endswith("partial"):
        return value.args[:1]
    return [value]


def _read_last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Subscript):
        return _read_last_name(node.value)
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _read_called_name(call: ast.Call) -> str:
    return _read_last_name(call.func)
