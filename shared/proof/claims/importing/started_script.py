"""Whether a file is run as `__main__`, put into its code: a guarded end of a script then runs for certain, or never.

Takes a parsed module and the service. Where its start is not known, the module is returned as it is.
"""

import ast
import copy

from shared.proof.claims.importing.started_modules import StartedModules
from shared.proof.claims.ports import ServiceModules
from shared.proof.claims.source.python_source import walk_nodes


def settle_main_guard(tree: ast.Module, path: str, modules: ServiceModules) -> ast.Module:
    """The module with `__name__ == "__main__"` replaced by what it is where the service starts."""
    if not any(_is_main_guard(node) for statement in tree.body for node in _list_tests(statement)):
        return tree
    steps = modules.list_start_steps() if isinstance(modules, StartedModules) else ()
    if not steps:
        return tree
    is_main = any(step.is_script and step.target == path for step in steps)
    return _GuardSettler(is_main=is_main).visit(copy.deepcopy(tree))  # type: ignore[no-any-return]


def _list_tests(statement: ast.stmt) -> list[ast.AST]:
    return list(walk_nodes(statement.test)) if isinstance(statement, ast.If) else []


def _is_main_guard(node: ast.AST) -> bool:
    match node:
        case (
            ast.Compare(left=ast.Name(id="__name__"), ops=[ast.Eq()], comparators=[ast.Constant(value="__main__")])
            | ast.Compare(left=ast.Constant(value="__main__"), ops=[ast.Eq()], comparators=[ast.Name(id="__name__")])
        ):
            return True
    return False


class _GuardSettler(ast.NodeTransformer):
    def __init__(self, *, is_main: bool) -> None:
        self._is_main = is_main

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        """The guard as a constant at its place."""
        return ast.copy_location(ast.Constant(self._is_main), node) if _is_main_guard(node) else node
