"""Whether a module's own `__getattr__` (PEP 562) refuses a name, as its text decides.

Takes a module's code and a name. True only where every way through the function raises AttributeError for that name.
"""

import ast
from collections.abc import Collection, Sequence

from shared.proof.claims.source.module_code import ModuleCode, list_nodes
from shared.proof.claims.source.python_source import walk_nodes

_HOOK = "__getattr__"
_READING = frozenset(("get", "keys", "items", "values", "copy", "index", "count"))


def refuses_name(code: ModuleCode, name: str) -> bool:
    """Whether the one `__getattr__` of a module raises AttributeError for a name; False where that is not plain."""
    hook = _find_hook(code.tree)
    if hook is None:
        return False
    reader = _HookReader(code.tree, hook.args.args[0].arg, name)
    return reader.run(hook.body) is True


def _find_hook(tree: ast.Module) -> ast.FunctionDef | None:
    """The plain function of one parameter, where nothing else in the module has its name, or that of the error."""
    hooks = [statement for statement in tree.body if isinstance(statement, ast.FunctionDef) and statement.name == _HOOK]
    if len(hooks) != 1 or hooks[0].decorator_list:
        return None
    arguments = hooks[0].args
    others = (arguments.posonlyargs, arguments.kwonlyargs, arguments.vararg, arguments.kwarg, arguments.defaults)
    if len(arguments.args) != 1 or any(others):
        return None
    if any(isinstance(node, ast.Yield | ast.YieldFrom | ast.Await) for node in walk_nodes(hooks[0])):
        return None  # what it returns is an object of its own
    is_shadowed = any(name in {_HOOK, "AttributeError", "*"} for node in list_nodes(tree) for name in _list_bound(node))
    return None if is_shadowed else hooks[0]


def _list_bound(node: ast.AST) -> Sequence[str]:
    """The names that a node binds, but for `__getattr__` as a definition: classes have methods of that name."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name] if node.name != _HOOK else []
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        return [node.id]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name for alias in node.names]
    return [node.arg] if isinstance(node, ast.arg) else []


class _HookReader:
    """Follows the function's statements for one name."""

    def __init__(self, tree: ast.Module, parameter: str, name: str) -> None:
        self._tree = tree
        self._parameter = parameter
        self._name = name
        self._texts = {parameter, "__name__"}
        """Names that are certain to hold a text."""

    def run(self, statements: Sequence[ast.stmt]) -> bool | None:
        """True: AttributeError; False: anything else may come of it; None: control passes to what follows."""
        for statement in statements:
            outcome = self._run_statement(statement)
            if outcome is not None:
                return outcome
        return None

    def _run_statement(self, statement: ast.stmt) -> bool | None:
        match statement:
            case ast.Pass() | ast.Global() | ast.Expr(value=ast.Constant()):
                return None
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target != self._parameter:
                self._texts.add(target)
                return None if self._is_text(value) else False
            case ast.Raise():
                return self._raises_attribute_error(statement)
            case ast.If():
                return self._run_if(statement)
        return False

    def _run_if(self, statement: ast.If) -> bool | None:
        decided = self._decide(statement.test)
        if decided is None:
            return False
        return self.run(statement.body if decided else statement.orelse)

    def _raises_attribute_error(self, statement: ast.Raise) -> bool:
        has_cause = statement.cause is not None and not isinstance(statement.cause, ast.Constant)
        match statement.exc:
            case ast.Name(id="AttributeError"):
                return not has_cause
            case ast.Call(func=ast.Name(id="AttributeError"), args=arguments, keywords=[]):
                return not has_cause and all(map(self._is_text, arguments))
        return False

    def _is_text(self, node: ast.expr) -> bool:
        """Whether an expression is a text whose making cannot fail."""
        match node:
            case ast.Constant():
                return True
            case ast.Name(id=name):
                return name in self._texts
            case ast.JoinedStr(values=values):
                return all(map(self._is_text, values))
            case ast.FormattedValue(value=value, format_spec=None):
                return self._is_text(value)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._is_text(left) and self._is_text(right) and not _has_number(left, right)
        return False

    def _decide(self, test: ast.expr) -> bool | None:
        """Whether a condition on the parameter is true."""
        match test:
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                inner = self._decide(operand)
                return None if inner is None else not inner
            case ast.BoolOp(op=operator, values=values):
                return self._decide_values(values, decisive=isinstance(operator, ast.Or))
            case ast.Compare(left=left, ops=[operator], comparators=[right]):
                return self._compare(left, operator, right)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=base), attr=method), args=[argument], keywords=[]):
                return self._compare_end(method, argument) if base == self._parameter else None
        return None

    def _decide_values(self, values: Sequence[ast.expr], *, decisive: bool) -> bool | None:
        """Python stops at the first value that decides; one before it that is not known may be anything."""
        for value in values:
            decided = self._decide(value)
            if decided is None or decided is decisive:
                return decided
        return not decisive

    def _compare(self, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> bool | None:
        if isinstance(right, ast.Name) and right.id == self._parameter and isinstance(operator, ast.Eq | ast.NotEq):
            left, right = right, left
        if not isinstance(left, ast.Name) or left.id != self._parameter:
            return None
        if isinstance(operator, ast.Eq | ast.NotEq) and isinstance(right, ast.Constant):
            return (self._name == right.value) is isinstance(operator, ast.Eq)
        members = self._read_members(right) if isinstance(operator, ast.In | ast.NotIn) else None
        return None if members is None else (self._name in members) is isinstance(operator, ast.In)

    def _compare_end(self, method: str, argument: ast.expr) -> bool | None:
        if not isinstance(argument, ast.Constant) or not isinstance(argument.value, str):
            return None
        if method == "startswith":
            return self._name.startswith(argument.value)
        return self._name.endswith(argument.value) if method == "endswith" else None

    def _read_members(self, node: ast.expr) -> Collection[object] | None:
        """What a collection holds that is written out, here or once as a constant of the module."""
        if isinstance(node, ast.Name):
            value = _find_constant(self._tree, node.id)
            return _read_literals(value) if value is not None else None
        return _read_literals(node)


def _has_number(*nodes: ast.expr) -> bool:
    return any(isinstance(node, ast.Constant) and not isinstance(node.value, str) for node in nodes)


def _read_literals(node: ast.expr) -> Collection[object] | None:
    match node:
        case ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items):
            members: Sequence[ast.expr | None] = items
        case ast.Dict(keys=keys):
            members = keys
        case ast.Call(func=ast.Name(id="frozenset" | "set" | "tuple"), args=[inner], keywords=[]):
            return _read_literals(inner)
        case _:
            return None
    constants = [member.value for member in members if isinstance(member, ast.Constant)]
    return constants if len(constants) == len(members) else None


def _find_constant(tree: ast.Module, name: str) -> ast.expr | None:
    """The value of a name that one statement of the module binds, and that nothing in it changes."""
    values: list[ast.expr] = []
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                values.append(value)
            case ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value) if target == name:
                values.append(value)
    nodes = list_nodes(tree)
    uses = [node for node in nodes if isinstance(node, ast.Name) and node.id == name]
    stores = [use for use in uses if not isinstance(use.ctx, ast.Load)]
    reading = {id(use) for node in nodes for use in _list_read(node)}
    is_bound_otherwise = any(name in _list_bound(node) for node in nodes if not isinstance(node, ast.Name))
    is_read_only = all(id(use) in reading for use in uses if use not in stores)
    return values[0] if len(values) == len(stores) == 1 and is_read_only and not is_bound_otherwise else None


def _list_read(node: ast.AST) -> Sequence[ast.expr]:
    """The expressions that a node only reads from: `x in NAMES`, `NAMES[x]`, `NAMES.get(x)`, a loop over `NAMES`."""
    match node:
        case ast.Compare(comparators=comparators):
            return comparators
        case ast.Subscript(value=value, ctx=ast.Load()):
            return [value]
        case ast.Call(func=ast.Attribute(value=value, attr=method)) if method in _READING:
            return [value]
        case ast.For(iter=value) | ast.comprehension(iter=value):
            return [value]
        case ast.Call(func=ast.Name(id="list" | "sorted" | "set" | "tuple" | "dir" | "len"), args=[value], keywords=[]):
            return [value]
    return []
