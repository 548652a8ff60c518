"""Whether a decorator of the repository hands all arguments of a call on, unchanged.

Only one shape counts: the decorator returns a function that takes `*args, **kwargs` alone, changes neither, and calls
what is decorated with exactly these.
"""

import ast

from shared.proof.claims.source.python_source import FunctionNode, read_dotted_name, walk_nodes, walk_scope

_READING = frozenset(("get", "items", "keys", "values", "copy", "index", "count"))


def forwards_arguments(node: ast.FunctionDef | ast.AsyncFunctionDef, *, is_factory: bool) -> bool:
    """`is_factory`: it is called first, and gives the decorator."""
    if isinstance(node, ast.AsyncFunctionDef) or node.decorator_list:
        return False
    if is_factory:
        inner = _find_returned(node)
        return inner is not None and forwards_arguments(inner, is_factory=False)
    parameters = [*node.args.posonlyargs, *node.args.args]
    wrapper = _find_returned(node)
    if len(parameters) != 1 or wrapper is None or node.args.vararg or node.args.kwarg or node.args.kwonlyargs:
        return False
    return _is_wrapper(wrapper, parameters[0].arg) and not _is_bound_again(node, parameters[0].arg)


def _find_returned(
    node: ast.FunctionDef | ast.AsyncFunctionDef,
) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The nested function that every `return` gives."""
    nested = {part.name: part for part in node.body if isinstance(part, FunctionNode)}
    returned = [part.value for part in walk_scope(node.body) if isinstance(part, ast.Return)]
    names = {value.id if isinstance(value, ast.Name) else "" for value in returned}
    ends_with_return = bool(node.body) and isinstance(node.body[-1], ast.Return)
    return nested.get(names.pop()) if len(names) == 1 and ends_with_return else None


def _is_wrapper(wrapper: ast.FunctionDef | ast.AsyncFunctionDef, function: str) -> bool:
    arguments = wrapper.args
    if arguments.vararg is None or arguments.kwarg is None:
        return False
    if arguments.posonlyargs or arguments.args or arguments.kwonlyargs:
        return False
    if not all(_is_wraps(decorator, function) for decorator in wrapper.decorator_list):
        return False
    rest, keywords = arguments.vararg.arg, arguments.kwarg.arg
    nodes = list(walk_nodes(ast.Module(body=wrapper.body, type_ignores=[])))
    calls = [node for node in nodes if isinstance(node, ast.Call) and _is_name(node.func, function)]
    named = sum(_is_name(node, function) for node in nodes)
    is_forwarding = all(_is_forwarding(call, rest, keywords) for call in calls)
    return (
        bool(calls)
        and named == len(calls) + _count_readings(nodes, function)
        and is_forwarding
        and not _changes(nodes, {rest, keywords})
    )


def _is_forwarding(call: ast.Call, rest: str, keywords: str) -> bool:
    match call:
        case ast.Call(args=[ast.Starred(value=ast.Name(id=first))], keywords=[ast.keyword(arg=None, value=last)]):
            return first == rest and _is_name(last, keywords)
    return False


def _count_readings(nodes: list[ast.AST], function: str) -> int:
    """`function.__name__` and the like."""
    return sum(
        isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and _is_name(node.value, function)
        for node in nodes
    )


def _changes(nodes: list[ast.AST], names: set[str]) -> bool:
    """Whether one of these containers may be changed."""
    for node in nodes:
        if isinstance(node, ast.Name) and node.id in names and not isinstance(node.ctx, ast.Load):
            return True
        if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load) and _names_any(node.value, names):
            return True
        if isinstance(node, ast.Attribute) and _names_any(node.value, names) and node.attr not in _READING:
            return True
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return True
        if isinstance(node, ast.Call) and any(_names_any(argument, names) for argument in node.args):
            return True
    return False


def _names_any(node: ast.AST, names: set[str]) -> bool:
    return isinstance(node, ast.Name) and node.id in names


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _is_wraps(decorator: ast.expr, function: str) -> bool:
    match decorator:
        case ast.Call(func=target, args=[ast.Name(id=wrapped)], keywords=[]):
            return wrapped == function and read_dotted_name(target) in {"wraps", "functools.wraps"}
    return False


def _is_bound_again(node: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> bool:
    return any(
        isinstance(part, ast.Name) and part.id == name and not isinstance(part.ctx, ast.Load)
        for part in walk_nodes(node)
    )
