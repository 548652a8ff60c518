"""Follows one name through the statements of a module: whether it is bound when they have run.

Takes a module's code, the name, and what its imports bring. Nothing is run: a branch that is not decided counts as
taken and as not taken, and a statement in a `try` as ended by any of its errors. Sets of states are as the module may
leave them: the empty set where nothing leads to its end.
"""

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from shared.proof.claims.source.conditions import ConditionReader
from shared.proof.claims.source.module_code import (
    ModuleCode,
    has_assignment_expression,
    list_import_statements,
)
from shared.proof.claims.source.python_source import read_dotted_name, walk_nodes
from shared.proof.claims.source.statements import (
    cannot_fail,
    find_walruses,
    is_transparent,
    list_expressions,
    list_header_expressions,
    runs_once,
)

States = frozenset[bool]
BOUND: States = frozenset((True,))
UNBOUND: States = frozenset((False,))
EITHER: States = BOUND | UNBOUND
NOWHERE: States = frozenset()
_EXITS = frozenset(("sys.exit", "exit", "quit", "os._exit", "os.abort"))


@dataclass(frozen=True, slots=True)
class ImportEffects:
    """What imports do to the name. `star`: whether `from x import *` brings it, as possible states.

    `submodule`: whether importing a module (name, level) makes a submodule the package's attribute of that name.
    """

    star: Callable[[ast.ImportFrom], States] = field(default=lambda _: UNBOUND)
    submodule: Callable[[str, int], bool] = field(default=lambda _module, _level: False)


@dataclass(frozen=True, slots=True)
class NameFlow:
    """`states`: whether the name is bound in the end; `line`: of the last statement that binds it, else 0."""

    states: States
    line: int


def follow_name(
    code: ModuleCode, name: str, python: str, effects: ImportEffects | None = None, *, is_started: bool = False
) -> NameFlow:
    """The name at the end of a module, functions that bind it as a global one included."""
    reader = ConditionReader(code.tree, python, is_started=is_started)
    follower = _Follower(code.tree, name, reader, effects or ImportEffects())
    states = follower.run(code.tree.body, UNBOUND)
    if states and name in code.global_stores:
        states |= BOUND
    if states and name in code.global_deletes:
        states |= UNBOUND
    return NameFlow(states, follower.line)


class _Follower:
    def __init__(self, tree: ast.Module, name: str, reader: ConditionReader, effects: ImportEffects) -> None:
        self._imports = list_import_statements(tree)
        self._has_walrus = has_assignment_expression(tree)
        self._name = name
        self._reader = reader
        self._effects = effects
        self._interrupted: list[set[bool]] = []
        """For each `try` around: the states in which one of its statements may be ended by an error."""
        self._loop_exits: list[set[bool]] = []
        self.line = 0

    def run(self, statements: Sequence[ast.stmt], states: States) -> States:
        for statement in statements:
            if not states:
                break
            self._note(states)
            states = self._run_statement(statement, states)
            self._note(states)
        return states

    def _note(self, states: States) -> None:
        for interrupted in self._interrupted:
            interrupted.update(states)

    def _run_statement(self, statement: ast.stmt, states: States) -> States:
        handler = _HANDLERS.get(type(statement))
        if handler is not None:
            return handler(self, statement, states)
        if isinstance(statement, ast.Raise | ast.Return):
            return NOWHERE
        if isinstance(statement, ast.Break | ast.Continue):
            if self._loop_exits:
                self._loop_exits[-1].update(states)
            return NOWHERE
        for expression in list_expressions(statement):
            states = self._evaluate(expression, states)
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            return NOWHERE if read_dotted_name(statement.value.func) in _EXITS else states
        return states

    def _bind(self, line: int) -> States:
        self.line = max(self.line, line)
        return BOUND

    def _store(self, target: ast.expr, states: States) -> States:
        """A target of an assignment, a loop or a `with`."""
        states = self._evaluate(target, states)
        return self._bind(target.lineno) if self._names_it(target, ast.Store) else states

    def _names_it(self, target: ast.AST, context: type[ast.expr_context]) -> bool:
        if isinstance(target, ast.Name):
            return target.id == self._name and isinstance(target.ctx, context)
        if isinstance(target, ast.Tuple | ast.List):
            return any(self._names_it(item, context) for item in target.elts)
        return isinstance(target, ast.Starred) and self._names_it(target.value, context)

    def _evaluate(self, node: ast.AST, states: States) -> States:
        """An expression: a walrus in it binds, in a part that always runs or may run."""
        for walrus, always in find_walruses(node, always=True) if self._has_walrus else ():
            if walrus.target.id == self._name:
                states = self._bind(walrus.lineno) if always else states | self._bind(walrus.lineno)
        return states

    def run_assignment(self, statement: ast.stmt, states: States) -> States:
        assert isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign)
        if statement.value is not None:
            states = self._evaluate(statement.value, states)
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for target in targets if statement.value is not None else ():
            states = self._store(target, states)
        return states

    def run_definition(self, statement: ast.stmt, states: States) -> States:
        assert isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        for expression in list_header_expressions(statement):
            states = self._evaluate(expression, states)
        if isinstance(statement, ast.ClassDef):
            states = self._run_class_imports(statement, states)
        return self._bind(statement.lineno) if statement.name == self._name else states

    def _run_class_imports(self, statement: ast.ClassDef, states: States) -> States:
        """A class body may import a submodule; it binds no name of the module."""
        end = statement.end_lineno or statement.lineno
        for node in self._imports:
            if statement.lineno <= node.lineno <= end and self._imports_submodule(node):
                states |= self._bind(node.lineno)
        return states

    def run_import(self, statement: ast.stmt, states: States) -> States:
        assert isinstance(statement, ast.Import | ast.ImportFrom)
        if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*":
            brought = self._effects.star(statement)
            if True in brought:
                line = self._bind(statement.lineno)
                return line if brought == BOUND else states | line
        if self._imports_submodule(statement):  # not set anew where a first import of the package had failed behind it
            states |= self._bind(statement.lineno)
        names = (
            alias.asname or (alias.name.partition(".")[0] if isinstance(statement, ast.Import) else alias.name)
            for alias in statement.names
        )
        return self._bind(statement.lineno) if self._name in names else states

    def _imports_submodule(self, statement: ast.Import | ast.ImportFrom) -> bool:
        if isinstance(statement, ast.Import):
            return any(self._effects.submodule(alias.name, 0) for alias in statement.names)
        above = f"{statement.module}." if statement.module else ""
        requested = [statement.module or "", *(above + alias.name for alias in statement.names if alias.name != "*")]
        return any(self._effects.submodule(module, statement.level) for module in requested if module)

    def run_delete(self, statement: ast.stmt, states: States) -> States:
        assert isinstance(statement, ast.Delete)
        return UNBOUND if any(self._names_it(target, ast.Del) for target in statement.targets) else states

    def run_if(self, statement: ast.stmt, states: States) -> States:
        assert isinstance(statement, ast.If)
        states = self._evaluate(statement.test, states)
        decided = self._reader.decide(statement.test)
        taken = self.run(statement.body, states) if decided is not False else NOWHERE
        other = self.run(statement.orelse, states) if decided is not True else NOWHERE
        return taken | other

    def run_loop(self, statement: ast.stmt, states: States) -> States:
        """A loop runs never, once or often; the first time for certain where it is over what is written there."""
        assert isinstance(statement, ast.For | ast.AsyncFor | ast.While)
        header = statement.test if isinstance(statement, ast.While) else statement.iter
        states = self._evaluate(header, states)
        self._loop_exits.append(set())
        ended = NOWHERE if runs_once(statement) else states
        current = states
        for _ in range(3):  # as many as there are states
            if not isinstance(statement, ast.While):
                current = self._store(statement.target, current)
            current = self.run(statement.body, current)
            ended |= current | frozenset(self._loop_exits[-1])
            current |= frozenset(self._loop_exits[-1])
        exits = frozenset(self._loop_exits.pop())
        return self.run(statement.orelse, ended) | exits

    def run_with(self, statement: ast.stmt, states: States) -> States:
        assert isinstance(statement, ast.With | ast.AsyncWith)
        for item in statement.items:
            states = self._evaluate(item.context_expr, states)
            states = self._store(item.optional_vars, states) if item.optional_vars else states
        if all(is_transparent(item.context_expr) for item in statement.items):
            return self.run(statement.body, states)
        self._interrupted.append(set(states))
        ended = self.run(statement.body, states)
        return ended | frozenset(self._interrupted.pop())

    def run_try(self, statement: ast.stmt, states: States) -> States:
        assert isinstance(statement, ast.Try | ast.TryStar)
        self._interrupted.append(set(states))
        ended = self.run(statement.body, states)
        interrupted = frozenset(self._interrupted.pop())
        if all(map(cannot_fail, statement.body)):
            interrupted = NOWHERE
        ended = self.run(statement.orelse, ended) if ended else ended
        for handler in statement.handlers:
            ended |= self._run_handler(handler, interrupted)
        if not statement.finalbody:
            return ended
        self.run(statement.finalbody, interrupted | ended)
        return self.run(statement.finalbody, ended)

    def _run_handler(self, handler: ast.ExceptHandler, states: States) -> States:
        """A handler's own name is deleted at its end."""
        is_name = handler.name == self._name
        ended = self.run(handler.body, self._bind(handler.lineno) if is_name and states else states)
        return UNBOUND if is_name and ended else ended

    def run_match(self, statement: ast.stmt, states: States) -> States:
        assert isinstance(statement, ast.Match)
        states = self._evaluate(statement.subject, states)
        ended = states
        for case in statement.cases:
            inner = states | self._bind(case.pattern.lineno) if self._captures(case.pattern) else states
            if case.guard is not None:
                inner = self._evaluate(case.guard, inner)
            ended |= inner | self.run(case.body, inner)
        return ended

    def _captures(self, pattern: ast.pattern) -> bool:
        nodes = (
            node for node in walk_nodes(pattern) if isinstance(node, ast.MatchAs | ast.MatchStar | ast.MatchMapping)
        )
        return any((node.rest if isinstance(node, ast.MatchMapping) else node.name) == self._name for node in nodes)


_HANDLERS: dict[type[ast.stmt], Callable[[_Follower, ast.stmt, States], States]] = {
    ast.Assign: _Follower.run_assignment,
    ast.AnnAssign: _Follower.run_assignment,
    ast.AugAssign: _Follower.run_assignment,
    ast.FunctionDef: _Follower.run_definition,
    ast.AsyncFunctionDef: _Follower.run_definition,
    ast.ClassDef: _Follower.run_definition,
    ast.Import: _Follower.run_import,
    ast.ImportFrom: _Follower.run_import,
    ast.Delete: _Follower.run_delete,
    ast.If: _Follower.run_if,
    ast.For: _Follower.run_loop,
    ast.AsyncFor: _Follower.run_loop,
    ast.While: _Follower.run_loop,
    ast.With: _Follower.run_with,
    ast.AsyncWith: _Follower.run_with,
    ast.Try: _Follower.run_try,
    ast.TryStar: _Follower.run_try,
    ast.Match: _Follower.run_match,
}
