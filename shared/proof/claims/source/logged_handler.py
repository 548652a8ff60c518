"""The handler that logged an error by its message alone, and the lines that it guards.

For the line of the call that logged, it returns what is in the `try` of that handler, and whether the call writes the
words that were logged; then the log and the file are of one version.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from shared.proof.claims.source.python_source import FunctionNode, parse_source, walk_nodes

_PLACEHOLDER = re.compile(r"%[-#0 +]?\d{0,3}(?:\.\d{1,3})?[sdrifx]|\{[^{}]{0,80}\}")
_LETTERS = re.compile(r"[^A-Za-z0-9]+")
_MIN_LETTERS = 6


@dataclass(frozen=True, slots=True)
class LoggedHandler:
    """Lines count from 1; `guarded` are those of the body of the `try`."""

    function: str
    guarded: range


def find_handler(source: bytes, line: int, function: str, text: str) -> LoggedHandler | None:
    """The handler in a function with a call on a line that writes the logged text; None where there is none."""
    tree = parse_source(source)
    if tree is None:
        return None
    innermost: LoggedHandler | None = None
    for scope in walk_nodes(tree):
        if not isinstance(scope, FunctionNode) or scope.name != function:
            continue
        for node in walk_nodes(scope):
            if isinstance(node, ast.Try) and any(_logs(handler, line, text) for handler in node.handlers):
                last = node.body[-1].end_lineno or node.body[-1].lineno
                innermost = LoggedHandler(function, range(node.body[0].lineno, last + 1))  # the innermost comes last
    return innermost


def _logs(handler: ast.ExceptHandler, line: int, text: str) -> bool:
    return any(
        isinstance(node, ast.Call) and node.lineno <= line <= (node.end_lineno or node.lineno) and _writes(node, text)
        for statement in handler.body
        for node in walk_nodes(statement)
    )


def _writes(call: ast.Call, text: str) -> bool:
    """Whether all words that a call spells are in the text, and enough of them that it is no chance."""
    logged = _LETTERS.sub("", text)
    pieces = [piece for argument in call.args[:1] for piece in _list_pieces(argument)]
    return sum(map(len, pieces)) >= _MIN_LETTERS and all(piece in logged for piece in pieces)


def _list_pieces(argument: ast.expr) -> Iterator[str]:
    for node in walk_nodes(argument):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from filter(None, (_LETTERS.sub("", piece) for piece in _PLACEHOLDER.split(node.value)))
