"""What the start of a service runs, beyond its modules, and how the simulated loading of them may end early.

A file that is run as `__main__` is put so into its code: a guarded end of a script then runs for certain, or never.
Where the start is not known, the parsed module is returned as it is.
"""

import ast
import copy
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from shared.proof.claims.ports import ServiceModules
from shared.proof.claims.source.python_source import walk_nodes


@dataclass(frozen=True, slots=True)
class StartStep:
    """A script that a start runs (a repository path), or a module that it imports."""

    target: str
    is_script: bool


@runtime_checkable
class StartedModules(Protocol):
    """Offered by the modules of a service whose start command is known."""

    def is_outside(self, importing_path: str, name: str) -> bool:
        """Whether a top-level name is of no file of the repository that may be on the import path."""

    def list_start_steps(self) -> tuple[StartStep, ...]:
        """What the start runs, in its order; () where that is not one plain command."""


class Undecided(Exception):
    """Why the order is not known."""


class ImportFailed(Exception):
    """An import that fails; without a circular import because a module is missing."""

    def __init__(self, circular_import: "CircularImport | None", reason: str) -> None:
        super().__init__(reason)
        self.circular_import = circular_import


@dataclass(frozen=True, slots=True)
class CircularImport:
    """`from module import name` in a line of the file at `path`, with `target` the file of the module."""

    path: str
    line: int
    target: str
    name: str


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
