"""What a service loads at each of many commits: its files with their blobs; equal states are computed once."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from shared.detection.incident import Incident
from shared.detection.syntax_errors import find_frame_paths
from shared.proof.loading.commit_tree import (
    MAX_BYTES,
    CommitTree,
    find_changed_paths,
    is_affected_by,
    is_image_file,
)
from shared.proof.loading.import_closure import ImportClosure, find_import_closure
from shared.proof.loading.imports import Imports, parse_imports
from shared.proof.loading.missing_modules import DeployedTree
from shared.proof.model.paths import match_logged_path
from shared.proof.model.ports import History

_MAX_STATES = 8
"""That are held at a time; each one refers to as many paths as the service has files."""


@dataclass(frozen=True)
class LoadedState:
    """What is loaded at a commit; commits that load the same, from the same files, have the same state."""

    root_tree: str
    """The folder of the commit for which `blobs` were read."""
    closure: ImportClosure
    blobs: Mapping[str, str]
    """By path, in the order of paths."""

    @cached_property
    def dependencies(self) -> frozenset[str]:
        """Whatever this state is based on."""
        return self.closure.recorded_paths | self.closure.files


@dataclass(slots=True)
class LoadedFiles:
    """Follows what is loaded from commit to commit.

    A commit that changes nothing of it costs a comparison of ids, and one that changes no import of the files that it
    edits costs reading these.
    """

    history: History
    failing_path: str
    """The failing file, which is known to run."""
    traced_paths: tuple[str, ...] = ()
    """Further files that the traceback names."""
    source_roots: tuple[str, ...] = ()
    deployed_commit: str = ""
    """The deployed commit, whose modules a later one may miss; "" where it is not known."""
    imports_by_blob: dict[str, Imports] = field(default_factory=dict, repr=False)
    """What was read already, here or for other files of the same history."""
    later_names: tuple[str, ...] = ()
    """Paths to which the failing file was moved after the deployed commit: there it is the same file."""
    states_computed: int = 0
    _states: list[LoadedState] = field(default_factory=list)
    _deployed_tree: CommitTree | None = None
    _deployed_state: LoadedState | None = None

    def get_state(self, commit: str) -> LoadedState:
        """The state of a commit: that of one looked at before, where nothing differs that it is based on."""
        if commit == self.deployed_commit and self._deployed_state is not None:
            return self._deployed_state
        state = self._find_state(commit)
        if commit == self.deployed_commit:
            self._deployed_state = state  # every comparison asks for it
        return state

    def _find_state(self, commit: str) -> LoadedState:
        tree = CommitTree(self.history, commit)
        for state in reversed(self._states):
            same = self._carry_over(state, tree)
            if same is not None:
                self._remember(same, state)
                return same
        deployed = self._get_deployed(tree) if self.deployed_commit and commit != self.deployed_commit else None
        names = (self.failing_path, *self.later_names)
        failing_path = next((name for name in names if tree.blob(name) is not None), self.failing_path)
        closure = find_import_closure(
            tree, failing_path, self.traced_paths, self.source_roots, self._load_imports, deployed
        )
        closure = replace(closure, recorded_paths=closure.recorded_paths.union(names))
        blobs = {path: blob for path in sorted(closure.files) if (blob := tree.blob(path)) is not None}
        self.states_computed += 1
        self._remember(LoadedState(tree.root_tree, closure, blobs))
        return self._states[-1]

    def _get_deployed(self, tree: CommitTree) -> DeployedTree:
        """The deployed commit, for a comparison with a later tree."""
        if self._deployed_tree is None:
            self._deployed_tree = CommitTree(self.history, self.deployed_commit)
        return DeployedTree(
            self._deployed_tree, lambda: self.get_state(self.deployed_commit).closure.files, tree.is_link
        )

    def _carry_over(self, state: LoadedState, tree: CommitTree) -> LoadedState | None:
        """A known state at another tree; None where what is loaded may differ. Edited files may keep their imports."""
        edited: list[str] = []
        for path, is_listed in find_changed_paths(self.history, state.root_tree, tree.root_tree):
            if is_affected_by(state.dependencies, path, is_added_or_removed=is_listed):
                if is_listed or not self._keeps_imports(state.closure, path, tree.blob(path)):
                    return None
                edited += [path] if path in state.blobs else []
        if not edited:
            return state
        blobs = {path: blob for path in edited if (blob := tree.blob(path)) is not None}
        return replace(state, root_tree=tree.root_tree, blobs={**state.blobs, **blobs})

    def _keeps_imports(self, closure: ImportClosure, path: str, blob: str | None) -> bool:
        """Whether other contents of a file leave all that the closure takes from it as it is."""
        if blob is None or path in closure.contents_read or is_image_file(path):
            return False
        imports = closure.imports_read.get(path)
        return imports is None or self._load_imports(path, blob) == imports

    def _remember(self, state: LoadedState, former: LoadedState | None = None) -> None:
        """As the one that was asked for last, in the place of the one from which it was carried over."""
        others = [other for other in self._states if other is not former and other is not state]
        self._states = [*others[1 - _MAX_STATES :], state]

    def _load_imports(self, path: str, blob: str) -> Imports:
        del path
        if blob not in self.imports_by_blob:
            self.imports_by_blob[blob] = parse_imports((self.history.read(blob) or b"")[:MAX_BYTES])
        return self.imports_by_blob[blob]


def find_traced_files(history: History, incident: Incident, commit: str) -> tuple[str, ...]:
    """The files of a commit that frames of the logged traceback mean; one that several files fit is left out."""
    logged = dict.fromkeys(path for sighting in incident.sightings for path in find_frame_paths(sighting.first.text))
    if not logged:
        return ()
    tree = history.tree(commit)
    fitting = (next(iter(match_logged_path(path, tree)), ()) for path in logged)
    return tuple(dict.fromkeys(paths[0] for paths in fitting if len(paths) == 1))
