"""Where the file that a log names may be: paths of the branch and of other heads, each with its history, once."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cached_property

from shared.detection.incident import Incident
from shared.proof.model.commit_graph import BranchStates
from shared.proof.model.history import Branch, FileVersion
from shared.proof.model.paths import count_common_tail, match_logged_path, split_logged_path
from shared.proof.model.ports import History

_MAX_NAMESAKES = 50
"""A name that more files carry (`__init__.py` without its folder) identifies none of them."""


class SearchArea(Enum):
    """Where paths were found, likeliest first."""

    HEAD = auto()
    """At the head of the branch."""
    AT_LOG_TIME = auto()
    """At the state of the branch when the failure was logged."""
    BRANCH_HISTORY = auto()
    """At any commit of the branch."""
    OTHER_HEADS = auto()
    """On another branch, or in a pull request: what no state of the branch ever held."""


@dataclass(frozen=True)
class PathTier:
    """Paths that the log may mean; of one layer all share equally much of the logged path."""

    history: History
    paths: Sequence[str]
    tips: Sequence[str]
    area: SearchArea
    common_components: int
    """Components at their end that the logged path has as well."""

    @cached_property
    def graph(self) -> Sequence[FileVersion]:
        """Their path-limited graph, walked when it is first asked for; empty where too many files carry the name."""
        return self.history.file_versions(self.paths, self.tips) if len(self.paths) <= _MAX_NAMESAKES else ()


@dataclass(slots=True)
class CandidateFiles:
    """Where the logged file may be, likeliest first. It is walked once, however many Pythons are tried on it."""

    history: History
    incident: Incident
    branch: Branch
    states: BranchStates
    _tiers_by_area: dict[SearchArea, list[PathTier]] = field(default_factory=dict)
    _searched_paths: set[str] = field(default_factory=set)

    def walk_tiers(self, is_wanted: Callable[[SearchArea], bool] = lambda _: True) -> Iterator[PathTier]:
        """From the first one at every call, up to the first area that is not wanted: to list one can take a walk."""
        for area in SearchArea:
            if not is_wanted(area):
                return
            if area not in self._tiers_by_area:
                self._tiers_by_area[area] = list(self._search_area(area))
            yield from self._tiers_by_area[area]

    def existed_when_logged(self, path: str) -> bool:
        """Whether the branch held a file when the failure was logged, whatever was in it."""
        state = self._find_state_when_logged()
        return state is not None and (state, path) in self.history.blob_ids([(state, path)])

    def _search_area(self, area: SearchArea) -> Iterator[PathTier]:
        for paths, tips in self._list_paths(area):
            fresh = [path for path in paths if path not in self._searched_paths or len(tips) > 1]
            if area is not SearchArea.AT_LOG_TIME:  # what is found there is one of the former files as well
                self._searched_paths.update(fresh)
            if fresh:
                yield PathTier(self.history, fresh, tips, area, count_common_tail(self.incident.path, fresh[0]))

    def _list_paths(self, area: SearchArea) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
        """(paths, tips) to search in an area, likeliest first."""
        tips, logged = [self.branch.head], self.incident.path
        name = next(reversed(split_logged_path(logged)), "")
        if area is SearchArea.HEAD:
            candidates: Collection[str] = self.history.tree(self.branch.head)
        elif not name:
            return
        elif area is SearchArea.AT_LOG_TIME:
            state = self._find_state_when_logged()
            candidates = self.history.tree(state) if state else ()
        elif area is SearchArea.BRANCH_HISTORY:
            candidates = self.history.paths_named(name, tips)
        else:
            others = [head.head for head in self.history.unmerged_heads(self.branch, None)]
            tips = [*tips, *others]
            candidates = self.history.paths_named(name, tips) if others else ()
        for tier in match_logged_path(logged, candidates):
            yield tier, tips

    def _find_state_when_logged(self) -> str | None:
        """The state of the branch at that time, where it was another one than the head."""
        seen_at = self.incident.sightings[-1].first_seen if self.incident.dated else None
        state = self.states.find_state_at(seen_at) if seen_at is not None else None
        return state.id if state is not None and state.id != self.branch.head else None
