"""Definite assignment through statements that hold no other ones, and how control leaves a block."""

import ast
from abc import abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from shared.proof.claims.scopes.expression_flow import ExpressionFlow
from shared.proof.claims.scopes.presence import DOUBTFUL, NOWHERE, Presence
from shared.proof.claims.source.exception_paths import ends_program, measure_raise
from shared.proof.claims.source.python_source import FunctionNode
from shared.proof.claims.source.scope_bindings import read_bound_alias


@dataclass(slots=True)
class Exits:
    """With which presence control leaves a block other than at its end."""

    breaks: Presence = NOWHERE
    continues: Presence = NOWHERE
    returns: Presence = NOWHERE
    raises: Presence = NOWHERE

    def include(self, inner: "Exits") -> None:
        """Control that leaves an inner block so leaves this one, too."""
        self.breaks |= inner.breaks
        self.continues |= inner.continues
        self.returns |= inner.returns
        self.raises |= inner.raises


@dataclass
class StatementFlow(ExpressionFlow):
    """The flow of one name through the statements that hold no other ones."""

    decide_star: Callable[[ast.ImportFrom], bool | None] = field(default=lambda _: None)
    """Whether `from m import *` binds the name."""
    exits: Exits = field(default_factory=Exits)

    def run(self, body: Iterable[ast.stmt], state: Presence) -> Presence:
        """The presence behind a block that is entered with another."""
        for statement in body:
            self.count_step()
            if not state.is_reached:
                return state
            before = state
            state = self.run_statement(statement, state)
            self._note_raise(statement, before, state)
        return state

    def _note_raise(self, statement: ast.stmt, before: Presence, after: Presence) -> None:
        cost = measure_raise(statement)
        if cost:
            self.exits.raises |= before.add_cost(cost)
        if cost and not _binds_last(statement):
            self.exits.raises |= after.add_cost(cost)

    @abstractmethod
    def run_statement(self, statement: ast.stmt, state: Presence) -> Presence:
        """The presence behind one statement."""

    def run_expression(self, node: ast.Expr, state: Presence) -> Presence:
        state = self.evaluate(node.value, state)
        if not ends_program(node):
            return state
        self.exits.raises |= state
        return NOWHERE

    def run_assign(self, node: ast.Assign, state: Presence) -> Presence:
        return self.evaluate_all(node.targets, self.evaluate(node.value, state))

    def run_augmented(self, node: ast.AugAssign, state: Presence) -> Presence:
        if isinstance(node.target, ast.Name):
            state = self.use_name(node.target, node.target.id, state)
            return self.evaluate(node.target, self.evaluate(node.value, state))
        return self.evaluate(node.value, self.evaluate(node.target, state))

    def run_annotated(self, node: ast.AnnAssign, state: Presence) -> Presence:
        if node.value is not None:
            state = self.evaluate(node.target, self.evaluate(node.value, state))
        elif not isinstance(node.target, ast.Name):
            state = self.evaluate(node.target, state)
        if not self.is_function:
            state = self.annotate(node.annotation, state)
        return state

    def run_return(self, node: ast.Return, state: Presence) -> Presence:
        self.exits.returns |= self.evaluate(node.value, state)
        return NOWHERE

    def run_raise(self, node: ast.Raise, state: Presence) -> Presence:
        state = self.evaluate(node.cause, self.evaluate(node.exc, state))
        self.exits.raises |= state.add_cost()
        return NOWHERE

    def run_assert(self, node: ast.Assert, state: Presence) -> Presence:
        state = self.evaluate(node.test, state)
        decided = self.conditions.decide(node.test)
        if decided is not True:
            self.exits.raises |= self.evaluate(node.msg, state).add_cost()
        return state if decided else NOWHERE if decided is False else state.add_cost()

    def run_break(self, _: ast.Break, state: Presence) -> Presence:
        self.exits.breaks |= state
        return NOWHERE

    def run_continue(self, _: ast.Continue, state: Presence) -> Presence:
        self.exits.continues |= state
        return NOWHERE

    def run_import(self, node: ast.Import | ast.ImportFrom, state: Presence) -> Presence:
        self.note_import(node, state)
        for alias in node.names:
            if alias.name == "*" and isinstance(node, ast.ImportFrom):
                is_bound = self.decide_star(node)
                state = state.bind() if is_bound else state | DOUBTFUL if is_bound is None else state
            elif read_bound_alias(node, alias) == self.name:
                state = state.bind()
        return state


def _binds_last(statement: ast.stmt) -> bool:
    """Whether a statement binds names only when nothing in it can raise any more."""
    if isinstance(statement, ast.Assign):
        return len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name)
    return isinstance(statement, ast.AnnAssign | ast.AugAssign | FunctionNode | ast.ClassDef)
