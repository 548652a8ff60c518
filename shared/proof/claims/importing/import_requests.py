"""What a source file asks of the import system, statement by statement, with what catches an import that fails.

Takes a syntax tree and the class of the error. Statements that never run (`if TYPE_CHECKING:`, code behind a `raise`)
are left out; those in functions count.
"""

import ast
import builtins
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import lru_cache

from shared.proof.claims.source.conditions import ConditionReader
from shared.proof.claims.source.module_code import list_nodes
from shared.proof.claims.source.python_source import read_dotted_name, walk_nodes

_CATCHING = ("ImportError", "Exception", "BaseException")
_IMPORT_CALLS = frozenset(("importlib.import_module", "import_module", "__import__", "builtins.__import__"))


class Guard(IntEnum):
    """What becomes of an error of the statement, the weakest first."""

    NONE = 0
    UNCLEAR = 1
    CAUGHT = 2


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """`from ..module import name` has level 2; without a `name` it is the module that is asked for."""

    module: str
    level: int
    name: str
    line: int
    guard: Guard = Guard.NONE
    attempts: tuple["ImportRequest", ...] = ()
    """In the handler of failing imports: what was asked for before; it runs only where one of these fails."""
    is_dynamic: bool = False
    """Whether no text says which module is asked for."""

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.module.split(".")) if self.module else ()


@dataclass(frozen=True, slots=True)
class _Context:
    guard: Guard = Guard.NONE
    attempts: tuple[ImportRequest, ...] = ()


@lru_cache(maxsize=128)
def list_import_requests(tree: ast.Module, python: str, error_class: str) -> tuple[ImportRequest, ...]:
    """The requests in the order of the file."""
    calls = frozenset(id(node) for node in list_nodes(tree) if _is_import_call(node))
    reader = _RequestReader(ConditionReader(tree, python, is_started=None), error_class.rpartition(".")[2], calls)
    return tuple(reader.read(tree.body, _Context()))


class _RequestReader:
    """`calls`: the ids of the nodes that call the import system."""

    def __init__(self, conditions: ConditionReader, error_class: str, calls: Collection[int]) -> None:
        self._conditions = conditions
        self._calls = calls
        self._catching = frozenset((*_CATCHING, error_class))

    def read(self, statements: Sequence[ast.stmt], context: _Context) -> Iterator[ImportRequest]:
        for statement in statements:
            yield from self._read_statement(statement, context)
            if isinstance(statement, ast.Raise | ast.Return | ast.Break | ast.Continue):
                return

    def _read_statement(self, statement: ast.stmt, context: _Context) -> Iterator[ImportRequest]:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            for request in _list_requests(statement):
                yield replace(request, guard=context.guard, attempts=context.attempts)
        elif isinstance(statement, ast.Try | ast.TryStar):
            yield from self._read_try(statement, context)
        elif isinstance(statement, ast.If):
            decided = self._conditions.decide(statement.test)
            yield from self._read_expressions(statement, context)
            yield from self.read(statement.body, context) if decided is not False else ()
            yield from self.read(statement.orelse, context) if decided is not True else ()
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from self._read_blocks(statement, _Context())
        elif isinstance(statement, ast.With | ast.AsyncWith):
            guard = max(context.guard, *(self._judge_context(item.context_expr) for item in statement.items))
            yield from self._read_blocks(statement, replace(context, guard=guard))
        else:
            yield from self._read_blocks(statement, context)

    def _read_blocks(self, statement: ast.stmt, context: _Context) -> Iterator[ImportRequest]:
        """The expressions of a statement, then the blocks in it."""
        yield from self._read_expressions(statement, context)
        for name in ("body", "orelse", "finalbody"):
            yield from self.read(getattr(statement, name, ()), context)
        for case in getattr(statement, "cases", ()):
            yield from self.read(case.body, context)

    def _read_expressions(self, statement: ast.stmt, context: _Context) -> Iterator[ImportRequest]:
        for child in ast.iter_child_nodes(statement) if self._calls else ():
            for node in walk_nodes(child) if isinstance(child, ast.expr | ast.withitem | ast.arguments) else ():
                if isinstance(node, ast.Call) and id(node) in self._calls:
                    yield replace(_read_call(node), guard=context.guard, attempts=context.attempts)

    def _read_try(self, statement: ast.Try | ast.TryStar, context: _Context) -> Iterator[ImportRequest]:
        catching = [handler for handler in statement.handlers if self._may_catch(handler) is not False]
        guard = max([context.guard, *map(self._judge_handler, catching)])
        attempts = tuple(self.read(statement.body, replace(context, guard=guard)))
        yield from attempts
        for handler in statement.handlers:
            is_behind = handler in catching
            inner = replace(context, attempts=(*context.attempts, *attempts)) if is_behind else context
            yield from self.read(handler.body, inner)
        yield from self.read(statement.orelse, context)
        yield from self.read(statement.finalbody, context)

    def _may_catch(self, handler: ast.ExceptHandler) -> bool | None:
        """Whether a handler catches the error; None where its class is not a built-in one."""
        if handler.type is None:
            return True
        types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        names = [read_dotted_name(name).removeprefix("builtins.") for name in types]
        if not self._catching.isdisjoint(names):
            return True
        return False if all(isinstance(getattr(builtins, name, None), type) for name in names) else None

    def _judge_handler(self, handler: ast.ExceptHandler) -> Guard:
        last = handler.body[-1]
        if isinstance(last, ast.Raise) and last.exc is None and len(handler.body) == 1:
            return Guard.NONE
        leaves = any(isinstance(node, ast.Raise) or _is_exit(node) for node in walk_nodes(handler))
        return Guard.UNCLEAR if leaves or self._may_catch(handler) is None else Guard.CAUGHT

    def _judge_context(self, node: ast.expr) -> Guard:
        if not isinstance(node, ast.Call) or read_dotted_name(node.func).rpartition(".")[2] != "suppress":
            return Guard.NONE
        names = {read_dotted_name(argument) for argument in node.args}
        return Guard.NONE if self._catching.isdisjoint(names) else Guard.CAUGHT


def _list_requests(statement: ast.Import | ast.ImportFrom) -> Iterator[ImportRequest]:
    if isinstance(statement, ast.Import):
        yield from (ImportRequest(alias.name, 0, "", statement.lineno) for alias in statement.names)
        return
    for alias in statement.names:
        yield ImportRequest(statement.module or "", statement.level, alias.name, statement.lineno)


def _read_call(call: ast.Call) -> ImportRequest:
    """`import_module("a.b")`; relative ones and variables are dynamic."""
    argument = call.args[0] if call.args else None
    module = argument.value if isinstance(argument, ast.Constant) else None
    is_plain = isinstance(module, str) and all(part.isidentifier() for part in module.split("."))
    return ImportRequest(str(module) if is_plain else "", 0, "", call.lineno, is_dynamic=not is_plain)


def _is_import_call(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and read_dotted_name(node.func) in _IMPORT_CALLS


def _is_exit(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and read_dotted_name(node.func) in {"sys.exit", "exit", "quit", "os._exit"}
