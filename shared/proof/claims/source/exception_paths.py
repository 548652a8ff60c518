"""Decides which statements can raise, which handlers catch, and which calls may never return.

For a node it returns how many decisions a path through an exception costs (see `presence`): 0 means that there is no
such path, 1 that there surely is, more that it is not certain.
"""

import ast

from shared.proof.claims.source.python_source import read_dotted_name, read_words, walk_nodes


def has_iterations(iterable: ast.expr) -> bool | None:
    """Whether a loop over an expression runs at least once: True, False (never), or None."""
    match iterable:
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            if any(isinstance(item, ast.Starred) for item in items):
                return None
            return bool(items)
        case ast.Constant(value=str(text)):
            return bool(text)
        case ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=int(count))], keywords=[]):
            return count > 0
    return None


SURE, DOUBTFUL_COST = 1, 2
_BROAD = frozenset(("Exception", "BaseException", "builtins.Exception", "builtins.BaseException"))
_RARE = frozenset(("NameError", "UnboundLocalError", "ImportError", "ModuleNotFoundError", "SyntaxError"))
_ENDING_CALLS = frozenset(("sys.exit", "os._exit", "os.abort", "exit", "quit", "os.execv", "os.execvp", "os.execve"))
_RETURNING_NAMES = read_words(
    """
    print debug info warning warn exception critical log append add update extend insert write discard setdefault
    clear sort reverse sleep close flush commit rollback put set_result
    """
)
_NEVER_SUPPRESSING = read_words(
    """
    open Lock RLock lock _lock mutex Semaphore semaphore Session session get_session begin transaction atomic
    connect connection cursor acquire Client AsyncClient ClientSession get post request stream TemporaryDirectory
    NamedTemporaryFile TemporaryFile ThreadPoolExecutor ProcessPoolExecutor Pool ZipFile urlopen closing aclosing
    nullcontext timeout socket create_connection start_as_current_span start_span catch_warnings redirect_stdout
    redirect_stderr no_grad inference_mode autocast TaskGroup Path BytesIO StringIO
    """
)
_SURELY_SUPPRESSING = frozenset(("suppress", "contextlib.suppress"))
_QUIET = ast.Constant | ast.Lambda | ast.JoinedStr


def measure_raise(statement: ast.stmt) -> int:
    """What the path costs on which a statement's own expressions raise."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return DOUBTFUL_COST
    if isinstance(statement, ast.Pass | ast.Break | ast.Continue | ast.Global | ast.Nonlocal):
        return 0
    if (
        isinstance(statement, ast.For)
        and isinstance(statement.iter, ast.Call)
        and has_iterations(statement.iter) is not None
    ):
        return 0  # `range(3)`
    parts = _list_own_parts(statement)
    if any(_calls(part) for part in parts):
        return SURE
    if isinstance(statement, ast.For | ast.AsyncFor | ast.With | ast.AsyncWith):
        return DOUBTFUL_COST
    return DOUBTFUL_COST if any(not _is_quiet(part) for part in parts) else 0


def _list_own_parts(statement: ast.stmt) -> list[ast.expr]:
    """The expressions that a statement evaluates itself, not those of the blocks in it."""
    parts: list[ast.expr] = []
    for _, value in ast.iter_fields(statement):
        values = value if isinstance(value, list) else [value]
        parts += [item for item in values if isinstance(item, ast.expr)]
        parts += [item.context_expr for item in values if isinstance(item, ast.withitem)]
        parts += [item.value for item in values if isinstance(item, ast.keyword)]
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        parts += [*statement.args.defaults, *(d for d in statement.args.kw_defaults if d is not None)]
    return parts


def _calls(expression: ast.expr) -> bool:
    return any(isinstance(node, ast.Call | ast.Await | ast.Yield | ast.YieldFrom) for node in walk_nodes(expression))


def _is_quiet(expression: ast.expr) -> bool:
    """Whether an expression cannot raise."""
    if isinstance(expression, ast.Name):
        return not isinstance(expression.ctx, ast.Load)
    if isinstance(expression, ast.List | ast.Tuple):
        return isinstance(expression.ctx, ast.Load) and all(map(_is_quiet, expression.elts))
    if isinstance(expression, ast.Dict):
        return not expression.keys
    if isinstance(expression, ast.JoinedStr):
        return all(isinstance(part, ast.Constant) for part in expression.values)
    return isinstance(expression, _QUIET)


def measure_catch(handler: ast.ExceptHandler) -> int:
    """What is added to the cost of an exception's path where this handler takes it."""
    return 0 if handler.type is None or _names_broad(handler.type) or _names_error(handler.type) else DOUBTFUL_COST


def catches_everything(handlers: list[ast.ExceptHandler]) -> bool:
    """Whether no exception passes these handlers."""
    return any(handler.type is None or _names(handler.type) & {"BaseException"} for handler in handlers)


def catches_most(handlers: list[ast.ExceptHandler]) -> bool:
    """Whether only exceptions that are no errors pass."""
    return any(handler.type is None or _names_broad(handler.type) for handler in handlers)


def names_name_error(handlers: list[ast.ExceptHandler]) -> bool:
    """Whether a handler is written for a name that may be missing."""
    return any(handler.type is not None and _names(handler.type) & {"NameError"} for handler in handlers)


def _names_broad(node: ast.expr) -> bool:
    return bool(_names(node) & _BROAD)


def _names_error(node: ast.expr) -> bool:
    """Whether every class that is named could come out of a call: nothing is known that speaks against it."""
    return bool(_names(node) - _RARE)


def _names(node: ast.expr) -> set[str]:
    items = node.elts if isinstance(node, ast.Tuple) else [node]
    return {name for name in map(read_dotted_name, items) if name}


def ends_program(statement: ast.stmt) -> bool:
    """`sys.exit(…)` and the like as a statement."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Call)
        and read_dotted_name(statement.value.func) in _ENDING_CALLS
    )


def may_never_return(body: list[ast.stmt]) -> bool:
    """Whether a block calls something for its effect alone that may be written to raise, such as `abort(404)`."""
    return any(
        isinstance(node, ast.Expr) and _is_unknown_call(node.value)
        for statement in body
        for node in walk_nodes(statement)
    )


def _is_unknown_call(expression: ast.expr) -> bool:
    call = expression.value if isinstance(expression, ast.Await) else expression
    if not isinstance(call, ast.Call):
        return False
    name = read_dotted_name(call.func)
    last = name.rpartition(".")[2] if name else getattr(call.func, "attr", "")
    is_log = last == "error" and "log" in name.rpartition(".")[0].lower()
    return last not in _RETURNING_NAMES and not is_log


def measure_suppression(items: list[ast.withitem]) -> int:
    """What the path costs on which a `with` block swallows an exception; 0: it swallows none."""
    cost = 0
    for item in items:
        expression = item.context_expr.value if isinstance(item.context_expr, ast.Await) else item.context_expr
        target = expression.func if isinstance(expression, ast.Call) else expression
        name = read_dotted_name(target)
        if name in _SURELY_SUPPRESSING:
            return SURE
        last = name.rpartition(".")[2] if name else getattr(target, "attr", "")
        cost = cost if last in _NEVER_SUPPRESSING else DOUBTFUL_COST
    return cost
