"""The nodes of a module are those of the standard library's walk, contexts left out."""

import ast

from shared.proof.claims.source.module_code import has_assignment_expression, list_import_statements, list_nodes
from shared.proof.claims.source.scope_bindings import list_global_bindings

SOURCE = """
import os, sys as system
from . import parts
NAMES = [n for n in (1, 2) if (m := n)]
class Shelf:
    def open(self, *, at=1):
        from shop import till
        return lambda: {**self.__dict__, "a": at}
def count():
    global total, unset
    total = 1
    def inner():
        nonlocal_name = total
match NAMES:
    case [first, *rest]:
        pass
"""


def test_every_node_but_a_context_is_listed_in_the_order_of_the_walk() -> None:
    tree = ast.parse(SOURCE)
    walked = [node for node in ast.walk(tree) if not isinstance(node, ast.expr_context)]
    assert list(list_nodes(tree)) == walked
    assert [node.lineno for node in list_import_statements(tree)] == [2, 3, 7]
    assert has_assignment_expression(tree)
    assert list_global_bindings(tree) == {"total"}
