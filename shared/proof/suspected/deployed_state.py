"""Finds the commit whose files fit every frame of a traceback: its lines hold what the traceback quotes.

The given commit is believed where it fits. Else it is the newest state of the deploy branch, at the logged time or
before, that fits; else what was merged by then; else the oldest version after it, from an uncommitted tree.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from shared.detection.logged_exception import Frame, LoggedException, is_package_frame
from shared.proof.model.commit_graph import BranchStates, find_ancestors
from shared.proof.model.history import Commit, FileVersion
from shared.proof.model.paths import count_common_tail, match_logged_path, split_logged_path
from shared.proof.proof_context import ProofContext
from shared.proof.suspected.source_outline import Outlines

MAX_FRAMES = 12
"""The deepest frames of own files."""
MAX_VERSIONS = 60
"""States that are held against the frames."""
_MAX_CANDIDATES = 5
_MAX_NAMESAKES = 4
_MAX_SEARCHED_NAMES = 2
_MAX_QUOTED = 300
"""Characters that a frame keeps of its line."""

_Paths = Mapping[str, str]
"""Logged path to path in the repository."""


@dataclass(frozen=True, slots=True)
class DeployedState:
    """A commit that fits, with the frames of own files under their paths there, deepest first."""

    commit: Commit
    frames: tuple[Frame, ...]
    blobs: Mapping[str, str]
    is_given: bool
    candidates: tuple[str, ...]
    versions: Sequence[FileVersion] = ()
    """The graph of the frames' files up to the commit, where it was walked anyway."""


def find_deployed_state(context: ProofContext, exception: LoggedException, outlines: Outlines) -> DeployedState | None:
    """None where no frame is of an own file, or where no state fits all of those that are."""
    frames = [frame for frame in reversed(exception.frames) if not is_package_frame(frame) and frame.line > 0]
    frames = frames[:MAX_FRAMES]
    if not frames:
        return None
    given = context.given_commit
    if given is not None:
        search = _StateSearch(context, outlines, frames, given)
        blobs = context.history.blob_ids((given.id, path) for path in search.list_paths())
        state = search.build_state(given, {path: blob for (_, path), blob in blobs.items()})
        if state is not None:
            return replace(state, is_given=True, candidates=(given.id,))
    base = _find_logged_state(context)
    return _StateSearch(context, outlines, frames, base).search() if base is not None else None


def _find_logged_state(context: ProofContext) -> Commit | None:
    """The state of the branch when the failure was first logged; its head where the log has no date."""
    incident = context.incident
    moment = incident.sightings[-1].first_seen if incident.sightings else incident.first_seen
    if moment is None or not incident.dated:
        return context.history.resolve(context.branch.head)
    return BranchStates(context.history, context.branch.head).find_state_at(moment)


class _StateSearch:
    """Frames against the versions around one commit."""

    def __init__(self, context: ProofContext, outlines: Outlines, frames: Sequence[Frame], base: Commit) -> None:
        self._context, self._outlines, self._base = context, outlines, base
        self._frames = frames
        self._paths_by_frame = self._match_paths(frames)

    def list_paths(self) -> Sequence[str]:
        """All that the frames may mean."""
        return list(dict.fromkeys(path for paths in self._paths_by_frame.values() for path in paths))

    def _match_paths(self, frames: Sequence[Frame]) -> Mapping[str, Sequence[str]]:
        """By logged path: the paths that share most of it, at the base commit or, without any there, before it."""
        tree: Collection[str] = self._context.history.tree(self._base.id)
        matched: dict[str, Sequence[str]] = {}
        searched = 0
        for logged in dict.fromkeys(frame.path for frame in frames):
            tiers = match_logged_path(logged, tree)
            if not tiers and searched < _MAX_SEARCHED_NAMES:
                searched += 1
                name = next(reversed(split_logged_path(logged)), "")
                tiers = match_logged_path(logged, self._context.history.paths_named(name, [self._base.id]))
            if tiers and len(tiers[0]) <= _MAX_NAMESAKES:
                matched[logged] = tiers[0]
        return matched

    def search(self) -> DeployedState | None:
        """The best state, with the others that fit as its candidates."""
        paths = self.list_paths()
        if not paths:
            return None
        history, head = self._context.history, self._context.branch.head
        versions = history.file_versions(paths, [self._base.id])
        if not versions:
            return None
        own = list(_walk_first_parents(versions))
        fitting = list(self._list_fitting(own)) or list(self._list_fitting(versions))
        if not fitting:
            later = history.file_versions(paths, [head], [self._base.id]) if head != self._base.id else ()
            fitting = list(self._list_fitting(list(reversed(later))))
            return replace(fitting[0], candidates=_list_ids(fitting)) if fitting else None
        best, start = fitting[0], fitting[0].commit.id
        if start == own[0].commit.id:
            best = replace(best, commit=self._base)
        parents = {version.commit.id: version.commit.parents for version in versions}
        held = find_ancestors([start], parents)
        own_versions = [version for version in versions if version.commit.id in held]
        return replace(best, candidates=_list_ids(fitting), versions=own_versions)

    def _list_fitting(self, versions: Sequence[FileVersion]) -> Iterator[DeployedState]:
        """Those that fit, in their order."""
        count = 0
        for version in versions[:MAX_VERSIONS]:
            state = self.build_state(version.commit, version.blobs)
            if state is not None:
                count += 1
                yield state
            if count >= _MAX_CANDIDATES:
                return

    def build_state(self, commit: Commit, blobs: Mapping[str, str]) -> DeployedState | None:
        """The state at a commit whose files fit; None where they do not, or where nothing could be compared."""
        chosen: dict[str, str] = {}
        for logged in dict.fromkeys(frame.path for frame in self._frames):
            frames_of_file = [frame for frame in self._frames if frame.path == logged]
            paths = [path for path in self._paths_by_frame.get(logged, ()) if path in blobs]
            fits = [path for path in paths if all(self._fits(frame, blobs[path]) for frame in frames_of_file)]
            if len(fits) == 1:
                chosen[logged] = fits[0]
            elif fits or not self._may_be_foreign(logged):
                return None
        frames = [replace(frame, path=chosen[frame.path]) for frame in self._frames if frame.path in chosen]
        compared = [frame for frame in frames if frame.source_text or frame.function]
        if not compared or self._frames[0].path not in chosen:  # without the failing place the others lead nowhere
            return None
        held = {frame.path: blobs[frame.path] for frame in frames}
        return DeployedState(commit, tuple(frames), held, is_given=False, candidates=(commit.id,))

    def _may_be_foreign(self, logged: str) -> bool:
        """Whether a logged file may be none of the repository: nothing but its name, or not even that, matches."""
        paths = self._paths_by_frame.get(logged, ())
        return not paths or count_common_tail(logged, paths[0]) < min(2, len(split_logged_path(logged)))

    def _fits(self, frame: Frame, blob: str) -> bool:
        outline = self._outlines.read(blob)
        if outline is None or frame.line > len(outline.lines):
            return False
        if frame.source_text:
            return _is_same_text(outline.lines[frame.line - 1], frame.source_text)
        bare = outline.find_function(frame.line).rpartition(".")[2].partition("#")[0]
        return not frame.function or frame.function.startswith("<") or bare == frame.function.rpartition(".")[2]


def _is_same_text(line: str, quoted: str) -> bool:
    held, wanted = " ".join(line.split()), " ".join(quoted.split())
    return held == wanted or (len(quoted) >= _MAX_QUOTED and held.startswith(wanted))


def _walk_first_parents(versions: Sequence[FileVersion]) -> Iterator[FileVersion]:
    by_id = {version.commit.id: version for version in versions}
    current: FileVersion | None = versions[0]
    while current is not None:
        yield current
        parents = current.commit.parents
        current = by_id.get(parents[0]) if parents else None


def _list_ids(states: Sequence[DeployedState]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(state.commit.id for state in states))
