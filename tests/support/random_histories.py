"""What test_random_histories and other tests share."""

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import strategies as st

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.proof.model.finding import Finding
from shared.proof.proof_context import ProofRequest
from tests.support.history_builder import (
    HistoryBuilder,
    broken_source,
    make_incident,
    make_sighting,
    prove_incident,
    running_python,
    valid_source,
)

NAMES = ("app.py", "core/start.py", "core/run.py")


@dataclass(frozen=True)
class DrawnState:
    """The followed file and its neighbour at one commit: names and sources, "" and "" where there is no file."""

    name: str
    source: str
    neighbour: str

    def __repr__(self) -> str:
        return f"{self.name or 'gone'}:{self.line} neighbour:{failing_line(self.neighbour)}"

    @property
    def line(self) -> int | None:
        """The line on which the file fails; None if it compiles or is not there."""
        return failing_line(self.source)

    @property
    def passes(self) -> bool:
        """Whether every file of the commit compiles."""
        return self.line is None and failing_line(self.neighbour) is None


def failing_line(source: str) -> int | None:
    try:
        compile(source, "source", "exec", dont_inherit=True)
    except SyntaxError as error:
        return error.lineno
    return None


@dataclass
class DrawnHistory:
    """A history as it was drawn: commit numbers are places in these lists."""

    states: list[DrawnState] = field(default_factory=list)
    parents: list[tuple[int, ...]] = field(default_factory=list)
    head: int = 0
    deployed: int = 0

    def ancestors(self, commit: int) -> set[int]:
        """The commit and everything it descends from."""
        ancestors: set[int] = set()
        waiting = [commit]
        while waiting:
            commit_number = waiting.pop()
            if commit_number not in ancestors:
                ancestors.add(commit_number)
                waiting.extend(self.parents[commit_number])
        return ancestors

    def origins(self) -> set[int]:
        """Failing commits without a failing parent that the deployed failure can be followed back to."""
        origins: set[int] = set()
        seen: set[int] = set()
        waiting = [self.deployed]
        while waiting:
            commit = waiting.pop()
            if commit in seen:
                continue
            seen.add(commit)
            failing = [parent for parent in self.parents[commit] if self.states[parent].line is not None]
            waiting.extend(failing)
            if not failing:
                origins.add(commit)
        return origins

    def fix(self) -> int | None:
        """The oldest commit of the branch that descends from the deployed one and where the file does not fail."""
        after = [
            commit
            for commit in sorted(self.ancestors(self.head))
            if commit != self.deployed and self.deployed in self.ancestors(commit)
        ]
        return next((commit for commit in after if self.states[commit].line is None), None)

    def own(self) -> list[int]:
        """The states that the branch itself was in, newest first."""
        states = [self.head]
        while self.parents[states[-1]]:
            states.append(self.parents[states[-1]][0])
        return states

    def target(self, fix: int) -> int | None:
        """The newest state of the branch with the fix where everything compiles."""
        return next(
            (commit for commit in self.own() if fix in self.ancestors(commit) and self.states[commit].passes), None
        )

    def back(self, origin: int) -> int | None:
        """The newest state of the branch before the break came in where everything compiles."""
        if origin in self.ancestors(self.head):
            before = [commit for commit in self.own() if origin not in self.ancestors(commit)]
        else:
            before = [commit for commit in self.own() if commit in self.ancestors(origin)]
        return next((commit for commit in before if self.states[commit].passes), None)

    def likeliest(self, matching: list[int]) -> int:
        """Of several matching versions the one that the branch held when the deployed commit was made, else had."""
        earlier = [version for version in matching if version <= self.deployed]
        state = next(commit for commit in self.own() if commit <= self.deployed)
        held = self.states[state]
        current = [
            version
            for version in earlier
            if (self.states[version].name, self.states[version].source) == (held.name, held.source)
        ]
        pool = current or earlier
        return max([version for version in pool if version in self.ancestors(state)] or pool)


def sources(mark: int) -> st.SearchStrategy[str]:
    return st.one_of(
        st.just(valid_source(mark)), st.sampled_from([3, 9, 20]).map(lambda line: broken_source(line, mark))
    )


@st.composite
def histories(draw: st.DrawFn) -> DrawnHistory:
    drawn = DrawnHistory([DrawnState(NAMES[0], valid_source(), valid_source())], [()])
    for number in range(1, draw(st.integers(3, 14))):
        first = draw(st.integers(max(0, number - 4), number - 1))
        merged = draw(st.sampled_from([None, None, *range(max(0, number - 5), number)]))
        parents = (first,) if merged is None or merged == first else (first, merged)
        drawn.parents.append(parents)
        drawn.states.append(draw(next_states(number, [drawn.states[parent] for parent in parents])))
    drawn.head = len(drawn.states) - 1
    failing = [commit for commit, state in enumerate(drawn.states) if state.line is not None]
    drawn.deployed = draw(st.sampled_from(failing)) if failing else -1
    return drawn


@st.composite
def next_states(draw: st.DrawFn, number: int, before: list[DrawnState]) -> DrawnState:
    taken = draw(st.sampled_from(before))
    action = draw(st.sampled_from(["edit", "edit", "keep", "move", "move and edit", "delete", "neighbour"]))
    name, source, neighbour = taken.name, taken.source, taken.neighbour
    if len({state.name for state in before}) > 1:
        return taken  # of two names only one is kept, as it was: whose edit another content would be is unknown
    if "edit" in action or not name:
        source = draw(sources(number))
    if not name:
        name = NAMES[0]
    elif "move" in action and len(before) == 1:
        name = draw(st.sampled_from([other for other in NAMES if other != name]))
    elif action == "delete" and len(before) == 1 and name == NAMES[0]:
        name, source = "", ""
    if action == "neighbour":
        neighbour = draw(sources(number))
    return DrawnState(name, source, neighbour)


def write_drawn_history(drawn: DrawnHistory, path: Path) -> HistoryBuilder:
    """The history as a repository."""
    story = HistoryBuilder(path)
    for number, state in enumerate(drawn.states):
        files: dict[str, str | bytes | None] = dict.fromkeys(NAMES)
        if number == 0 or not drawn.parents[number]:
            files = {}
        else:
            files = {name: None for name in NAMES if drawn.states[drawn.parents[number][0]].name == name}
        if state.name:
            files[state.name] = state.source
        files["neighbour.py"] = state.neighbour
        story.commit(f"c{number}", files, *(f"c{parent}" for parent in drawn.parents[number]))
    story.write_repository(f"c{drawn.head}")
    return story


def prove_drawn(
    drawn: DrawnHistory, compilers: LocalCompilers, *, given_commit: bool
) -> tuple[HistoryBuilder, Finding]:
    folder = Path(tempfile.mkdtemp(prefix="provenfix-history-"))
    try:
        story = write_drawn_history(drawn, folder / "repo.git")
        state = drawn.states[drawn.deployed]
        failing = make_incident(
            f"/srv/{state.name}", make_sighting(state.line, seen_at=story.committed_at(f"c{drawn.deployed}"))
        )
        request = ProofRequest(
            deployed=story.ids[f"c{drawn.deployed}"] if given_commit else None,
            fallback_python=running_python(),
            wants_alternative=True,
        )
        return story, prove_incident(story.path, failing, compilers, request)
    finally:
        shutil.rmtree(folder)
