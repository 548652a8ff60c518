"""The files that a type checker needs to judge one file of a service, and the folders from which they are imported.

Only what an import certainly finds in the repository is handed on: whatever else is unknown to the checker, too.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
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
