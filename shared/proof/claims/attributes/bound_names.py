"""Which names a body of statements has bound on every path when it has run to its end.

In: the statements, and what counts as a binding there: names of a module or a class, attributes of `self` in a method.
A name that is not among the result may still be bound on some path.
"""

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from shared.proof.claims.source.python_source import walk_nodes

ReadBindings = Callable[[ast.AST], Iterator[str]]
"""The names that one statement or expression binds itself, without the statements in it."""

_NOT_ALWAYS_RUN = (
    ast.Lambda, ast.BoolOp, ast.IfExp, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Assert,
)  # fmt: skip


@dataclass(slots=True)
class _State:
    """What is bound at one place. `is_dead`: no run gets there."""

    names: set[str] = field(default_factory=set)
    is_dead: bool = False

    def copy(self) -> "_State":
        return _State(set(self.names), self.is_dead)

    def merge(self, branches: Sequence["_State"]) -> None:
        """Go on where any of these branches ends."""
        alive = [branch.names for branch in branches if not branch.is_dead]
        self.is_dead = not alive
        if alive:
            self.names = set.intersection(*alive)


class BodyReader:
    """Reads bodies with one notion of a binding, and of its removal."""

    def __init__(self, read_bindings: ReadBindings, read_deletions: ReadBindings) -> None:
        self._read_bindings = read_bindings
        self._read_deletions = read_deletions
        self._exits: list[_State] = []

    def read(self, body: Sequence[ast.stmt]) -> frozenset[str]:
        """What is bound wherever the body ends without an error, be it at its last statement or at a `return`."""
        self._exits = []
        state = _State()
        self._read_body(body, state)
        state.merge([state.copy(), *self._exits])
        return frozenset() if state.is_dead else frozenset(state.names)

    def _read_body(self, body: Sequence[ast.stmt], state: _State) -> None:
        for statement in body:
            if state.is_dead:
                return
            self._read_statement(statement, state)

    def _read_statement(self, statement: ast.stmt, state: _State) -> None:
        match statement:
            case ast.If():
                self._bind_own(statement.test, state)
                self._read_if(statement, state)
            case ast.For() | ast.AsyncFor() | ast.While():
                self._read_optional([*statement.body, *statement.orelse], state)
            case ast.Try() | ast.TryStar():
                self._read_try(statement, state)
            case ast.With() | ast.AsyncWith():
                for item in statement.items:
                    self._bind_own(item, state)
                self._read_optional(statement.body, state)
            case ast.Match():
                self._bind_own(statement.subject, state)
                state.merge([state.copy(), *(self._read_branch(case.body, state) for case in statement.cases)])
            case ast.Return() | ast.Raise():
                self._bind_own(statement, state)
                self._exits += [state.copy()] if isinstance(statement, ast.Return) else []
                state.is_dead = True
            case _:  # `break` and `continue` as well: nothing that a loop binds counts behind it
                self._bind_own(statement, state)

    def _bind_own(self, node: ast.AST, state: _State) -> None:
        state.names.update(self._read_bindings(node))
        state.names.difference_update(self._read_deletions(node))

    def _read_branch(self, body: Sequence[ast.stmt], state: _State) -> _State:
        branch = state.copy()
        self._read_body(body, branch)
        return branch

    def _read_optional(self, body: Sequence[ast.stmt], state: _State) -> None:
        """A body that may be left at any statement, or not be entered: it can only remove."""
        self._read_branch(body, state)  # for its exits
        state.names -= self._list_removed(body)

    def _list_removed(self, body: Iterable[ast.stmt]) -> set[str]:
        removed: set[str] = set()
        for statement in body:
            for node in walk_nodes(statement):
                removed.update(self._read_deletions(node))
                removed.update((node.name,) if isinstance(node, ast.ExceptHandler) and node.name else ())
        return removed

    def _read_if(self, statement: ast.If, state: _State) -> None:
        constant = read_constant_test(statement.test)
        branches = [] if constant is False else [self._read_branch(statement.body, state)]
        branches += [] if constant is True else [self._read_branch(statement.orelse, state)]
        state.merge(branches)

    def _read_try(self, statement: ast.Try | ast.TryStar, state: _State) -> None:
        interrupted = _State(state.names - self._list_removed(statement.body))
        done = self._read_branch([*statement.body, *statement.orelse], state)
        ends = [done]
        for handler in statement.handlers:
            end = self._read_branch(handler.body, interrupted)
            end.names -= {handler.name} if handler.name else set()
            ends.append(end)
        state.merge(ends)
        is_dead, state.is_dead = state.is_dead, False
        self._read_body(statement.finalbody, state)
        state.is_dead |= is_dead


def read_constant_test(test: ast.expr) -> bool | None:
    """What a condition is in every run; `TYPE_CHECKING` is false in all."""
    match test:
        case ast.Constant(value=value):
            return bool(value)
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return False
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = read_constant_test(operand)
            return None if inner is None else not inner
    return None


def read_scope_bindings(node: ast.AST) -> Iterator[str]:
    """The names that a statement of a module or a class binds."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name
        case ast.Import():
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
        case ast.ImportFrom():
            yield from (alias.asname or alias.name for alias in node.names if alias.name != "*")
        case ast.AnnAssign(value=None):
            return
        case _:
            targets = (part for part in walk_always_run(node) if isinstance(part, ast.Name))
            yield from (target.id for target in targets if isinstance(target.ctx, ast.Store))


def read_scope_deletions(node: ast.AST) -> Iterator[str]:
    """The names that a `del` removes."""
    if isinstance(node, ast.Delete):
        yield from (
            part.id for part in walk_nodes(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Del)
        )


def walk_always_run(node: ast.AST) -> Iterator[ast.AST]:
    """An expression or a plain statement, less what may not run with it."""
    yield node
    if not isinstance(node, _NOT_ALWAYS_RUN):
        for child in ast.iter_child_nodes(node):
            yield from walk_always_run(child)


def list_possible_names(body: Iterable[ast.stmt]) -> frozenset[str]:
    """Every name that a module's or a class's own body may bind, and those that a function in it declares global."""
    return frozenset(name for statement in body for name in _list_possible(statement))


@lru_cache(maxsize=256)  # every attribute that is looked up in a class asks several times
def list_class_names(node: ast.ClassDef) -> frozenset[str]:
    """The same for the body of a class."""
    return list_possible_names(node.body)


def _list_possible(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Global):
        yield from node.names
    yield from _list_bound_here(node)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
        yield from _list_declared_global(node)
        return
    for child in ast.iter_child_nodes(node):
        yield from _list_possible(child)


def _list_declared_global(scope: ast.AST) -> Iterator[str]:
    """The names of the `global` statements of a scope, and of those in it."""
    waiting = [scope]
    for node in waiting:
        if isinstance(node, ast.Global):
            yield from node.names
        for block in ("body", "orelse", "finalbody", "handlers", "cases"):
            statements = getattr(node, block, None)
            waiting += statements if isinstance(statements, list) else []


def _list_bound_here(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            yield name
        case ast.MatchAs(name=str() as name) | ast.MatchStar(name=str() as name) | ast.MatchMapping(rest=str() as name):
            yield name
        case ast.ExceptHandler(name=str() as name):
            yield name
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Import() | ast.ImportFrom():
            yield from read_scope_bindings(node)
