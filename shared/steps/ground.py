"""Where the file that a log names may lie: paths of the branch and of other heads, each with its history, once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cached_property
from itertools import count

from shared.domain.history import Branch, FileVersion
from shared.domain.incident import Incident
from shared.domain.paths import common_tail, components, likely_files
from shared.ports import History
from shared.steps.branch_states import BranchStates

_MOST_NAMESAKES = 50
"""A name that more files carry (`__init__.py` without its folder) identifies none of them."""


class Area(Enum):
    """Where paths were found, likeliest first."""

    HEAD = auto()
    """At the head of the branch."""
    LOGGED = auto()
    """At the state of the branch when the failure was logged."""
    FORMER = auto()
    """At any commit of the branch."""
    ELSEWHERE = auto()
    """On another branch, or in a pull request: what no state of the branch ever held."""


@dataclass(frozen=True)
class Layer:
    """Paths that the log may mean; of one layer all share equally much of the logged path."""

    history: History
    paths: Sequence[str]
    tips: Sequence[str]
    area: Area
    common: int
    """Components at their end that the logged path has as well."""

    @cached_property
    def graph(self) -> Sequence[FileVersion]:
        """Their path-limited graph, walked when it is first asked for; empty where too many files carry the name."""
        return self.history.versions(self.paths, self.tips) if len(self.paths) <= _MOST_NAMESAKES else ()


@dataclass(slots=True)
class Ground:
    """Where the logged file may lie, likeliest first. It is walked once, however many Pythons are tried on it."""

    history: History
    incident: Incident
    branch: Branch
    states: BranchStates
    _walked: list[Layer] = field(default_factory=list)
    _rest: Iterator[Layer] | None = None

    def layers(self) -> Iterator[Layer]:
        """From the first one at every call; further ones are walked when they are asked for."""
        if self._rest is None:
            self._rest = self._walk()
        for place in count():
            if place == len(self._walked):
                layer = next(self._rest, None)
                if layer is None:
                    return
                self._walked.append(layer)
            yield self._walked[place]

    def _walk(self) -> Iterator[Layer]:
        tried: set[str] = set()
        for area, paths, tips in self._places():
            fresh = [path for path in paths if path not in tried or len(tips) > 1]
            if area is not Area.LOGGED:  # what is found there is one of the former files as well
                tried.update(fresh)
            if fresh:
                yield Layer(self.history, fresh, tips, area, common_tail(self.incident.path, fresh[0]))

    def _places(self) -> Iterator[tuple[Area, Sequence[str], Sequence[str]]]:
        """(area, paths, tips) to search, likeliest first."""
        tips, logged = [self.branch.head], self.incident.path
        for tier in likely_files(logged, self.history.tree(self.branch.head)):
            yield Area.HEAD, tier, tips
        name = next(reversed(components(logged)), "")
        if not name:
            return
        state = self._state_when_logged()
        for tier in likely_files(logged, self.history.tree(state)) if state else ():
            yield Area.LOGGED, tier, tips
        for tier in likely_files(logged, self.history.named(name, tips)):
            yield Area.FORMER, tier, tips
        others = [head.head for head in self.history.unmerged(self.branch, None)]
        if others:
            everywhere = [*tips, *others]
            for tier in likely_files(logged, self.history.named(name, everywhere)):
                yield Area.ELSEWHERE, tier, everywhere

    def _state_when_logged(self) -> str | None:
        """The state of the branch at that time, where it was another one than the head."""
        seen_at = self.incident.sightings[-1].first_seen if self.incident.dated else None
        state = self.states.at(seen_at) if seen_at is not None else None
        return state.id if state is not None and state.id != self.branch.head else None
