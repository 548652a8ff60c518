"""Judges claims that a name is not defined: global names, and local variables that have no value yet.

The inputs of a verdict are the claim's file and the modules whose names it takes with a star. The scope rules are
Python's own; what code does to names at run time is not known.
"""

import ast
import re
from collections.abc import Iterable, Mapping
from functools import cached_property

from shared.proof.claims.claim import Claim, ClaimFamily, ClaimState, ClaimVerdict, ModuleKind
from shared.proof.claims.importing.started_modules import StartedModules, settle_main_guard
from shared.proof.claims.ports import ServiceModules
from shared.proof.claims.scopes.expression_flow import TooComplex
from shared.proof.claims.scopes.presence import DOUBTFUL, Presence
from shared.proof.claims.scopes.scope_analysis import ScopeRules, ScopeUses, analyse_scope
from shared.proof.claims.scopes.star_exports import StarExports
from shared.proof.claims.source.builtin_names import is_builtin
from shared.proof.claims.source.conditions import ConditionReader
from shared.proof.claims.source.dynamic_names import find_dynamic_names, may_unbind
from shared.proof.claims.source.python_source import FunctionNode, describe_unparsed, parse_source, walk_nodes
from shared.proof.claims.source.scope_bindings import NameScope, classify_name, find_mentions, list_nested_scopes

CHECKED_BY = "scope rules"
_MANGLED = re.compile(r"_\w+?__\w+(?<!__)|__\w+(?<!__)")


class NameJudge:
    """Judges `name 'n' is not defined` and its forms for local variables."""

    def judge(self, claim: Claim, modules: ServiceModules) -> ClaimVerdict:
        """The verdict at the commit of `modules`."""
        source = modules.tree.read(claim.path)
        if source is None:
            if modules.tree.blob(claim.path) is None:
                return _answer(ClaimState.HOLDS, f"{claim.path} is not in the tree")
            return _answer(ClaimState.UNKNOWN, f"the contents of {claim.path} are not in this copy")
        tree = parse_source(source)
        obstacle = describe_unparsed(claim.path) if tree is None else _find_obstacle(claim, tree)
        if tree is None or obstacle:
            return _answer(ClaimState.UNKNOWN, obstacle)
        file = _File(claim, settle_main_guard(tree, claim.path, modules), modules)
        try:
            return file.judge_local() if claim.family is ClaimFamily.LOCAL_NAME else file.judge_global()
        except (TooComplex, RecursionError):
            return _answer(ClaimState.UNKNOWN, f"{claim.path} has more paths than are followed")


def _find_obstacle(claim: Claim, tree: ast.Module) -> str:
    """Why a name is not followed; "" where it is."""
    if _MANGLED.fullmatch(claim.name):
        return f"classes rename {claim.name}, which is not followed"
    return f"{claim.name} is a type parameter" if claim.name in _list_type_parameters(tree) else ""


class _File:
    """One file at one commit, and the name that a claim misses in it."""

    def __init__(self, claim: Claim, tree: ast.Module, modules: ServiceModules) -> None:
        self._claim = claim
        self._name = claim.name
        self._tree = tree
        self._modules = modules
        stars = StarExports(modules, claim.name)
        self._rules = ScopeRules(
            ConditionReader(tree, modules.python, is_started=None, has_constants=False),
            _has_lazy_annotations(tree, modules.python),
            lambda node: stars.decide(claim.path, node),
            self._runs_own_code,
            find_mentions(tree, claim.name),
        )

    def judge_global(self) -> ClaimVerdict:
        """`name 'n' is not defined`."""
        name = self._name
        if is_builtin(name, self._modules.python):
            return _answer(ClaimState.HOLDS, f"Python {self._modules.python} has {name} built in")
        uses = self._global_uses
        lines = _list_lines(node for node, presence in uses.items() if presence.is_unbound)
        if lines and not self._is_logged_line_doubtful(uses, lines):
            return _answer(ClaimState.FAILS, f"nothing binds {name} before line {lines[0]} uses it", lines)
        doubt = self._find_doubt(uses)
        if doubt:
            return _answer(ClaimState.UNKNOWN, doubt)
        if uses:
            return _answer(ClaimState.HOLDS, f"{name} is bound wherever {self._claim.path} uses it")
        return self._judge_unused()

    def judge_local(self) -> ClaimVerdict:
        """`cannot access local variable 'n'` and `cannot access free variable 'n'`."""
        scopes = self._list_claimed_scopes()
        if not scopes:
            return self._judge_no_local()
        uses: dict[ast.AST, Presence] = {}
        for scope in scopes:
            uses |= _doubt_behind_closures(scope, self._name, analyse_scope(scope, self._name, self._rules).uses)
        lines = _list_lines(node for node, presence in uses.items() if presence.can_be_unbound)
        if lines and not self._is_claimed(scopes[0]) and self._has_claimed_function:
            reason = f"{self._claim.function} does not use {self._name} any more, but line {lines[0]} may still miss it"
            return _answer(ClaimState.UNKNOWN, reason)
        if lines and not self._is_logged_line_doubtful(uses, lines):
            return _answer(
                ClaimState.FAILS, f"a path leads to line {lines[0]} on which {self._name} has no value", lines
            )
        doubtful = _list_lines(node for node, presence in uses.items() if not presence.is_bound)
        if doubtful:
            reason = f"whether {self._name} has a value in line {doubtful[0]} depends on several conditions at once"
            return _answer(ClaimState.UNKNOWN, reason)
        return _answer(ClaimState.HOLDS, f"every path binds {self._name} before it is used")

    @cached_property
    def _dynamic(self) -> str:
        return find_dynamic_names(self._tree, self._name)

    @cached_property
    def _module_scope(self) -> ScopeUses:
        return analyse_scope(self._tree, self._name, self._rules)

    @cached_property
    def _global_uses(self) -> Mapping[ast.AST, Presence]:
        """Each use of the module's variable, with what cannot be known added."""
        uses = self._module_scope.uses
        has_unknown_builtin = is_builtin(self._name, self._modules.python) is None
        if has_unknown_builtin or self._dynamic:
            uses = {node: presence if presence.is_bound else presence | DOUBTFUL for node, presence in uses.items()}
        if may_unbind(self._tree):
            uses = {node: presence | DOUBTFUL for node, presence in uses.items()}
        return uses

    def _find_doubt(self, uses: Mapping[ast.AST, Presence]) -> str:
        doubtful = _list_lines(node for node, presence in uses.items() if not presence.is_bound)
        if doubtful:
            because = f": {self._dynamic} may bind it" if self._dynamic else ""
            return f"whether {self._name} is bound in line {doubtful[0]} is not decidable{because}"
        lazy = _list_lines(node for node, is_handed in self._module_scope.lazy_uses.items() if is_handed)
        if lazy and not self._module_scope.end.is_bound:
            return f"the annotation in line {lazy[0]} names {self._name}, and may be evaluated later"
        for scope in self._list_local_scopes():
            if scope.name == self._claim.function:
                local_uses = analyse_scope(scope, self._name, self._rules).uses
                if not all(presence.is_bound for presence in local_uses.values()):
                    return f"{self._name} is a local variable of {scope.name} now, and not bound on every path"
        return ""

    def _is_logged_line_doubtful(self, uses: Mapping[ast.AST, Presence], lines: tuple[int, ...]) -> bool:
        """Whether the line that was logged is one of those that are not decided, while others surely fail."""
        doubtful = _list_lines(node for node, presence in uses.items() if not presence.is_bound)
        return self._claim.line not in lines and self._claim.line in doubtful

    def _judge_unused(self) -> ClaimVerdict:
        """No global use is left, so the claimed one is gone; unless it was never written as a name."""
        text = self._claim.source_text
        if self._module_scope.end.is_bound:
            return _answer(ClaimState.HOLDS, f"{self._claim.path} binds {self._name}")
        if text and not re.search(rf"(?<!\w){re.escape(self._name)}(?!\w)", text):
            return _answer(ClaimState.UNKNOWN, f"the logged line does not name {self._name} itself")
        if self._dynamic:
            return _answer(ClaimState.UNKNOWN, f"{self._dynamic} may use {self._name}")
        return _answer(ClaimState.HOLDS, f"{self._claim.path} does not use the global name {self._name}")

    def _judge_no_local(self) -> ClaimVerdict:
        """The variable is local no more: it holds if the module binds it, or nothing asks for it."""
        verdict = self.judge_global()
        if verdict.state is ClaimState.FAILS:
            return _answer(ClaimState.UNKNOWN, f"{self._name} is a global name now, which nothing binds")
        return verdict

    def _list_local_scopes(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        return [
            scope
            for scope in list_nested_scopes(self._tree)
            if isinstance(scope, FunctionNode)
            and self._rules.may_mention(scope)
            and classify_name(scope, self._name) is NameScope.LOCAL
        ]

    def _list_claimed_scopes(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        """The functions whose variable the claim means: of the frame's name, else all that have such a variable."""
        scopes = self._list_local_scopes()
        claimed = [scope for scope in scopes if self._is_claimed(scope)]
        return claimed if claimed or self._is_used_in_claimed() else scopes

    @cached_property
    def _has_claimed_function(self) -> bool:
        return any(
            isinstance(scope, FunctionNode) and scope.name == self._claim.function
            for scope in list_nested_scopes(self._tree)
        )

    def _is_claimed(self, scope: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        inside = (nested.name for nested in list_nested_scopes(scope) if isinstance(nested, FunctionNode))
        return self._claim.function in (scope.name, *inside)

    def _is_used_in_claimed(self) -> bool:
        """Whether a function of the frame's name still uses the name, as a global one."""
        return any(
            isinstance(node, ast.Name) and node.id == self._name
            for scope in list_nested_scopes(self._tree)
            if isinstance(scope, FunctionNode) and scope.name == self._claim.function
            for node in walk_nodes(scope)
        )

    def _runs_own_code(self, node: ast.Import | ast.ImportFrom) -> bool:
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
        level = node.level if isinstance(node, ast.ImportFrom) else 0
        quiet = {ModuleKind.OUTSIDE, ModuleKind.NAMESPACE}
        path, modules = self._claim.path, self._modules
        loud = [name for name in names if modules.find_module(path, name, level).kind not in quiet]
        if level or not isinstance(modules, StartedModules):
            return bool(loud)
        return not all(modules.is_outside(path, name.partition(".")[0]) for name in loud)


def _doubt_behind_closures(
    scope: ast.FunctionDef | ast.AsyncFunctionDef, name: str, uses: Mapping[ast.AST, Presence]
) -> Mapping[ast.AST, Presence]:
    """The uses of a local variable; those behind a function in it that reads the variable may never be reached without.

    Where that function is called before, the call fails first.
    """
    closures = [
        nested.end_lineno or nested.lineno
        for nested in list_nested_scopes(scope)
        if isinstance(nested, FunctionNode | ast.Lambda) and classify_name(nested, name) is not NameScope.LOCAL
        if any(isinstance(node, ast.Name) and node.id == name for node in walk_nodes(nested))
    ]
    first = min(closures, default=None)
    if first is None:
        return uses
    return {
        node: DOUBTFUL if presence.can_be_unbound and getattr(node, "lineno", 0) > first else presence
        for node, presence in uses.items()
    }


def _has_lazy_annotations(tree: ast.Module, python: str) -> bool:
    minor = int(python.partition(".")[2] or 0)
    return minor >= 14 or any(
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(a.name == "annotations" for a in node.names)
        for node in tree.body
    )


def _list_type_parameters(tree: ast.Module) -> list[str]:
    """The names in `def f[T]()` and `class C[T]`, which only a newer Python parses."""
    if not hasattr(ast, "TypeVar"):
        return []
    return [parameter.name for node in walk_nodes(tree) for parameter in getattr(node, "type_params", ())]


def _list_lines(nodes: Iterable[ast.AST]) -> tuple[int, ...]:
    return tuple(sorted({getattr(node, "lineno", 0) for node in nodes}))


def _answer(state: ClaimState, reason: str, lines: tuple[int, ...] = ()) -> ClaimVerdict:
    return ClaimVerdict(state, reason, lines, CHECKED_BY)
