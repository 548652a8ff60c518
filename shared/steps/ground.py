"""Where the file that a log names may lie: paths of the branch and of other heads, each with its history, once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from shared.domain.history import Branch, FileVersion
from shared.domain.incident import Incident
from shared.domain.paths import components, likely_files
from shared.ports import History

_MOST_NAMESAKES = 50
"""A name that more files carry (`__init__.py` without its folder) identifies none of them."""


Layer = tuple[Sequence[str], Sequence[FileVersion]]
"""Paths that the log may mean, and their path-limited graph (empty where too many files carry the name)."""


@dataclass(slots=True)
class Ground:
    """Where the logged file may lie, likeliest first. It is walked once, however many Pythons are tried on it."""

    history: History
    incident: Incident
    branch: Branch
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
        for paths, tips in _places(self.history, self.incident, self.branch):
            fresh = [path for path in paths if path not in tried or len(tips) > 1]
            tried.update(fresh)
            if fresh:
                yield fresh, self.history.versions(fresh, tips) if len(fresh) <= _MOST_NAMESAKES else ()


def _places(history: History, incident: Incident, branch: Branch) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
    """(paths, tips) to search, likeliest first: files of the branch's head, its former files, then other branches."""
    tips = [branch.head]
    for tier in likely_files(incident.path, history.tree(branch.head)):
        yield tier, tips
    name = next(reversed(components(incident.path)), "")
    if not name:
        return
    for tier in likely_files(incident.path, history.named(name, tips)):
        yield tier, tips
    others = [head.head for head in history.unmerged(branch, None)]
    if others:
        everywhere = [*tips, *others]
        for tier in likely_files(incident.path, history.named(name, everywhere)):
            yield tier, everywhere
