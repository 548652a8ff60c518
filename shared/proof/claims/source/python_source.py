"""Parses a source of the service with the running interpreter's grammar, once for each content.

A source that does not parse gives None: it is broken, or newer than the Python that runs this.
"""

import ast
import sys
import warnings
from collections.abc import Iterator
from functools import lru_cache

from shared.proof.loading.commit_tree import MAX_BYTES

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@lru_cache(maxsize=128)
def parse_source(source: bytes) -> ast.Module | None:
    """The module of a source; None where it cannot be read."""
    if len(source) > MAX_BYTES:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def describe_unparsed(path: str) -> str:
    """Why nothing is known of a file whose source does not parse: one sentence, without a full stop."""
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"{path} cannot be parsed as Python {own}, which reads it: it is broken, or written for a newer Python"


def read_words(text: str) -> frozenset[str]:
    """The words of a list that is written as text."""
    return frozenset(text.split())


def list_parameters(arguments: ast.arguments) -> list[ast.arg]:
    """All parameters of a signature, in order."""
    variable = [argument for argument in (arguments.vararg, arguments.kwarg) if argument is not None]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *variable]


def read_dotted_name(node: ast.AST) -> str:
    """`a.b.c` of an expression that is only that; else ""."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])


def list_parts(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes right in a node but the context of an expression, in less time than by `ast.iter_child_nodes`."""
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, list):
            yield from (item for item in value if isinstance(item, ast.AST))
        elif isinstance(value, ast.AST) and name != "ctx":
            yield value


def walk_nodes(node: ast.AST) -> list[ast.AST]:
    """A node and all below it but the contexts of expressions, in the order of `ast.walk`, in a third of its time."""
    nodes = [node]
    for current in nodes:
        for name in current._fields:
            value = getattr(current, name, None)
            if isinstance(value, list):
                nodes.extend(item for item in value if isinstance(item, ast.AST))
            elif isinstance(value, ast.AST) and name != "ctx":
                nodes.append(value)
    return nodes


def walk_scope(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """Every node that belongs to the scope of these statements: nested functions and classes by their node alone.

    Of a comprehension and a lambda everything is given, of a function and a class what runs in the scope around it.
    """
    waiting: list[ast.AST] = list(reversed(body))
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, FunctionNode):
            waiting += [*node.decorator_list, *node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)]
        elif isinstance(node, ast.ClassDef):
            waiting += [*node.decorator_list, *node.bases, *node.keywords]
        else:
            waiting += reversed(list(ast.iter_child_nodes(node)))
