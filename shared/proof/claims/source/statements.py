"""What of a statement runs, and when: its expressions, its loop, the errors that it lets through."""

import ast
import re
from collections.abc import Container, Iterator

from shared.proof.claims.source.python_source import read_dotted_name, walk_nodes

ANY_MODULE = "*"
"""A module that no text names."""
_TARGET = re.compile(r"[A-Za-z_][\w.]{0,200}:[A-Za-z_]\w{0,100}(?:\(\))?")
_TEXT_IMPORTERS = frozenset(
    ("include", "import_string", "import_module", "__import__", "autodiscover_tasks", "run_module")
)
_TRANSPARENT_CONTEXTS = frozenset(("open", "catch_warnings", "Lock", "RLock", "TemporaryDirectory", "closing"))


def list_expressions(statement: ast.stmt) -> Iterator[ast.expr]:
    """The expressions that are in a statement itself."""
    return (child for child in ast.iter_child_nodes(statement) if isinstance(child, ast.expr))


def list_header_expressions(
    statement: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef,
) -> Iterator[ast.expr]:
    """What is evaluated where a function or class is defined, outside of its body."""
    yield from statement.decorator_list
    if isinstance(statement, ast.ClassDef):
        yield from statement.bases
        yield from (keyword.value for keyword in statement.keywords)
    else:
        yield from statement.args.defaults
        yield from (default for default in statement.args.kw_defaults if default is not None)


def find_walruses(node: ast.AST, *, always: bool) -> Iterator[tuple[ast.NamedExpr, bool]]:
    """Each `name := …` of an expression, and whether it runs whenever the expression does."""
    if isinstance(node, ast.Lambda):
        return
    if isinstance(node, ast.NamedExpr):
        yield node, always
    first_alone = isinstance(node, ast.BoolOp | ast.IfExp | ast.Compare)
    is_loop = isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp)
    children = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.BoolOp):
        children = list(node.values)
    elif isinstance(node, ast.Compare):
        children = [node.left, *node.comparators]
    for index, child in enumerate(children):
        runs = always and not is_loop and (not first_alone or index == 0)
        yield from find_walruses(child, always=runs)


def runs_once(statement: ast.For | ast.AsyncFor | ast.While) -> bool:
    """Whether a loop's body is entered for certain: `for x in ("a", "b")`, `while True`."""
    if isinstance(statement, ast.While):
        return isinstance(statement.test, ast.Constant) and bool(statement.test.value)
    items = statement.iter.elts if isinstance(statement.iter, ast.Tuple | ast.List) else []
    return any(not isinstance(item, ast.Starred) for item in items)


def is_transparent(node: ast.expr) -> bool:
    """Whether a context lets every error through."""
    return isinstance(node, ast.Call) and read_dotted_name(node.func).rpartition(".")[2] in _TRANSPARENT_CONTEXTS


def cannot_fail(statement: ast.stmt) -> bool:
    """Whether a statement ends without an error whatever is bound."""
    if isinstance(statement, ast.Assign):
        return isinstance(statement.value, ast.Constant) and all(isinstance(t, ast.Name) for t in statement.targets)
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def find_bound_names(statement: ast.AST) -> set[str]:
    """The names that a statement or a target may bind in its module, blocks included, the insides of functions not."""
    names: set[str] = set()
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            is_plain = isinstance(node, ast.Import)
            names |= {a.asname or (a.name.partition(".")[0] if is_plain else a.name) for a in node.names}
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            names.add(node.name)
        waiting += [] if isinstance(node, ast.Lambda) else ast.iter_child_nodes(node)
    return names


def list_own_calls(statement: ast.stmt, own_names: Container[str]) -> Iterator[int]:
    """The lines of calls, decorators and base classes that name something of the service's own; not in functions."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            parts = getattr(node, "decorator_list", [])
            yield from (part.lineno for part in parts if _names_any(part, own_names))
            waiting += [*node.args.defaults, *(default for default in node.args.kw_defaults if default)]
            continue
        if isinstance(node, ast.ClassDef):
            parts = [*node.decorator_list, *node.bases]
            yield from (part.lineno for part in parts if _names_any(part, own_names))
        elif isinstance(node, ast.Call) and _names_any(node, own_names):
            yield node.lineno
        waiting += ast.iter_child_nodes(node)


def _names_any(node: ast.AST, own_names: Container[str]) -> bool:
    return any(isinstance(inner, ast.Name) and inner.id in own_names for inner in walk_nodes(node))


def names_module_in_text(statement: ast.stmt) -> bool:
    """Whether a call outside of functions is given a text by which it may import: `run("app.main:app")`."""
    for node in walk_nodes(statement):
        if isinstance(node, ast.Call):
            texts = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
            function = read_dotted_name(node.func).rpartition(".")[2]
            if any(isinstance(text, str) and _TARGET.fullmatch(text) for text in texts) or function in _TEXT_IMPORTERS:
                return True
    return False


def list_all_imports(statement: ast.stmt) -> Iterator[tuple[str, int]]:
    """(module, level) of the imports anywhere in a statement, its functions included; names may be modules, too."""
    for node in walk_nodes(statement):
        if isinstance(node, ast.Import):
            yield from ((alias.name, 0) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", node.level
            above = f"{node.module}." if node.module else ""
            yield from ((above + alias.name, node.level) for alias in node.names)
        elif isinstance(node, ast.Call) and read_dotted_name(node.func).endswith(("import_module", "__import__")):
            yield ANY_MODULE, 0
