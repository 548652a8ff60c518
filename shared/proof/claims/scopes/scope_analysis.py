"""Where one name is used, and whether it is bound there: of a scope and all that it defines to run later.

A function that uses the name of a scope around it fails or not depending on when it is called. Its window is every
presence with which it can be called: where it is read, itself or what reads it; where something is handed it; and for
a module the end, since its importers call from then on.
"""

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from shared.proof.claims.scopes.assignment_flow import AssignmentFlow
from shared.proof.claims.scopes.expression_flow import Deferred
from shared.proof.claims.scopes.presence import BOUND, DOUBTFUL, NOWHERE, UNBOUND, Presence
from shared.proof.claims.source.conditions import ConditionReader
from shared.proof.claims.source.python_source import FunctionNode, list_parameters, walk_nodes, walk_scope
from shared.proof.claims.source.scope_bindings import NameScope, binds_name, classify_name, list_nested_scopes

_Scope = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef
_Block = _Scope | ast.ClassDef
_KEPT_COST = 10
"""When a function that is kept is called is unknown."""


@dataclass(frozen=True, slots=True)
class ScopeRules:
    """What the scope's file and the image settle."""

    conditions: ConditionReader
    has_lazy_annotations: bool
    decide_star: Callable[[ast.ImportFrom], bool | None]
    runs_own_code: Callable[[ast.Import | ast.ImportFrom], bool]
    """Whether an import runs code of the repository, which may call into this module."""
    mentions: frozenset[ast.AST] | None = None
    """The nodes below which the name is written, where that was looked for; nothing else is traced."""

    def may_mention(self, node: ast.AST) -> bool:
        """Whether the name may be written below a node."""
        return self.mentions is None or node in self.mentions


@dataclass(frozen=True, slots=True)
class ScopeUses:
    """Every use of one name of one scope, with the presences that it can meet."""

    uses: Mapping[ast.AST, Presence]
    lazy_uses: Mapping[ast.AST, bool]
    """In annotations that are not evaluated, and whether something may that is handed them."""
    end: Presence
    """Behind the scope's last statement."""


@dataclass
class _Trace:
    """What a function does with the name of a scope around it, if it is unbound when the function is called."""

    uses: dict[ast.AST, Presence] = field(default_factory=dict)
    kept_uses: dict[ast.AST, Presence] = field(default_factory=dict)
    """Those of functions that it defines: it may give them away."""
    lazy_uses: dict[ast.AST, bool] = field(default_factory=dict)
    surely_uses: bool = False


def analyse_scope(scope: _Scope, name: str, rules: ScopeRules) -> ScopeUses:
    """Raises TooComplex where the scope has too many paths."""
    is_function = isinstance(scope, FunctionNode)
    flow = _build_flow(name, rules, is_function=is_function, is_module=not is_function)
    is_parameter = isinstance(scope, FunctionNode) and any(part.arg == name for part in list_parameters(scope.args))
    end = flow.run(scope.body, BOUND if is_parameter else UNBOUND)
    end = end | flow.exits.returns if is_function else end
    windows = _Windows(scope, flow, end, rules)
    uses, lazy_uses = dict(flow.uses), dict(flow.lazy_uses)
    for deferred in flow.deferred:
        if not rules.may_mention(deferred.node):
            continue
        trace = _trace_deferred(deferred.node, name, rules, is_module=not is_function)
        window = windows.compute(deferred)
        is_failing = window.bound is not None and trace.surely_uses and windows.is_called_early(deferred)
        for node, presence in trace.uses.items():
            uses[node] = uses.get(node, NOWHERE) | _combine(UNBOUND if is_failing else window, presence)
        for node, presence in trace.kept_uses.items():
            uses[node] = uses.get(node, NOWHERE) | _combine(windows.keep(window), presence)
        lazy_uses |= trace.lazy_uses
    if windows.is_unbound_inside:
        uses |= {node: DOUBTFUL for node in walk_nodes(scope) if isinstance(node, ast.Name) and node.id == name}
    return ScopeUses({node: windows.add_doubts(presence) for node, presence in uses.items()}, lazy_uses, end)


def _build_flow(name: str, rules: ScopeRules, *, is_function: bool, is_module: bool) -> AssignmentFlow:
    return AssignmentFlow(
        name,
        rules.conditions,
        has_lazy_annotations=rules.has_lazy_annotations,
        is_function=is_function,
        is_module_name=is_module,
        decide_star=rules.decide_star,
    )


def _combine(window: Presence, inside: Presence) -> Presence:
    """A use in a function that is called with one of the presences of a window."""
    if inside.unbound is None:
        return inside
    return Presence(inside.bound) | window.add_cost(inside.unbound)


def _trace_deferred(node: ast.AST, name: str, rules: ScopeRules, *, is_module: bool) -> _Trace:
    trace = _Trace()
    if isinstance(node, ast.GeneratorExp | ast.Lambda):
        flow = _build_flow(name, rules, is_function=True, is_module=is_module)
        if isinstance(node, ast.GeneratorExp):
            flow.evaluate_comprehension_inside(node, UNBOUND)
        elif classify_name(node, name) is NameScope.OUTER:
            flow.evaluate(node.body, UNBOUND)
        _add_flow(trace, flow, name, rules, is_module=is_module)
        return trace
    assert isinstance(node, FunctionNode)
    kind = classify_name(node, name)
    if kind is NameScope.OUTER or kind is (NameScope.GLOBAL if is_module else NameScope.NONLOCAL):
        flow = _build_flow(name, rules, is_function=True, is_module=is_module)
        end = flow.run(node.body, UNBOUND)
        _add_flow(trace, flow, name, rules, is_module=is_module)
        trace.surely_uses = not (end | flow.exits.returns).is_reached and not _is_generator(node)
    elif is_module:
        for nested in list_nested_scopes(node):
            kind = classify_name(nested, name)
            if isinstance(nested, FunctionNode) and kind is NameScope.GLOBAL:
                _merge(trace, _trace_deferred(nested, name, rules, is_module=True))
            elif isinstance(nested, ast.ClassDef) and kind is NameScope.LOCAL:
                _merge(trace, _trace_class(nested, name, rules))
    return trace


def _trace_class(node: ast.ClassDef, name: str, rules: ScopeRules) -> _Trace:
    """A class in a function: what it binds itself and has not bound yet, it looks for in the module."""
    flow = AssignmentFlow(name, rules.conditions, has_lazy_annotations=rules.has_lazy_annotations, is_class=True)
    flow.run(node.body, UNBOUND)
    return _Trace(flow.uses, lazy_uses=flow.lazy_uses)


def _add_flow(trace: _Trace, flow: AssignmentFlow, name: str, rules: ScopeRules, *, is_module: bool) -> None:
    trace.uses |= flow.uses
    trace.lazy_uses |= flow.lazy_uses
    for deferred in flow.deferred:
        _merge(trace, _trace_deferred(deferred.node, name, rules, is_module=is_module))


def _merge(trace: _Trace, nested: _Trace) -> None:
    trace.kept_uses |= nested.uses | nested.kept_uses
    trace.lazy_uses |= nested.lazy_uses


def _is_function(deferred: Deferred) -> bool:
    """Whether its container is the function itself, not a class around it."""
    return isinstance(deferred.node, FunctionNode) and deferred.node.name == deferred.container


def _is_generator(node: ast.AST) -> bool:
    return isinstance(node, ast.AsyncFunctionDef) or any(
        isinstance(part, ast.Yield | ast.YieldFrom) for part in walk_nodes(node)
    )


class _Windows:
    """The windows of what one scope defines."""

    def __init__(self, scope: _Block, flow: AssignmentFlow, end: Presence, rules: ScopeRules) -> None:
        self._flow = flow
        self._end = end
        self._rules = rules
        self._is_module = isinstance(scope, ast.Module)
        self._names = [deferred.container for deferred in flow.deferred]
        self._is_unbound_again = _unbinds(scope, flow.name)
        declared = NameScope.GLOBAL if self._is_module else NameScope.NONLOCAL
        declaring = [
            nested
            for nested in list_nested_scopes(scope)
            if isinstance(nested, FunctionNode | ast.ClassDef)
            and rules.may_mention(nested)
            and classify_name(nested, flow.name) is declared
        ]
        self._binds = binds_name(scope, flow.name)
        self._is_bound_inside = any(binds_name(nested, flow.name) for nested in declaring)
        self.is_unbound_inside = any(_unbinds(nested, flow.name) for nested in declaring)

    def compute(self, deferred: Deferred) -> Presence:
        """Every presence with which a function can be called."""
        readers = self._list_readers(deferred.container) if deferred.container else set()
        is_kept = (
            self._is_module
            or not deferred.container
            or deferred.is_registered
            or len(readers) > 1
            or not readers.isdisjoint(self._flow.escapes)
            or _is_generator(deferred.node)
            or not _is_function(deferred)
        )
        window = self._end if is_kept else NOWHERE
        if deferred.is_registered or not deferred.container:
            window |= deferred.state
        for reader in readers:
            window |= self._flow.loads.get(reader, NOWHERE)
        for node, presence in self._flow.imports.items() if self._is_module else ():
            if node.lineno > deferred.node.lineno and presence.unbound is not None and self._rules.runs_own_code(node):
                window |= presence
        if self._is_unbound_again and window.is_reached:
            window |= DOUBTFUL
        return self.keep(window) if is_kept else window

    def keep(self, window: Presence) -> Presence:
        """The window of what may be called at any time from then on."""
        if not window.is_reached:
            return window
        window |= self._end | Presence(self._flow.exits.raises.bound)
        if not self._end.is_reached and self._binds:
            window |= DOUBTFUL
        is_mixed = window.bound is not None and window.unbound is not None
        return window.add_cost(_KEPT_COST) if is_mixed else window

    def is_called_early(self, deferred: Deferred) -> bool:
        """Whether the scope itself calls a function by its name before it binds the name that is used."""
        name = deferred.container
        return (
            isinstance(deferred.node, FunctionNode)
            and _is_function(deferred)
            and not deferred.node.decorator_list
            and self._names.count(name) == 1
            and any(
                called == name and presence.is_unbound and presence.unbound == 0
                for called, presence in self._flow.calls
            )
        )

    def add_doubts(self, presence: Presence) -> Presence:
        """What functions that bind the name of this scope add."""
        return presence | DOUBTFUL if self._is_bound_inside and presence.unbound is not None else presence

    @cached_property
    def _readers(self) -> Mapping[str, set[str]]:
        return _map_readers(self._flow.deferred)

    def _list_readers(self, container: str) -> set[str]:
        reached, waiting = {container}, [container]
        while waiting:
            for reader in self._readers.get(waiting.pop(), ()):
                if reader not in reached:
                    reached.add(reader)
                    waiting.append(reader)
        return reached


def _map_readers(deferred_nodes: Iterable[Deferred]) -> Mapping[str, set[str]]:
    """Of each name, in which functions and classes of the scope it is read."""
    readers: dict[str, set[str]] = {}
    for deferred in deferred_nodes:
        for node in walk_nodes(deferred.node):
            if isinstance(node, ast.Name) and deferred.container:
                readers.setdefault(node.id, set()).add(deferred.container)
    return readers


def _unbinds(scope: _Block, name: str) -> bool:
    """Whether anything in a scope unbinds the name again."""
    return any(
        (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del) and node.id == name)
        or (isinstance(node, ast.ExceptHandler) and node.name == name)
        for node in walk_scope(scope.body)
    )
