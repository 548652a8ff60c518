"""Finds a function in an older version: under another name in its file, in a renamed file, or in another file."""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from shared.proof.model.history import Commit, TreeEntry
from shared.proof.model.ports import History
from shared.proof.suspected.source_outline import MODULE, Outlines, SourceOutline
from shared.proof.suspected.statements import measure_likeness

_MIN_LIKENESS = 0.6
"""The share of common statements from which two functions are taken for one."""
_MAX_LOOKUPS = 8
"""Commits of which whole trees are compared."""
_MAX_FILES = 20
"""Files of one commit that are read to find where a function was."""


@dataclass(frozen=True, slots=True)
class FunctionVersion:
    """A function at one commit: its file, its name there, its statements."""

    path: str
    function: str
    texts: tuple[str, ...]
    siblings: frozenset[str] = field(default=frozenset(), compare=False)
    """The functions of its file."""


@dataclass(slots=True)
class EarlierPlaces:
    """Of one history. Each commit is looked at once."""

    history: History
    outlines: Outlines
    _trees: dict[str, Sequence[tuple[str, Mapping[str, TreeEntry]]]] = field(default_factory=dict)

    def find_in_file(self, path: str, outline: SourceOutline, newer: FunctionVersion) -> FunctionVersion | None:
        """The same function in another version of a file: by its name, else by what it does."""
        if outline.has_function(newer.function):
            return make_version(path, newer.function, outline)
        gone = [function.name for function in outline.functions if function.name not in newer.siblings]
        named = [name for name in gone if get_bare_name(name) == get_bare_name(newer.function)]
        return self._choose_alike(path, outline, named, newer) or self._choose_alike(path, outline, gone, newer)

    def _choose_alike(
        self, path: str, outline: SourceOutline, names: Sequence[str], newer: FunctionVersion
    ) -> FunctionVersion | None:
        """The one among some functions that is the same but for its name. The header, which holds that, counts not."""
        scored = [
            (measure_likeness(make_version(path, name, outline).texts[1:], newer.texts[1:]), name) for name in names
        ]
        likeness, name = max(scored, default=(0.0, ""))
        return make_version(path, name, outline) if likeness >= _MIN_LIKENESS else None

    def find_before(self, commit: Commit, newer: FunctionVersion) -> tuple[FunctionVersion, str] | None:
        """Where a function was before the commit that brought it to its file, with the parent at which it was there."""
        if commit.id not in self._trees and len(self._trees) >= _MAX_LOOKUPS:
            return None
        after = self.history.tree(commit.id)
        for parent, before in self._list_parent_trees(commit.id):
            for path in _list_likely_files(newer, after, before):
                version = self._find_in_other_file(path, newer, after, before)
                if version is not None:
                    return version, parent
        return None

    def _list_parent_trees(self, commit: str) -> Sequence[tuple[str, Mapping[str, TreeEntry]]]:
        if commit not in self._trees:
            real = self.history.first_parents(commit, 1)
            parents = real[0].parents if real else ()
            self._trees[commit] = [(parent, self.history.tree(parent)) for parent in parents]
        return self._trees[commit]

    def _find_in_other_file(
        self, path: str, newer: FunctionVersion, after: Mapping[str, TreeEntry], before: Mapping[str, TreeEntry]
    ) -> FunctionVersion | None:
        """The function as a file had it that has it no more: what it still has was copied, not moved."""
        outline = self.outlines.read(before[path].blob)
        kept = self.outlines.read(after[path].blob) if path in after else None
        if outline is None or (kept is not None and newer.function == MODULE):
            return None
        siblings = newer.siblings if kept is None else frozenset(function.name for function in kept.functions)
        searched = replace(newer, siblings=siblings)
        version = self.find_in_file(path, outline, searched) if newer.function not in siblings or kept is None else None
        if version is None or (kept is not None and version.function in siblings):
            return None
        is_same = measure_likeness(version.texts[1:], newer.texts[1:]) >= _MIN_LIKENESS
        return version if is_same or version.texts == newer.texts else None


def _list_likely_files(
    newer: FunctionVersion, after: Mapping[str, TreeEntry], before: Mapping[str, TreeEntry]
) -> Iterator[str]:
    """The Python files that a commit deleted or changed: first the same contents, then the same name, then the rest."""
    blob = after[newer.path].blob if newer.path in after else ""
    name = posixpath.basename(newer.path)
    gone = [path for path, entry in before.items() if path.endswith(".py") and _is_gone(path, entry, after)]
    gone = [path for path in gone if path != newer.path]
    ordered = sorted(
        gone, key=lambda path: (before[path].blob != blob, posixpath.basename(path) != name, path in after, path)
    )
    yield from ordered[:_MAX_FILES]


def _is_gone(path: str, entry: TreeEntry, after: Mapping[str, TreeEntry]) -> bool:
    return path not in after or after[path].blob != entry.blob


def make_version(path: str, function: str, outline: SourceOutline) -> FunctionVersion:
    """A function as one version of its file has it."""
    texts = tuple(statement.text for statement in outline.list_statements(function))
    return FunctionVersion(path, function, texts, frozenset(entry.name for entry in outline.functions))


def get_bare_name(function: str) -> str:
    """`join` for `Room.join#2`."""
    return function.rpartition(".")[2].partition("#")[0]
