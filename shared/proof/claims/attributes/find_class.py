"""Finds the class that a message names, for the objects that a file asks for an attribute.

The expression itself shows it best: `self`, `C(…)`, a parameter that is annotated. Else the name must lead to one class
alone: in the file, imported into it, or in the modules that it imports.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from shared.proof.claims.attributes.attribute_uses import AttributeUse
from shared.proof.claims.attributes.class_hierarchy import Hierarchy, read_hierarchy
from shared.proof.claims.attributes.expression_meaning import ClassMeaning, MeaningFinder, ModuleMeaning
from shared.proof.claims.attributes.source_file import ImportedName, SourceFile

_MAX_FILES = 60
_MAX_STEPS = 2
"""How far imports are followed from the file."""


@dataclass(frozen=True, slots=True)
class FoundClass:
    """The one class, or why there is none."""

    start: ClassMeaning | None
    reason: str = ""


def find_class(finder: MeaningFinder, source: SourceFile, owner: str, uses: Iterable[AttributeUse]) -> FoundClass:
    """The class `owner` of the objects in these places."""
    candidates: dict[ast.ClassDef, ClassMeaning] = {}
    is_certain = True
    for use in uses:
        meaning = finder.find_meaning(source, use.value)
        if isinstance(meaning, ClassMeaning) and meaning.node.name == owner:
            candidates[meaning.node] = ClassMeaning(meaning.path, meaning.node)
        elif not isinstance(meaning, ModuleMeaning):
            is_certain = False
    if not is_certain:
        candidates |= {meaning.node: meaning for meaning in _list_named(finder, source, owner)}
        if not candidates or not _is_bound(source, owner):
            candidates |= _search_imported(finder, source, owner)
    if len(candidates) == 1:
        start = next(iter(candidates.values()))
        if _is_rebound(finder, start):
            return FoundClass(None, f"{start.path} binds {owner} more than once")
        return FoundClass(start)
    return FoundClass(None, f"{len(candidates) or 'no'} classes {owner} are seen from {source.path}")


def may_be_asked(finder: MeaningFinder, source: SourceFile, hierarchy: Hierarchy, use: AttributeUse) -> bool:
    """Whether an object of the hierarchy's class may be what a place asks."""
    meaning = finder.find_meaning(source, use.value)
    if isinstance(meaning, ModuleMeaning):
        return False
    if not isinstance(meaning, ClassMeaning) or hierarchy.contains(meaning.node):
        return True
    if not meaning.is_self:
        return False  # an object of just that other class
    if isinstance(use.value, ast.Name) and use.value.id in {"self", "cls"}:
        return False  # its class is another one, or derives from another one
    own = hierarchy.classes[0].node
    return read_hierarchy(finder, meaning).contains(own)


def is_surely_asked(finder: MeaningFinder, source: SourceFile, hierarchy: Hierarchy, use: AttributeUse) -> bool:
    """Whether the source itself says that a place asks an object of the hierarchy."""
    meaning = finder.find_meaning(source, use.value)
    return isinstance(meaning, ClassMeaning) and hierarchy.contains(meaning.node)


def _search_imported(finder: MeaningFinder, source: SourceFile, owner: str) -> Mapping[ast.ClassDef, ClassMeaning]:
    """Where one class is found, the files without one are no inputs: changes of theirs say nothing of the claim."""
    recorded = finder.modules.tree.recorded_paths
    inputs = frozenset(recorded)
    reached = {meaning.node: meaning for meaning in _list_reached(finder, source, owner)}
    if len(reached) == 1:
        recorded.intersection_update(inputs | {meaning.path for meaning in reached.values()})
    return reached


def _is_rebound(finder: MeaningFinder, start: ClassMeaning) -> bool:
    """Whether the name of a class stands for something else, too, where it is defined."""
    source = finder.get_source(start.path)
    return source is None or len(source.list_bindings(source.get_scope(start.node)).get(start.node.name, ())) != 1


def _is_bound(source: SourceFile, owner: str) -> bool:
    return owner in source.list_bindings(source.tree)


def _list_named(finder: MeaningFinder, source: SourceFile, owner: str) -> Iterator[ClassMeaning]:
    """Classes of the name in the file, and those imported into it, also under another name."""
    yield from (ClassMeaning(source.path, node) for node in source.find_classes(owner))
    for name, bindings in source.list_bindings(source.tree).items():
        if name != owner and not any(isinstance(bound, ImportedName) and bound.name == owner for bound in bindings):
            continue
        meaning = finder.find_export(source.path, name)
        if isinstance(meaning, ClassMeaning) and not meaning.is_instance and meaning.node.name == owner:
            yield meaning


def _list_reached(finder: MeaningFinder, source: SourceFile, owner: str) -> Iterator[ClassMeaning]:
    """Classes of the name in the modules that the file imports, and in those that these import."""
    definition = re.compile(rf"^[ \t]*+class[ \t]++{re.escape(owner)}\b".encode(), re.MULTILINE)
    seen, level = {source.path}, [source]
    for _ in range(_MAX_STEPS):
        following: list[SourceFile] = []
        for path in dict.fromkeys(path for importer in level for path in _list_imported_paths(finder, importer)):
            if path in seen or len(seen) > _MAX_FILES:
                continue
            seen.add(path)
            parsed = finder.get_source(path)
            if parsed is None:
                continue
            following.append(parsed)
            if definition.search(finder.modules.tree.read(path) or b""):
                yield from (ClassMeaning(path, node) for node in parsed.find_classes(owner))
        level = following


def _list_imported_paths(finder: MeaningFinder, source: SourceFile) -> Iterator[str]:
    for node in source.nodes:
        match node:
            case ast.Import():
                imports = [(alias.name, 0) for alias in node.names]
            case ast.ImportFrom():
                module = node.module or ""
                imports = [(module, node.level)] if module or node.level else []
                imports += [
                    (f"{module}.{alias.name}".lstrip("."), node.level) for alias in node.names if alias.name != "*"
                ]
            case _:
                continue
        for dotted, level in imports:
            candidates = finder.modules.find_module(source.path, dotted, level)
            if candidates.path.endswith(".py"):
                yield candidates.path
