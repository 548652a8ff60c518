"""Definite assignment inside expressions: evaluates them in Python's order over `Presence` instead of values.

It notes each use of the name, each read of another name, and what is kept to run later.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from shared.proof.claims.scopes.presence import DOUBTFUL, NOWHERE, Presence, join_sides
from shared.proof.claims.source.conditions import ConditionReader
from shared.proof.claims.source.python_source import (
    FunctionNode,
    list_parameters,
    read_dotted_name,
    read_words,
    walk_nodes,
)
from shared.proof.claims.source.scope_bindings import comprehension_binds

_MAX_STEPS = 200_000
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_CONSUMERS = frozenset(("all", "any", "dict", "frozenset", "list", "max", "min", "set", "sorted", "sum", "tuple"))
_INERT_DECORATORS = read_words(
    """
    abstractmethod cache cached_property classmethod contextmanager asynccontextmanager dataclass final lru_cache
    overload override property setter deleter getter staticmethod total_ordering unique wraps
    csrf_exempt field_validator hybrid_property login_required model_validator permission_required receiver
    root_validator shared_task validator
    """
)
_REGISTERING_METHODS = read_words(
    """
    after_request after_serving api_route before_app_request before_request before_serving callback command
    context_processor delete errorhandler exception_handler get group head listens_for middleware on_event options
    patch post put route task teardown_appcontext teardown_request template_filter websocket websocket_route
    """
)
"""Of an application, a router or a group of commands: they keep a function for what comes later."""


class TooComplex(Exception):
    """A scope has more paths than are followed."""


@dataclass(frozen=True, slots=True)
class Deferred:
    """A function, lambda or generator expression of the scope: it runs when it is called."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.GeneratorExp
    container: str
    """The name in the scope by which it is reached: its own, or that of the class around it; "" for none."""
    state: Presence
    """Where it is defined."""
    is_registered: bool
    """Whether something is handed the function or its class when it is defined, and may call it from then on."""


@dataclass
class ExpressionFlow:
    """The flow of one name through the expressions of one scope."""

    name: str
    conditions: ConditionReader
    has_lazy_annotations: bool = False
    is_function: bool = False
    is_class: bool = False
    """Whether it is a class that binds the name."""
    is_module_name: bool = True
    """Whether the name is a variable of the module: a class that binds the name, too, looks for it there."""
    enclosing: ExpressionFlow | None = None
    enclosing_state: Presence = NOWHERE
    classes: list[ast.ClassDef] = field(default_factory=list)
    uses: dict[ast.AST, Presence] = field(default_factory=dict)
    lazy_uses: dict[ast.AST, bool] = field(default_factory=dict)
    """Uses in annotations that the definition does not evaluate, and whether something may that is handed it."""
    deferred: list[Deferred] = field(default_factory=list)
    loads: dict[str, Presence] = field(default_factory=dict)
    """With which presence another name is read."""
    calls: list[tuple[str, Presence]] = field(default_factory=list)
    """Each call of another name, with the presence in front of it."""
    escapes: set[str] = field(default_factory=set)
    """Other names that are read for anything but a call: what they name may be kept, and called later."""
    imports: dict[ast.Import | ast.ImportFrom, Presence] = field(default_factory=dict)
    is_guarded: bool = False
    """Whether a handler for NameError is around."""
    steps: int = 0

    def count_step(self) -> None:
        """Raises TooComplex where the scope has too many paths."""
        self.steps += 1
        if self.steps > _MAX_STEPS:
            raise TooComplex

    def evaluate_all(self, nodes: Iterable[ast.AST], state: Presence) -> Presence:
        """One after the other."""
        for node in nodes:
            state = self.evaluate(node, state)
        return state

    def evaluate(self, node: ast.AST | None, state: Presence) -> Presence:
        """The presence behind an expression, or behind a target that is assigned to."""
        if node is None or not state.is_reached:
            return state
        self.count_step()
        evaluate = _EVALUATORS.get(type(node))
        return evaluate(self, node, state) if evaluate else self.evaluate_all(ast.iter_child_nodes(node), state)

    def use_name(self, node: ast.AST, identifier: str, state: Presence) -> Presence:
        """Behind a read of any name."""
        if identifier != self.name:
            self.note_load(identifier, state)
            self.escapes.add(identifier)
            return state
        self.note_use(node, state)
        return state if self.is_class else state.use()

    def note_load(self, identifier: str, state: Presence) -> None:
        """Note with what presence another name is read."""
        self.loads[identifier] = self.loads.get(identifier, NOWHERE) | state

    def note_use(self, node: ast.AST, state: Presence) -> None:
        """Note with what presence a use is reached."""
        if not self.is_guarded:
            self.uses[node] = self.uses.get(node, NOWHERE) | state

    def note_import(self, node: ast.Import | ast.ImportFrom, state: Presence) -> None:
        """Note with what presence an import is reached: what it runs may call into this module."""
        self.imports[node] = self.imports.get(node, NOWHERE) | state

    def annotate(self, annotation: ast.expr | None, state: Presence, *, is_handed: bool | None = None) -> Presence:
        """Behind an annotation, where definitions evaluate them."""
        if annotation is None or not state.is_reached:
            return state
        is_handed = self._has_hooked_class() if is_handed is None else is_handed
        for part in walk_nodes(annotation):
            is_text = isinstance(part, ast.Constant) and isinstance(part.value, str) and self.name in part.value
            is_lazy = self.has_lazy_annotations and isinstance(part, ast.Name) and part.id == self.name
            if is_text or is_lazy:
                self.lazy_uses[part] = is_handed
        return state if self.has_lazy_annotations else self.evaluate(annotation, state)

    def evaluate_signature(self, arguments: ast.arguments, state: Presence) -> Presence:
        """Behind the defaults of a signature."""
        return self.evaluate_all([*arguments.defaults, *(d for d in arguments.kw_defaults if d is not None)], state)

    def annotate_signature(self, node: ast.FunctionDef | ast.AsyncFunctionDef, state: Presence) -> Presence:
        """Behind the annotations of a signature."""
        is_handed = bool(node.decorator_list) or self._has_hooked_class()
        for annotation in [*(parameter.annotation for parameter in list_parameters(node.args)), node.returns]:
            state = self.annotate(annotation, state, is_handed=is_handed)
        return state

    def defer(self, node: ast.AST, own_name: str, state: Presence) -> None:
        """Note what runs later."""
        container = self.classes[0].name if self.classes else own_name
        is_registered = self._has_hooked_class() or (
            isinstance(node, FunctionNode) and not all(map(_is_inert, node.decorator_list))
        )
        assert isinstance(node, FunctionNode | ast.Lambda | ast.GeneratorExp)
        self.deferred.append(Deferred(node, container, state, is_registered))

    def evaluate_pattern(self, pattern: ast.pattern, state: Presence) -> Presence:
        """Behind the comparison with a pattern, before it binds anything."""
        for node in walk_nodes(pattern):
            if isinstance(node, ast.MatchValue):
                state = self.evaluate(node.value, state)
            elif isinstance(node, ast.MatchClass):
                state = self.evaluate(node.cls, state)
        return state

    def evaluate_comprehension_inside(self, node: _Comprehension, state: Presence) -> Presence:
        """Behind the loops of a comprehension, less its first iterable."""
        if self.is_class and self.enclosing is not None:
            self.enclosing.evaluate_comprehension_inside(node, self.enclosing_state)
            return state
        inner = state.add_cost()
        if comprehension_binds(node, self.name):
            self._note_own_variable(node)
            return state
        for position, generator in enumerate(node.generators):
            inner = self.evaluate(generator.iter, inner) if position else inner
            inner = self.evaluate_all([generator.target, *generator.ifs], inner)
        values = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        return join_sides(state.add_cost(), self.evaluate_all(values, inner))

    def _note_own_variable(self, node: _Comprehension) -> None:
        """A loop variable that an earlier part of its own comprehension reads: rare, and not followed."""
        for generator in node.generators[1:]:
            for part in walk_nodes(generator.iter):
                if isinstance(part, ast.Name) and part.id == self.name and not _binds_first(node, self.name):
                    self.note_use(part, DOUBTFUL)

    def _has_hooked_class(self) -> bool:
        """Whether the making of a class around may hand it to other code."""
        return any(
            node.keywords
            or not all(map(_is_inert, node.decorator_list))
            or any(read_dotted_name(base) not in {"object", "Exception", "ABC", "abc.ABC"} for base in node.bases)
            for node in self.classes
        )

    def _evaluate_name(self, node: ast.Name, state: Presence) -> Presence:
        if isinstance(node.ctx, ast.Load):
            return self.use_name(node, node.id, state)
        if node.id != self.name:
            return state
        return state.bind() if isinstance(node.ctx, ast.Store) else self.use_name(node, node.id, state).unbind()

    def _evaluate_walrus(self, node: ast.NamedExpr, state: Presence) -> Presence:
        return self.evaluate(node.target, self.evaluate(node.value, state))

    def _evaluate_bool(self, node: ast.BoolOp, state: Presence) -> Presence:
        return self._evaluate_shortcut(node.values, state)

    def _evaluate_shortcut(self, values: list[ast.expr], state: Presence) -> Presence:
        """What a value decides whether the next ones are evaluated."""
        state = self.evaluate(values[0], state)
        if len(values) == 1:
            return state
        return join_sides(state.add_cost(), self._evaluate_shortcut(values[1:], state.add_cost()))

    def _evaluate_comparison(self, node: ast.Compare, state: Presence) -> Presence:
        state = self.evaluate(node.left, state)
        return self._evaluate_shortcut(node.comparators, state)

    def _evaluate_conditional(self, node: ast.IfExp, state: Presence) -> Presence:
        state = self.evaluate(node.test, state)
        decided = self.conditions.decide(node.test)
        if decided is not None:
            return self.evaluate(node.body if decided else node.orelse, state)
        return join_sides(self.evaluate(node.body, state.add_cost()), self.evaluate(node.orelse, state.add_cost()))

    def _evaluate_lambda(self, node: ast.Lambda, state: Presence) -> Presence:
        state = self.evaluate_signature(node.args, state)
        self.defer(node, "", state)
        return state

    def _evaluate_comprehension(self, node: _Comprehension, state: Presence) -> Presence:
        return self.evaluate_comprehension_inside(node, self.evaluate(node.generators[0].iter, state))

    def _evaluate_generator(self, node: ast.GeneratorExp, state: Presence) -> Presence:
        state = self.evaluate(node.generators[0].iter, state)
        if not comprehension_binds(node, self.name):
            self.defer(node, "", state)
        return state

    def _evaluate_dict(self, node: ast.Dict, state: Presence) -> Presence:
        for key, value in zip(node.keys, node.values, strict=True):
            state = self.evaluate(value, self.evaluate(key, state))
        return state

    def _evaluate_call(self, node: ast.Call, state: Presence) -> Presence:
        if isinstance(node.func, ast.Name) and node.func.id != self.name:
            self.note_load(node.func.id, state)
        else:
            state = self.evaluate(node.func, state)
        is_consumer = (isinstance(node.func, ast.Name) and node.func.id in _CONSUMERS) or (
            isinstance(node.func, ast.Attribute) and node.func.attr == "join"
        )
        arguments: list[ast.expr | ast.keyword] = [*node.args, *node.keywords]
        for argument in sorted(arguments, key=lambda part: (part.lineno, part.col_offset)):
            if is_consumer and isinstance(argument, ast.GeneratorExp):
                state = self._evaluate_comprehension(argument, state)
            else:
                state = self.evaluate(argument, state)
        if isinstance(node.func, ast.Name):
            self.calls.append((node.func.id, state))
        return state


def _binds_first(node: _Comprehension, name: str) -> bool:
    target = node.generators[0].target
    return any(isinstance(part, ast.Name) and part.id == name for part in walk_nodes(target))


def _is_inert(decorator: ast.expr) -> bool:
    """Whether a decorator is known not to call what it decorates."""
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    owner, _, name = read_dotted_name(target).rpartition(".")
    return name in _INERT_DECORATORS or (bool(owner) and name in _REGISTERING_METHODS)


_EVALUATORS: Mapping[type[ast.AST], Callable[..., Presence]] = {
    ast.Name: ExpressionFlow._evaluate_name,
    ast.NamedExpr: ExpressionFlow._evaluate_walrus,
    ast.BoolOp: ExpressionFlow._evaluate_bool,
    ast.Compare: ExpressionFlow._evaluate_comparison,
    ast.IfExp: ExpressionFlow._evaluate_conditional,
    ast.Lambda: ExpressionFlow._evaluate_lambda,
    ast.ListComp: ExpressionFlow._evaluate_comprehension,
    ast.SetComp: ExpressionFlow._evaluate_comprehension,
    ast.DictComp: ExpressionFlow._evaluate_comprehension,
    ast.GeneratorExp: ExpressionFlow._evaluate_generator,
    ast.Dict: ExpressionFlow._evaluate_dict,
    ast.Call: ExpressionFlow._evaluate_call,
}
