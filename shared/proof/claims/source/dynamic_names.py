"""What in a module may bind or unbind a global name without naming it: `globals()`, `exec`, `setattr` and the like."""

import ast
from collections.abc import Iterator
from functools import lru_cache

from shared.proof.claims.source.python_source import read_dotted_name, walk_nodes, walk_scope
from shared.proof.claims.source.scope_bindings import read_bound_alias

_DYNAMIC_CALLS = frozenset(("exec", "eval", "globals", "execfile"))
_SCOPE_CALLS = frozenset(("vars", "locals", "dir"))
_BUILTIN_MODULES = frozenset(("builtins", "__builtins__", "__builtin__"))
_TABLE = "sys.modules"
_LISTING_CALLS = frozenset(("len", "list", "set", "tuple", "sorted"))


def find_dynamic_names(tree: ast.Module, name: str) -> str:
    """What may bind the name at run time, for a reader; "" for nothing."""
    modules = _list_module_aliases(tree)
    table = _find_kept_table(tree)
    if table is not None:
        return f"{_TABLE} in line {getattr(table, 'lineno', 0)}"
    for node in walk_nodes(tree):
        description = _describe(node, name, modules)
        if description:
            return f"{description} in line {getattr(node, 'lineno', 0)}"
    for node in walk_scope(tree.body):
        if isinstance(node, ast.Call) and read_dotted_name(node.func) in _SCOPE_CALLS - {"dir"} and not node.args:
            return f"{read_dotted_name(node.func)}() in line {node.lineno}"
    return ""


@lru_cache(maxsize=256)  # every name of a file asks
def _find_kept_table(tree: ast.Module) -> ast.AST | None:
    """Where the table of all modules is more than asked for its names: what it gives may be this module."""
    systems = {"sys"}
    listed: set[int] = set()
    for node in walk_nodes(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "sys" and not node.level:
            if any(alias.name in {"modules", "*"} for alias in node.names):
                return node
        elif isinstance(node, ast.Import):
            systems |= {alias.asname for alias in node.names if alias.name == "sys" and alias.asname}
        listed |= {id(table) for table in _list_listed(node)}
    return next(
        (
            node
            for node in walk_nodes(tree)
            if isinstance(node, ast.Attribute)
            and node.attr == "modules"
            and read_dotted_name(node.value) in systems
            and id(node) not in listed
        ),
        None,
    )


def _list_listed(node: ast.AST) -> Iterator[ast.expr]:
    """What a node asks for its keys alone: `"x" in table`, `list(table)`, `for key in table`, `table.keys()`."""
    if isinstance(node, ast.Compare) and all(isinstance(operator, ast.In | ast.NotIn) for operator in node.ops):
        yield from node.comparators
    elif isinstance(node, ast.For | ast.comprehension):
        yield node.iter
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "keys":
        yield node.func.value
    elif isinstance(node, ast.Call) and read_dotted_name(node.func) in _LISTING_CALLS:
        yield from node.args


@lru_cache(maxsize=256)  # every name of a file asks
def may_unbind(tree: ast.Module) -> bool:
    """Whether anything may take a global name away without naming it."""
    return any(_unbinds_any(node, tree) for node in walk_nodes(tree))


def _unbinds_any(node: ast.AST, tree: ast.Module) -> bool:
    if isinstance(node, ast.Delete):
        return any(_is_globals_item(target) for target in node.targets)
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Attribute) and _is_globals(node.func.value):
        return node.func.attr in {"pop", "clear", "popitem"}
    is_deletion = read_dotted_name(node.func) == "delattr" and bool(node.args)
    return is_deletion and read_dotted_name(node.args[0]) in {*_list_module_aliases(tree), "sys.modules", ""}


def _describe(node: ast.AST, name: str, modules: frozenset[str]) -> str:
    if isinstance(node, ast.Call):
        return _describe_call(node, modules)
    if isinstance(node, ast.Attribute):
        return _describe_attribute(node, name, modules)
    return "__builtins__" if isinstance(node, ast.Name) and node.id == "__builtins__" else ""


def _describe_call(node: ast.Call, modules: frozenset[str]) -> str:
    called = read_dotted_name(node.func)
    if called in _DYNAMIC_CALLS or called.endswith("gettext.install"):
        return f"{called}()"
    is_patch = called == "setattr" and bool(node.args) and read_dotted_name(node.args[0]) in modules
    return "setattr() on a module" if is_patch else ""


def _describe_attribute(node: ast.Attribute, name: str, modules: frozenset[str]) -> str:
    owner = read_dotted_name(node.value)
    if owner in _BUILTIN_MODULES and (node.attr == "__dict__" or not isinstance(node.ctx, ast.Load)):
        return "a change of the builtins"
    is_patch = owner in modules and node.attr == name and isinstance(node.ctx, ast.Store)
    return f"an assignment to {owner}.{name}" if is_patch else ""


@lru_cache(maxsize=256)
def _list_module_aliases(tree: ast.Module) -> frozenset[str]:
    return frozenset(_iterate_aliases(tree))


def _iterate_aliases(tree: ast.Module) -> Iterator[str]:
    for node in walk_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (read_bound_alias(node, alias) for alias in node.names)
            yield from (alias.name for alias in node.names if isinstance(node, ast.Import))


def _is_globals(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and read_dotted_name(node.func) in {"globals", "vars", "locals"}


def _is_globals_item(node: ast.AST) -> bool:
    return isinstance(node, ast.Subscript) and _is_globals(node.value)
