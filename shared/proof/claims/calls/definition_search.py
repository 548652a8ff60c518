"""All functions of a name that a file can reach: its own, and those of the repository's modules that it imports."""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache

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
