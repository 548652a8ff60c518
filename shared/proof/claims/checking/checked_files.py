"""The files that a type checker needs to judge one file of a service, and the folders from which they are imported.

Only what an import certainly finds in the repository is handed on: whatever else is unknown to the checker, too.

`insert_probes` puts `reveal_type(…)` around values of a source, so that the checker says whether it knows their types.
Nothing else of the source changes, and no line moves; each probe is found again by its line and column.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from shared.proof.claims.attributes.expression_meaning import MeaningFinder
from shared.proof.claims.attributes.source_file import SourceFile
from shared.proof.claims.claim import FoundModule, ModuleKind

_MAX_FILES = 60
_MAX_STEPS = 2
"""How far imports are followed from the judged file."""


@dataclass(frozen=True, slots=True)
class CheckedFiles:
    """`roots`: folders of the repository, "" for its top, in the order in which imports led to them."""

    contents: Mapping[str, bytes]
    roots: Sequence[str]


@dataclass(slots=True)
class _Collection:
    finder: MeaningFinder
    contents: dict[str, bytes] = field(default_factory=dict)
    roots: dict[str, None] = field(default_factory=dict)

    def add(self, path: str) -> SourceFile | None:
        """Take a file in; None where it is known already or cannot be read."""
        content = self.finder.modules.tree.read(path)
        if path in self.contents or content is None or len(self.contents) >= _MAX_FILES:
            return None
        self.contents[path] = content
        return self.finder.get_source(path)

    def follow(self, source: SourceFile) -> list[SourceFile]:
        """Take in what a file imports."""
        added: list[SourceFile] = []
        for module, dotted in _list_modules(self.finder, source):
            if len(self.contents) >= _MAX_FILES:  # to look up further ones would cost much, and take none of them in
                break
            parsed = self._add_module(module, dotted)
            added += [parsed] if parsed is not None else []
        return added

    def _add_module(self, module: FoundModule, dotted: str) -> SourceFile | None:
        if module.kind not in {ModuleKind.FILE, ModuleKind.PACKAGE}:
            return None
        root = _find_root(module.path, dotted) if dotted else None
        if root is not None:
            self.roots[root] = None
        return self.add(module.path)


def collect_files(finder: MeaningFinder, path: str) -> CheckedFiles:
    """A file with what it imports, and what that imports."""
    collection = _Collection(finder)
    level = [parsed for parsed in (collection.add(path),) if parsed is not None]
    for _ in range(_MAX_STEPS):
        level = [parsed for source in level for parsed in collection.follow(source)]
    return CheckedFiles(collection.contents, tuple(collection.roots))


def _find_root(path: str, dotted: str) -> str | None:
    """`src` for `src/a/b.py` as `a.b`; None where the path does not end like the name."""
    bare = path.removesuffix("/__init__.py").removesuffix(".py")
    suffix = dotted.replace(".", "/")
    if bare == suffix:
        return ""
    return bare.removesuffix("/" + suffix) if bare.endswith("/" + suffix) else None


def _list_modules(finder: MeaningFinder, source: SourceFile) -> Iterator[tuple[FoundModule, str]]:
    """Every module that the import statements of a file may load, with its dotted name, "" for a relative import."""
    for node in source.nodes:
        match node:
            case ast.Import():
                for alias in node.names:
                    yield from _look_up(finder, source, alias.name, 0)
            case ast.ImportFrom():
                module = node.module or ""
                yield from _look_up(finder, source, module, node.level)
                for alias in node.names:
                    if alias.name != "*":
                        yield from _look_up(finder, source, f"{module}.{alias.name}".lstrip("."), node.level)


def _look_up(finder: MeaningFinder, source: SourceFile, dotted: str, level: int) -> Iterator[tuple[FoundModule, str]]:
    """The module, and the packages on the way to it."""
    parts = dotted.split(".") if dotted else []
    for count in range(0 if level else 1, len(parts) + 1):
        name = ".".join(parts[:count])
        yield finder.modules.find_module(source.path, name, level), "" if level else name


_PREFIX, _SUFFIX = "reveal_type(", ")"
_WRAPPED = (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Await, ast.NamedExpr, ast.BoolOp, ast.IfExp)


@dataclass(frozen=True, slots=True)
class ProbedSource:
    """`positions`: where the checker will name each value: line and column, from 1, in characters."""

    content: bytes
    positions: Mapping[ast.expr, tuple[int, int]]


def insert_probes(content: bytes, values: Iterable[ast.expr]) -> ProbedSource:
    """Probes around those values that can be wrapped; a source that is no UTF-8 stays as it is."""
    wrapped = [value for value in dict.fromkeys(values) if isinstance(value, _WRAPPED)]
    try:
        lines = content.decode("utf-8").splitlines(keepends=True)
    except UnicodeDecodeError:
        return ProbedSource(content, {})
    if content.startswith(b"\xef\xbb\xbf") or any(ending in content for ending in (b"\x0c", b"\r")):
        return ProbedSource(content, {})  # here lines or columns are counted in more than one way
    starts = {value: _locate(lines, value.lineno, value.col_offset) for value in wrapped}
    ends = {value: _locate(lines, value.end_lineno or 1, value.end_col_offset or 0) for value in wrapped}
    outermost_first = sorted(wrapped, key=lambda value: (starts[value], [-part for part in ends[value]]))
    insertions: list[tuple[tuple[int, int], int, str]] = []
    positions: dict[ast.expr, tuple[int, int]] = {}
    for rank, value in enumerate(outermost_first):
        insertions.append((starts[value], rank, _PREFIX))
        insertions.append((ends[value], -rank - 1, _SUFFIX))
    insertions.sort(key=lambda insertion: (insertion[0], insertion[2] == _PREFIX, insertion[1]))
    for value in outermost_first:
        line, column = starts[value]
        before = [text for position, _, text in insertions if position[0] == line and position[1] < column]
        before += [_SUFFIX for position, _, text in insertions if position == (line, column) and text == _SUFFIX]
        same = [other for other in outermost_first if starts[other] == (line, column)]
        shift = sum(map(len, before)) + len(_PREFIX) * (same.index(value) + 1)
        positions[value] = (line + 1, column + shift + 1)
    return ProbedSource(_apply(lines, insertions).encode(), positions)


def _locate(lines: list[str], line: int, offset: int) -> tuple[int, int]:
    """Line and column from 0, in characters, of a position that the parser gives in bytes."""
    return line - 1, len(lines[line - 1].encode()[:offset].decode("utf-8", "replace"))


def _apply(lines: list[str], insertions: list[tuple[tuple[int, int], int, str]]) -> str:
    changed = list(lines)
    for (line, column), _, text in reversed(insertions):
        changed[line] = changed[line][:column] + text + changed[line][column:]
    return "".join(changed)
