"""Broken files that a service runs without: every import that leads to them stands where a handler takes the error.

It reads the files that import them. What cannot be read so has no such handler.
"""

import ast
import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from shared.proof.gating.loaded_files import LoadedState
from shared.proof.loading.import_follower import ImportFollower
from shared.proof.loading.imports import Import, Imports

_TAKING = frozenset(("", "Exception", "BaseException", "SyntaxError"))
_ENDING = frozenset(("exit", "_exit", "quit", "abort", "kill"))
_OTHER_ERRORS = frozenset(("ImportError", "ModuleNotFoundError", "AttributeError", "KeyError", "OSError", "ValueError"))
"""Handlers of these let a syntax error pass on to the next handler; of any other name nobody knows."""

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def is_run_without(path: str, state: LoadedState, read: Callable[[str], bytes | None]) -> bool:
    """Whether a state's service loads a file by such imports alone. `read` gives the contents of a blob."""
    follower = state.closure.follower
    if follower is None or path in state.closure.scripts:
        return False
    name = posixpath.basename(posixpath.dirname(path) if path.endswith("/__init__.py") else path.removesuffix(".py"))
    handled: dict[str, frozenset[Import]] = {}
    for importer, imports in state.closure.imports_read.items():
        naming = [imported for imported in imports.imported if name in (*imported.module.split("."), *imported.names)]
        if naming and importer != path and importer in state.blobs:
            unhandled = _count_unhandled(read(state.blobs[importer]) or b"")
            handled[importer] = frozenset(entry for entry in naming if unhandled.get(_get_key(entry)) == 0)
    return any(handled.values()) and path not in _follow_without(follower, state.closure.imports_read, handled)


def _follow_without(
    follower: ImportFollower, imports_read: Mapping[str, Imports], left_out: Mapping[str, frozenset[Import]]
) -> frozenset[str]:
    """What is loaded where files lack some of their imports."""

    def load(path: str) -> Imports:
        imports, less = imports_read.get(path, Imports()), left_out.get(path)
        return (
            replace(imports, imported=tuple(entry for entry in imports.imported if entry not in less))
            if less
            else imports
        )

    other = ImportFollower(follower.files, follower.roots, load, follower.command_words)
    for start in follower.found_starts:
        other.add_start(start)
    for added in follower.added_paths:
        other.add_with_packages(added)
    other.follow_all()
    return frozenset(other.loaded.values())


_Key = tuple[str, int, frozenset[str]]


def _get_key(imported: Import) -> _Key:
    return imported.module, imported.level, frozenset(imported.names)


def _count_unhandled(source: bytes) -> Mapping[_Key, int]:
    """How many statements of each import in a source have no handler around them."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    counts: dict[_Key, int] = {}
    waiting: list[tuple[ast.AST, bool]] = [(tree, False)]
    while waiting:
        node, is_handled = waiting.pop()
        for key in _list_keys(node):
            counts[key] = counts.get(key, 0) + (not is_handled)
        waiting += _list_children(node, is_handled=is_handled)
    return counts


def _list_keys(node: ast.AST) -> Iterator[_Key]:
    if isinstance(node, ast.Import):
        yield from ((alias.name, 0, frozenset[str]()) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield node.module or "", node.level, frozenset(alias.name for alias in node.names)


def _list_children(node: ast.AST, *, is_handled: bool) -> Iterator[tuple[ast.AST, bool]]:
    """What a function does happens when it is called, outside of a handler around its definition."""
    inside = is_handled and not isinstance(node, _Function)
    attempted = {id(part) for part in node.body} if isinstance(node, ast.Try) and _takes_error(node) else set()
    for child in ast.iter_child_nodes(node):
        yield child, inside or id(child) in attempted


def _takes_error(node: ast.Try) -> bool:
    """Whether the first handler that a syntax error reaches goes on."""
    for handler in node.handlers:
        types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        names = {"" if part is None else ast.unparse(part).rpartition(".")[2] for part in types}
        if names & _TAKING:
            return not any(_ends_run(inner) for part in handler.body for inner in ast.walk(part))
        if not names <= _OTHER_ERRORS:
            return False
    return False


def _ends_run(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return ast.unparse(node.func).rpartition(".")[2] in _ENDING
    return isinstance(node, ast.Raise)
