"""Definite assignment of one name in one scope: runs the scope's statements over `Presence` instead of values.

For the statements of a module, a function or a class it returns with which presence each use of the name is reached,
each function or lambda that may use it later, and each other name that is read meanwhile. Paths are never left out, so
a name that is bound on all of them is bound. Uses behind a use count only on paths on which the first one did not fail.
"""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.proof.claims.scopes.presence import NOWHERE, UNBOUND, Presence, join_sides
from shared.proof.claims.scopes.statement_flow import Exits, StatementFlow
from shared.proof.claims.source.exception_paths import (
    catches_everything,
    catches_most,
    has_iterations,
    may_never_return,
    measure_catch,
    measure_suppression,
    names_name_error,
)
from shared.proof.claims.source.python_source import walk_nodes
from shared.proof.claims.source.scope_bindings import NameScope, classify_name

_LOOP_PASSES = 3
_TRY_STAR = getattr(ast, "TryStar", ast.Try)


@dataclass
class AssignmentFlow(StatementFlow):
    """The flow of one name through one scope."""

    def run_statement(self, statement: ast.stmt, state: Presence) -> Presence:
        if isinstance(statement, ast.Try | _TRY_STAR):
            return self._run_try(statement, state)
        run = _RUNNERS.get(type(statement))
        return run(self, statement, state) if run else self.evaluate_all(ast.iter_child_nodes(statement), state)

    def _run_if(self, node: ast.If, state: Presence) -> Presence:
        state = self.evaluate(node.test, state)
        decided = self.conditions.decide(node.test)
        if decided is not None:
            return self.run(node.body if decided else node.orelse, state)
        return join_sides(self._run_side(node.body, state), self._run_side(node.orelse, state))

    def _run_side(self, body: list[ast.stmt], state: Presence) -> Presence:
        """One side of a decision."""
        state = self.run(body, state.add_cost())
        return state.add_cost() if may_never_return(body) else state

    def _run_while(self, node: ast.While, state: Presence) -> Presence:
        decided = self.conditions.decide(node.test)
        breaks, back = NOWHERE, NOWHERE
        for _ in range(_LOOP_PASSES):
            tested = self.evaluate(node.test, state | back)
            if decided is False:
                break
            back, breaks = self._run_iteration(node.body, tested if decided else tested.add_cost(), breaks)
        first = self.evaluate(node.test, state)
        rest = self.evaluate(node.test, back).add_cost()
        end = NOWHERE if decided else first if decided is False else _join_reached(first.add_cost(), rest)
        return _join_reached(self.run(node.orelse, end), breaks)

    def _run_for(self, node: ast.For | ast.AsyncFor, state: Presence) -> Presence:
        state = self.evaluate(node.iter, state)
        has_items = has_iterations(node.iter)
        breaks, back = NOWHERE, NOWHERE
        for _ in range(_LOOP_PASSES if has_items is not False else 0):
            entry = self.evaluate(node.target, (state | back) if has_items else (state | back).add_cost())
            self.exits.raises |= entry.add_cost(2)
            back, breaks = self._run_iteration(node.body, entry, breaks)
        first = NOWHERE if has_items else state.add_cost(0 if has_items is False else 1)
        end = self.run(node.orelse, _join_reached(first, back.add_cost()) if has_items is None else first | back)
        return _join_reached(end, breaks)

    def _run_apart(self, body: list[ast.stmt], state: Presence) -> tuple[Presence, Exits]:
        """Behind a block, and how control leaves it elsewhere."""
        outer, self.exits = self.exits, Exits()
        end = self.run(body, state)
        inner, self.exits = self.exits, outer
        return end, inner

    def _run_iteration(self, body: list[ast.stmt], entry: Presence, breaks: Presence) -> tuple[Presence, Presence]:
        """Behind one pass through a loop's body, and behind all `break`s in it."""
        end, inner = self._run_apart(body, entry)
        self.exits.include(Exits(returns=inner.returns, raises=inner.raises))
        end = end.add_cost() if may_never_return(body) else end
        return end | inner.continues, breaks | inner.breaks

    def _run_with(self, node: ast.With | ast.AsyncWith, state: Presence) -> Presence:
        for item in node.items:
            state = self.evaluate(item.context_expr, state)
            self.exits.raises |= state.add_cost(2)
            state = self.evaluate(item.optional_vars, state)
        cost = measure_suppression(node.items)
        end, inner = self._run_apart(node.body, state)
        self.exits.include(inner)
        return join_sides(end.add_cost(), inner.raises.add_cost(cost - 1)) if cost and inner.raises.is_reached else end

    def _run_try(self, node: ast.Try, state: Presence) -> Presence:
        outer, self.exits = self.exits, Exits()
        is_guarded, self.is_guarded = self.is_guarded, self.is_guarded or names_name_error(node.handlers)
        end = self.run(node.body, state)
        self.is_guarded = is_guarded
        raised, self.exits.raises = self.exits.raises, NOWHERE
        if not catches_everything(node.handlers):
            self.exits.raises = raised.add_cost(2 if catches_most(node.handlers) else 0)
        sides = [self._run_handler(handler, raised) for handler in node.handlers] if raised.is_reached else []
        end = self.run(node.orelse, end.add_cost() if sides else end)
        end = join_sides(end, _unite(sides)) if sides else end
        inner, self.exits = self.exits, outer
        return self._run_finally(node.finalbody, end, inner)

    def _run_handler(self, handler: ast.ExceptHandler, raised: Presence) -> Presence:
        state = self.evaluate(handler.type, raised.add_cost(measure_catch(handler)))
        if handler.name != self.name:
            end = self.run(handler.body, state)
            return end.add_cost() if may_never_return(handler.body) else end
        end, inner = self._run_apart(handler.body, state.bind())
        end = end.add_cost() if may_never_return(handler.body) else end
        self.exits.include(
            Exits(inner.breaks.unbind(), inner.continues.unbind(), inner.returns.unbind(), inner.raises.unbind())
        )
        return end.unbind()

    def _run_finally(self, body: list[ast.stmt], end: Presence, inner: Exits) -> Presence:
        """Every exit of a `try` passes its `finally`."""
        self.exits.breaks |= self.run(body, inner.breaks)
        self.exits.continues |= self.run(body, inner.continues)
        self.exits.returns |= self.run(body, inner.returns)
        self.exits.raises |= self.run(body, inner.raises)
        return self.run(body, end)

    def _run_match(self, node: ast.Match, state: Presence) -> Presence:
        remaining = self.evaluate(node.subject, state).add_cost()
        sides = []
        for case in node.cases:
            remaining = self.evaluate_pattern(case.pattern, remaining)
            is_capturing = _captures(case.pattern, self.name)
            matched = self.evaluate(case.guard, remaining.bind() if is_capturing else remaining)
            side = self.run(case.body, matched)
            sides.append(side.add_cost() if may_never_return(case.body) else side)
            if case.guard is None and _is_irrefutable(case.pattern):
                return join_sides(*sides)
            if case.guard is not None:  # a pattern that matched has bound its names, even where its guard refuses
                remaining = matched if _is_irrefutable(case.pattern) else remaining | matched
        return join_sides(*sides, remaining)

    def _run_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, state: Presence) -> Presence:
        state = self.evaluate_all(node.decorator_list, state)
        state = self.evaluate_signature(node.args, state)
        state = self.annotate_signature(node, state)
        self.defer(node, node.name, state)
        return state.bind() if node.name == self.name else state

    def _run_class(self, node: ast.ClassDef, state: Presence) -> Presence:
        state = self.evaluate_all([*node.decorator_list, *node.bases, *node.keywords], state)
        self.classes.append(node)
        if classify_name(node, self.name) is NameScope.LOCAL:
            self._run_binding_class(node, state)
        else:
            state = self._run_plain_class(node, state)
        self.classes.pop()
        return state.bind() if node.name == self.name else state

    def _run_plain_class(self, node: ast.ClassDef, state: Presence) -> Presence:
        is_function, self.is_function = self.is_function, False
        state = self.run(node.body, state)
        self.is_function = is_function
        return state

    def _run_binding_class(self, node: ast.ClassDef, state: Presence) -> None:
        """A class that binds the name itself: what it has not bound yet is looked for in the module, then built in."""
        inner = AssignmentFlow(
            self.name,
            self.conditions,
            has_lazy_annotations=self.has_lazy_annotations,
            is_module_name=self.is_module_name,
            is_class=True,
            enclosing=self,
            enclosing_state=state,
            classes=self.classes,
        )
        inner.run(node.body, UNBOUND)
        for use, presence in inner.uses.items() if self.is_module_name else ():
            fallback = NOWHERE if presence.unbound is None else state.add_cost(presence.unbound)
            self.note_use(use, Presence(presence.bound) | fallback)
        self.lazy_uses |= inner.lazy_uses
        self.deferred += inner.deferred
        self.escapes |= inner.loads.keys()
        for identifier in inner.loads:
            self.note_load(identifier, state)


def _unite(sides: list[Presence]) -> Presence:
    union = NOWHERE
    for side in sides:
        union |= side
    return union


def _join_reached(first: Presence, second: Presence) -> Presence:
    return join_sides(first, second) if first.is_reached and second.is_reached else first | second


def _captures(pattern: ast.pattern, name: str) -> bool:
    return any(
        name in (getattr(node, "name", None), getattr(node, "rest", None))
        for node in walk_nodes(pattern)
        if isinstance(node, ast.MatchAs | ast.MatchStar | ast.MatchMapping)
    )


def _is_irrefutable(pattern: ast.pattern) -> bool:
    if isinstance(pattern, ast.MatchOr):
        return any(map(_is_irrefutable, pattern.patterns))
    return isinstance(pattern, ast.MatchAs) and (pattern.pattern is None or _is_irrefutable(pattern.pattern))


_RUNNERS: Mapping[type[ast.stmt], Callable[..., Presence]] = {
    ast.Expr: AssignmentFlow.run_expression,
    ast.Assign: AssignmentFlow.run_assign,
    ast.AugAssign: AssignmentFlow.run_augmented,
    ast.AnnAssign: AssignmentFlow.run_annotated,
    ast.Return: AssignmentFlow.run_return,
    ast.Raise: AssignmentFlow.run_raise,
    ast.Assert: AssignmentFlow.run_assert,
    ast.Break: AssignmentFlow.run_break,
    ast.Continue: AssignmentFlow.run_continue,
    ast.Import: AssignmentFlow.run_import,
    ast.ImportFrom: AssignmentFlow.run_import,
    ast.If: AssignmentFlow._run_if,
    ast.While: AssignmentFlow._run_while,
    ast.For: AssignmentFlow._run_for,
    ast.AsyncFor: AssignmentFlow._run_for,
    ast.With: AssignmentFlow._run_with,
    ast.AsyncWith: AssignmentFlow._run_with,
    ast.Match: AssignmentFlow._run_match,
    ast.FunctionDef: AssignmentFlow._run_function,
    ast.AsyncFunctionDef: AssignmentFlow._run_function,
    ast.ClassDef: AssignmentFlow._run_class,
}
