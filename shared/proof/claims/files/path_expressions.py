"""Evaluates the path expressions of a source file, as far as they can be read without running them.

Needs the path of the file in the image and the folder in which the service runs. Returns paths with their lines; what
is put together at run time has none.
"""

import ast
import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from shared.proof.claims.source.python_source import read_dotted_name, walk_nodes

_SAME = frozenset(("resolve", "absolute", "expanduser", "as_posix", "__str__"))
_SAME_FUNCTIONS = frozenset((
    "str", "os.fspath", "os.path.abspath", "os.path.realpath", "os.path.normpath", "Path", "pathlib.Path", "PurePath",
    "pathlib.PurePath", "PosixPath", "abspath", "realpath", "normpath", "fspath", "AnyioPath", "anyio.Path",
))  # fmt: skip
_PATH_CLASSES = frozenset(("Path", "pathlib.Path", "PurePath", "pathlib.PurePath", "PosixPath", "anyio.Path"))
_JOINS = frozenset(("os.path.join", "path.join", "join", "posixpath.join"))
_PARENTS = frozenset(("os.path.dirname", "path.dirname", "dirname"))
_WORKING_FOLDERS = frozenset(("os.getcwd", "Path.cwd", "pathlib.Path.cwd", "getcwd"))
_OPENING_FUNCTIONS = frozenset(("open", "io.open", "codecs.open", "aiofiles.open", "os.stat", "os.listdir"))
_OPENING_METHODS = frozenset(("open", "read_text", "read_bytes", "stat", "iterdir", "exists", "is_file"))
_MAX_DEPTH = 12


@dataclass(frozen=True, slots=True)
class NamedPath:
    """A path that an expression certainly is, absolute in the image. `is_part`: the path may be joined to another."""

    path: str
    line: int
    is_part: bool = False


class PathReader:
    """Reads one file. `image_path`: where it is in the image; `workdir`: what relative paths are relative to."""

    def __init__(self, tree: ast.Module, image_path: str, workdir: str) -> None:
        self._tree = tree
        self._image_path = image_path
        self._workdir = workdir

    @cached_property
    def named_paths(self) -> tuple[NamedPath, ...]:
        """Every path that the file names, in the order of its lines."""
        return tuple(sorted(self._list_paths(self._tree, is_part=False), key=lambda named: named.line))

    def list_opened(self, line: int) -> list[str]:
        """What the calls of one line that open a file are given, where it is known."""
        calls = (node for node in walk_nodes(self._tree) if isinstance(node, ast.Call) and node.lineno == line)
        return [path for call in calls for path in self.list_opened_by(call)]

    def list_opened_by(self, call: ast.Call) -> list[str]:
        """The path that a call opens, if it is one that does and the path is known."""
        target = _find_opened(call)
        value = self.evaluate(target) if target is not None else None
        return [self.anchor(value)] if value is not None else []

    def anchor(self, path: str) -> str:
        """The image path of a path as the service understands it."""
        return posixpath.normpath(posixpath.join(self._workdir, path))

    def _list_paths(self, node: ast.AST, *, is_part: bool) -> Iterator[NamedPath]:
        """The largest expressions that are known; what is given to unknown functions may be a part of a path."""
        waiting: list[tuple[ast.AST, bool]] = [(node, is_part)]
        opened: set[ast.expr] = set()
        while waiting:
            current, part = waiting.pop()
            value = self.evaluate(current) if isinstance(current, ast.expr) else None
            if value is not None:
                if value and "\n" not in value and len(value) < 1_000:
                    yield NamedPath(self.anchor(value), getattr(current, "lineno", 0), part and current not in opened)
                continue
            if isinstance(current, ast.Call) and (target := _find_opened(current)) is not None:
                opened.add(target)
            builds = isinstance(current, ast.Call | ast.BinOp | ast.JoinedStr | ast.Subscript)
            children = ast.iter_child_nodes(current)
            waiting += [(child, part or builds) for child in children]

    def evaluate(self, node: ast.AST, depth: int = 0) -> str | None:
        """The path or text that an expression is; None where that is not known."""
        if depth > _MAX_DEPTH:
            return None
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, ast.Name):
            bound = self._bindings.get(node.id)
            return self._image_path if node.id == "__file__" else self._evaluate_bound(bound, depth)
        if isinstance(node, ast.BinOp | ast.JoinedStr):
            return self._evaluate_joined(node, depth)
        if isinstance(node, ast.Attribute | ast.Subscript):
            return self._evaluate_parent(node, depth)
        return self._evaluate_call(node, depth) if isinstance(node, ast.Call) else None

    def _evaluate_bound(self, value: ast.expr | None, depth: int) -> str | None:
        return self.evaluate(value, depth + 1) if value is not None else None

    def _evaluate_joined(self, node: ast.BinOp | ast.JoinedStr, depth: int) -> str | None:
        """`a / b`, `a + b` and `f"{a}b"`."""
        if isinstance(node, ast.JoinedStr):
            parts = self._evaluate_all([_unwrap(value) for value in node.values], depth)
            return "".join(parts) if parts is not None else None
        sides = self._evaluate_all([node.left, node.right], depth)
        if sides is None or not isinstance(node.op, ast.Div | ast.Add):
            return None
        return posixpath.join(*sides) if isinstance(node.op, ast.Div) else "".join(sides)

    def _evaluate_parent(self, node: ast.Attribute | ast.Subscript, depth: int) -> str | None:
        """`path.parent` and `path.parents[n]`."""
        match node:
            case ast.Attribute(value=value, attr="parent"):
                return self._apply(posixpath.dirname, value, depth)
            case ast.Subscript(value=ast.Attribute(value=value, attr="parents"), slice=ast.Constant(value=int(count))):
                path = self.evaluate(value, depth + 1)
                for _ in range(min(count, 40) + 1):
                    path = posixpath.dirname(path) if path is not None else None
                return path
        return None

    def _evaluate_call(self, call: ast.Call, depth: int) -> str | None:
        name = read_dotted_name(call.func)
        if name in _WORKING_FOLDERS:
            return self._workdir
        if name in _PARENTS and len(call.args) == 1:
            return self._apply(posixpath.dirname, call.args[0], depth)
        if name in _SAME_FUNCTIONS and len(call.args) == 1:
            return self._apply(self.anchor if "path" in name else str, call.args[0], depth)
        joined: list[ast.expr] = call.args if name in {*_JOINS, *_PATH_CLASSES} else []
        if isinstance(call.func, ast.Attribute) and not joined:
            is_same = call.func.attr in _SAME and not call.args
            joined = [call.func.value, *call.args] if is_same or call.func.attr == "joinpath" else []
        parts = self._evaluate_all(joined, depth) if joined and not call.keywords else None
        return posixpath.join(*parts) if parts else None

    def _apply(self, function: Callable[[str], str], node: ast.expr, depth: int) -> str | None:
        value = self.evaluate(node, depth + 1)
        return function(value) if value is not None else None

    def _evaluate_all(self, nodes: Sequence[ast.expr], depth: int) -> list[str] | None:
        values = [self.evaluate(node, depth + 1) for node in nodes]
        known = [value for value in values if value is not None]
        return known if len(known) == len(values) else None

    @cached_property
    def _bindings(self) -> Mapping[str, ast.expr]:
        """The names that the file binds once, to a plain value."""
        values: dict[str, ast.expr | None] = {}
        for node in walk_nodes(self._tree):
            for name, value in _list_bindings(node):
                values[name] = None if name in values else value
        return {name: value for name, value in values.items() if value is not None}


def _list_bindings(node: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            yield name, value
        case ast.AnnAssign(target=ast.Name(id=name), value=value):
            yield name, value
        case ast.Assign(targets=targets):
            parts = (part for target in targets for part in walk_nodes(target))
            yield from ((part.id, None) for part in parts if isinstance(part, ast.Name))
        case ast.AugAssign(target=ast.Name(id=name)) | ast.NamedExpr(target=ast.Name(id=name)):
            yield name, None
        case ast.For(target=target) | ast.AsyncFor(target=target) | ast.comprehension(target=target):
            yield from ((part.id, None) for part in walk_nodes(target) if isinstance(part, ast.Name))
        case ast.withitem(optional_vars=ast.AST() as target):
            yield from ((part.id, None) for part in walk_nodes(target) if isinstance(part, ast.Name))
        case ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.AsyncFunctionDef(name=name):
            yield name, None
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            yield from ((alias.asname or alias.name.partition(".")[0], None) for alias in names)
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            yield from ((name, None) for name in names)


def _unwrap(node: ast.expr) -> ast.expr:
    return node.value if isinstance(node, ast.FormattedValue) and node.format_spec is None else node


def _find_opened(call: ast.Call) -> ast.expr | None:
    """What a call opens; None where it is no call that is known to."""
    if read_dotted_name(call.func) in _OPENING_FUNCTIONS:
        return call.args[0] if call.args else None
    if isinstance(call.func, ast.Attribute) and call.func.attr in _OPENING_METHODS:
        return call.func.value
    return None
