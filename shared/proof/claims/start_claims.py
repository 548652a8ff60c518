"""What a module asks for while it is loaded, as claims that a judge can decide: imported names, and global names.

Takes the bytes of a source. Only what its top level and its class bodies run counts, not what functions do later.
"""

import ast
import builtins
from collections.abc import Iterator

from shared.proof.claims.claim import Claim, ClaimFamily

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def list_start_claims(source: bytes) -> Iterator[Claim]:
    """A claim for each name that is imported or may be undefined; none where the source does not parse here."""
    try:
        module = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for statement in module.body:
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                yield _make_claim(ClaimFamily.MODULE, "ModuleNotFoundError", statement.lineno, alias.name, "")
        elif isinstance(statement, ast.ImportFrom):
            for alias in statement.names:
                if alias.name != "*":
                    module_name = statement.module or ""
                    yield _make_claim(ClaimFamily.IMPORT_NAME, "ImportError", statement.lineno, module_name, alias.name)
    yield from _list_name_claims(module)


def _list_name_claims(module: ast.Module) -> Iterator[Claim]:
    """The first use of each name that nothing in the file binds: most files have none."""
    bound = set(dir(builtins)) | {"__file__", "__path__"}
    for node in ast.walk(module):
        bound.update(_list_bound(node))
    if "*" in bound:
        return
    for node in _walk_loaded(module):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id not in bound:
            bound.add(node.id)
            yield _make_claim(ClaimFamily.NAME, "NameError", node.lineno, "", node.id)


def _list_bound(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest
    elif isinstance(node, ast.Global):
        yield from node.names


def _walk_loaded(module: ast.Module) -> Iterator[ast.AST]:
    """The nodes that run while a module is loaded: of a function, its decorators and defaults alone."""
    waiting: list[ast.AST] = list(reversed(module.body))
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(list(_list_run(node)))


def _list_run(node: ast.AST) -> Iterator[ast.AST]:
    if not isinstance(node, _FUNCTIONS):
        yield from ast.iter_child_nodes(node)
        return
    yield from getattr(node, "decorator_list", ())
    yield from node.args.defaults
    yield from (default for default in node.args.kw_defaults if default is not None)


def _make_claim(family: ClaimFamily, error_class: str, line: int, module: str, name: str) -> Claim:
    return Claim(family, "", line, error_class, "", function="<module>", module=module, name=name)
