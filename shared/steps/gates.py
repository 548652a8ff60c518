"""The gates that a commit must pass before anybody is asked to deploy it: a commit in, the failed gate out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from shared.domain.finding import AlsoBroken, Checks
from shared.domain.roots import belonging, counted
from shared.ports import History
from shared.steps.verdicts import Verdicts


@dataclass(frozen=True, slots=True)
class Failed:
    """A gate that was not passed: its name, and one sentence."""

    gate: str
    detail: str
    newly_broken: tuple[AlsoBroken, ...] = ()


@dataclass(slots=True)
class Gates:
    """Judges commits against the deployed one."""

    history: History
    verdicts: Verdicts
    deployed: str
    """The path that is known to run: the failing one."""
    roots: tuple[str, ...] = ()
    checks: Callable[[str], Checks] = field(default=lambda _: Checks.UNKNOWN)
    own: Callable[[str], Verdicts | None] = field(default=lambda _: None)
    """The verdicts on the Python that a commit declares for its own image, where that is not the deployed one."""
    _known: dict[frozenset[tuple[str, str]], Callable[[str], bool]] = field(default_factory=dict)

    def sources(self, commit: str) -> Mapping[str, str]:
        """Path and blob of every Python file of the service at a commit."""
        tree = self.history.tree(commit)
        belongs = self._belonging({path: tree[path].blob for path in counted(tree)})
        return {path: entry.blob for path, entry in tree.items() if belongs(path)}

    def _belonging(self, ignores: Mapping[str, str]) -> Callable[[str], bool]:
        """Which paths are the service's; the same ignore files answer for one commit after the other."""
        key = frozenset(ignores.items())
        if key not in self._known:
            texts = {
                path: (self.history.read(blob) or b"").decode("utf-8", "replace") for path, blob in ignores.items()
            }
            self._known[key] = belonging(texts, self.deployed, self.roots)
        return self._known[key]

    def broken(self, commit: str, verdicts: Verdicts | None = None) -> tuple[AlsoBroken, ...]:
        """Every Python file of the service that fails to compile at a commit, by path."""
        sources, judge = self.sources(commit), verdicts or self.verdicts
        judge.expect(sources.items())
        found = [
            AlsoBroken(path, fault.line, f"{fault.error_class}: {fault.message}")
            for path, blob in sources.items()
            if (fault := judge.of(blob, path).fault) is not None
        ]
        return tuple(sorted(found, key=lambda each: each.path))

    def unseen(self, commit: str) -> tuple[str, ...]:
        """The Python files of the service on which there is no verdict at a commit."""
        sources = sorted(self.sources(commit).items())
        if self.roots and not sources:  # they were moved: nothing would be looked at, and everything pass
            return (f"the source root {self.roots[0]}, in which no Python file lies,",)
        return tuple(path for path, blob in sources if self.verdicts.of(blob, path).ok is None)

    def failed(self, commit: str, already_broken: frozenset[str]) -> Failed | None:
        """The first gate that a commit does not pass; `already_broken` are the paths that fail as deployed."""
        broken = self.broken(commit)
        new = tuple(each for each in broken if each.path not in already_broken)
        if new:
            return Failed("newly_broken", f"{_named(new)} compiled when it was deployed, and no longer does", new)
        if broken:
            return Failed("also_broken", f"{_named(broken)} would be the next file to fail")
        if unseen := self.unseen(commit):
            return Failed("unseen", f"{unseen[0]} could not be compiled there")
        own = self.own(commit)
        if own is not None and (elsewhere := self.broken(commit, own)):
            return Failed("own_python", f"{_named(elsewhere)} does not compile on Python {own.python}, its own image's")
        if (state := self.checks(commit)) in {Checks.RED, Checks.PENDING}:
            return Failed("checks", f"its checks are {state}")
        return None


def _named(broken: tuple[AlsoBroken, ...]) -> str:
    more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
    return f"{broken[0].path}, line {broken[0].line}{more}"
