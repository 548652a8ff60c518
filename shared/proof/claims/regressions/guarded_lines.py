"""Which lines of a source are written for an error of theirs: what they raise is caught, and something else is done."""

import ast
from collections.abc import Iterator

from shared.proof.claims.source.python_source import read_dotted_name, walk_nodes

_BROAD = frozenset(("", "Exception", "BaseException"))
_ENDING = frozenset(("exit", "_exit", "quit", "abort", "kill", "fail"))
_MAX_PROBED = 2
"""Statements behind a broad handler that may be there to see whether they work."""


def find_guarded_lines(tree: ast.Module, error_class: str) -> frozenset[int]:
    """The lines in a `try` or a `with` that expects an error of a class, or of a class above it."""
    return frozenset(line for node in walk_nodes(tree) for line in _list_lines(node, _list_classes(error_class)))


def _list_classes(error_class: str) -> frozenset[str]:
    above = {
        "ModuleNotFoundError": ("ImportError",),
        "UnboundLocalError": ("NameError",),
        "FileNotFoundError": ("OSError", "IOError", "EnvironmentError"),
    }
    return frozenset((error_class, *above.get(error_class, ())))


def _list_lines(node: ast.AST, classes: frozenset[str]) -> Iterator[int]:
    if isinstance(node, ast.Try | ast.TryStar):
        is_guarded = any(_expects(handler, node, classes) for handler in node.handlers)
    elif isinstance(node, ast.With | ast.AsyncWith):
        is_guarded = any("suppress" in ast.dump(item.context_expr) for item in node.items)
    else:
        return
    for statement in node.body if is_guarded else ():
        yield from range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)


def _ends_run(node: ast.AST) -> bool:
    """Whether a handler hands the error on, or ends what runs, and does not only report it."""
    if isinstance(node, ast.Call):
        return read_dotted_name(node.func).rpartition(".")[2] in _ENDING
    return isinstance(node, ast.Raise)


def _expects(handler: ast.ExceptHandler, around: ast.Try | ast.TryStar, classes: frozenset[str]) -> bool:
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {read_dotted_name(part).rpartition(".")[2] if part is not None else "" for part in types}
    if names & classes:
        return True
    is_probe = len(around.body) <= _MAX_PROBED and not any(
        _ends_run(node) for part in handler.body for node in walk_nodes(part)
    )
    return bool(names & _BROAD) and is_probe
