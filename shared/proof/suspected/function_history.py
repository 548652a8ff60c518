"""Who touched one function: from a version of a file back through its history, statement by statement.

Merges are followed to the side that a statement came from, files and functions under their earlier names. What a
formatter changed is no touch, and neither is a move.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from shared.proof.model.history import Commit, FileVersion
from shared.proof.model.ports import History
from shared.proof.suspected.earlier_place import EarlierPlaces, FunctionVersion, make_version
from shared.proof.suspected.source_outline import Outlines, SourceOutline
from shared.proof.suspected.statements import match_statements

MAX_TOUCHES = 12
"""Of one function, newest first."""
MAX_VERSIONS = 60
"""Versions of a function that are compared with the ones before."""


@dataclass(frozen=True, slots=True)
class FunctionTouch:
    """A commit that changed what a function does."""

    commit: Commit
    path: str
    function: str
    added: Mapping[int, str]
    """Statements of the version that was asked about which the commit wrote: their position there, and their text."""
    removed: tuple[str, ...]
    """What the commit took out."""
    is_creation: bool
    """Whether there was no such function before."""


@dataclass(frozen=True, slots=True)
class _State:
    """The function at one commit. `origins`: a position at this commit, to its position where the walk began."""

    version: FunctionVersion
    origins: Mapping[int, int]


@dataclass(slots=True)
class FunctionHistories:
    """Walks the histories of the functions of one deployed state; `versions` is the graph of all their files."""

    history: History
    outlines: Outlines
    versions: Sequence[FileVersion]
    is_incomplete: bool = False
    """Whether some history goes on where it was not followed any more."""
    _places: EarlierPlaces = field(init=False)

    def __post_init__(self) -> None:
        self._places = EarlierPlaces(self.history, self.outlines)

    def list_touches(self, path: str, function: str, outline: SourceOutline) -> Sequence[FunctionTouch]:
        """The commits that touched a function, newest first."""
        version = make_version(path, function, outline)
        if not self.versions or not version.texts:
            return ()
        start = _State(version, {number: number for number in range(len(version.texts))})
        walk: _Walk | None = _Walk(self, self.versions, {self.versions[0].commit.id: start})
        touches: list[FunctionTouch] = []
        while walk is not None and len(touches) < MAX_TOUCHES:
            touches += walk.run(MAX_TOUCHES - len(touches))
            walk = walk.further
        return tuple(touches)

    def read_version(self, path: str, blob: str, newer: FunctionVersion) -> FunctionVersion | None:
        """The function in an older version of its file; None where it was not there.

        A version that does not parse is taken to hold what the next newer one holds: what it changed is then its own.
        """
        outline = self.outlines.read(blob)
        if outline is None:
            return None
        if outline.has_function(newer.function) and not outline.can_parse(newer.function):
            return newer
        return self._places.find_in_file(path, outline, newer)

    def is_readable(self, blob: str) -> bool:
        """False where contents are not in this copy, or too many were read: nothing can be concluded then."""
        return self.outlines.read(blob) is not None

    def find_earlier_place(self, commit: Commit, version: FunctionVersion) -> tuple[FunctionVersion, str] | None:
        """Where the function was before a commit that brought it to its file, and the commit at which it was there."""
        return self._places.find_before(commit, version)


@dataclass(slots=True)
class _Walk:
    """One path-limited graph, walked from its newest commit."""

    functions: FunctionHistories
    versions: Sequence[FileVersion]
    states: dict[str, _State]
    further: "_Walk | None" = None
    """Where the function came from another file: the walk that goes on there."""
    compared: int = 0

    def run(self, limit: int) -> Sequence[FunctionTouch]:
        blobs = {version.commit.id: version.blobs for version in self.versions}
        touches: list[FunctionTouch] = []
        boundary = self.functions.history.shallow_boundary()
        for version in self.versions:
            state = self.states.pop(version.commit.id, None)
            if state is None or not state.origins:
                continue
            if self.compared >= MAX_VERSIONS or len(touches) >= limit or version.commit.id in boundary:
                self.functions.is_incomplete = True
                break
            touches += self._step(version, state, blobs)
        return touches

    def _step(
        self, version: FileVersion, state: _State, blobs: Mapping[str, Mapping[str, str]]
    ) -> Iterator[FunctionTouch]:
        """Hands what is known on to the parents; what none of them has is this commit's own."""
        path, blob = state.version.path, version.blobs.get(state.version.path)
        parents = [parent for parent in version.commit.parents if parent in blobs]
        held = {parent: blobs[parent].get(path) for parent in parents}
        same = next((parent for parent in parents if blob is not None and held[parent] == blob), None)
        if same is not None:
            self._hand_on(same, state)
            return
        self.compared += 1
        files = {parent: older for parent, older in held.items() if older is not None}
        if not all(self.functions.is_readable(older) for older in files.values()):
            self.functions.is_incomplete = True
            return
        before = {
            parent: older
            for parent, older_blob in files.items()
            if (older := self.functions.read_version(path, older_blob, state.version)) is not None
        }
        same = next((parent for parent in before if before[parent].texts == state.version.texts), None)
        if same is not None:
            self._hand_on(same, _State(before[same], state.origins))
        elif before:
            yield from self._compare(version.commit, state, before)
        else:
            yield from self._leave_file(version.commit, state)

    def _compare(self, commit: Commit, state: _State, before: Mapping[str, FunctionVersion]) -> Iterator[FunctionTouch]:
        """Each statement goes to the first parent that has it."""
        texts, left = state.version.texts, dict(state.origins)
        known: set[int] = set()
        removed: tuple[str, ...] = ()
        for parent, older in before.items():
            matched = match_statements(older.texts, texts)
            known |= matched.keys()
            origins = {matched[number]: origin for number, origin in left.items() if number in matched}
            left = {number: origin for number, origin in left.items() if number not in matched}
            self._hand_on(parent, _State(older, origins))
            if len(before) == 1:
                kept = set(matched.values())
                removed = tuple(text for number, text in enumerate(older.texts) if number not in kept)
        has_own = any(number not in known for number in range(len(texts)))
        if has_own or removed:
            added = {origin: texts[number] for number, origin in left.items()}
            yield FunctionTouch(commit, state.version.path, state.version.function, added, removed, is_creation=False)

    def _leave_file(self, commit: Commit, state: _State) -> Iterator[FunctionTouch]:
        """The function, or its file, was not there before: it moved here, or is new."""
        origin = self.functions.find_earlier_place(commit, state.version)
        if origin is None:
            added = {origin: state.version.texts[number] for number, origin in state.origins.items()}
            yield FunctionTouch(commit, state.version.path, state.version.function, added, (), is_creation=True)
            return
        older, parent = origin
        versions = self.functions.history.file_versions([older.path], [parent])
        if versions:
            self.further = _Walk(self.functions, versions, {})
            start = versions[0].commit.id
            if older.texts == state.version.texts:
                self.further.states[start] = _State(older, state.origins)
            else:
                aside = _Walk(self.functions, (), {})
                yield from aside._compare(commit, state, {start: older})
                self.further.states.update(aside.states)

    def _hand_on(self, parent: str, state: _State) -> None:
        known = self.states.get(parent)
        if known is None:
            self.states[parent] = state
        elif known.version == state.version:
            self.states[parent] = _State(state.version, {**known.origins, **state.origins})
