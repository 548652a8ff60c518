"""How often suspected changes are right at rank 1 and 3, against two baselines on the same generated histories.

    python -m tests.bench.suspects [COUNT]

The baselines are what a person would look at: the newest commits within a year that `git blame` at the tip names for
the frames' lines, and the last commits that touched the failing file. A difference to the truth is never a draw: the
one commit that brought the failure in has to stand at that rank.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from shared.proof.model.paths import match_logged_path
from tests.bench.table import Row, render_markdown
from tests.support.history_builder import HistoryBuilder
from tests.support.suspected_histories import BREAKS, SuspectedHistory, generate_suspected_history
from tests.support.suspected_runs import find_suspected

_YEAR = timedelta(days=365)
_RANKS = (1, 3)


@dataclass
class Hits:
    """How often the truth stood at each rank or before it."""

    asked: int = 0
    at: dict[int, int] = field(default_factory=lambda: dict.fromkeys(_RANKS, 0))

    def add(self, ranked: Sequence[str], truth: str) -> None:
        self.asked += 1
        for rank in _RANKS:
            self.at[rank] += truth in ranked[:rank]

    def describe(self) -> str:
        return ", ".join(f"{self.at[rank]} at rank {rank}" for rank in _RANKS)


@dataclass
class Comparison:
    """All of one run."""

    introduced: Hits = field(default_factory=Hits)
    fixes: Hits = field(default_factory=Hits)
    blame: Hits = field(default_factory=Hits)
    last_touch: Hits = field(default_factory=Hits)
    deployed: int = 0
    by_kind: dict[str, Hits] = field(default_factory=lambda: {kind: Hits() for kind in BREAKS})


def compare(count: int, folder: Path) -> Comparison:
    """`count` histories, each of another seed."""
    result = Comparison()
    for seed in range(count):
        _compare_one(generate_suspected_history(folder / str(seed), seed), result)
    return result


def _compare_one(drawn: SuspectedHistory, result: Comparison) -> None:
    suspected = find_suspected(HistoryBuilder(drawn.path), drawn.exception, seen_at=drawn.logged_at)
    ranked = [change.commit.id for change in suspected.introduced]
    result.introduced.add(ranked, drawn.introduced)
    result.by_kind[drawn.kind].add(ranked, drawn.introduced)
    if drawn.fix:
        result.fixes.add([change.commit.id for change in suspected.possible_fixes], drawn.fix)
    result.deployed += suspected.deployed is not None and suspected.deployed.id == drawn.deployed
    result.blame.add(list(blame_at_tip(drawn)), drawn.introduced)
    result.last_touch.add(list_last_touches(drawn), drawn.introduced)


def blame_at_tip(drawn: SuspectedHistory) -> Iterator[str]:
    """The commits that `git blame` names at the tip for the frames' lines, within a year, newest first."""
    times: dict[str, int] = {}
    oldest = int((drawn.logged_at - _YEAR).timestamp())
    tree = _git(drawn.path, "ls-tree", "-r", "--name-only", "main").splitlines()
    for frame in drawn.exception.frames:
        tiers = match_logged_path(frame.path, tree)
        line = f"-L{frame.line},{frame.line}"
        said = _git(drawn.path, "blame", "--line-porcelain", line, "main", "--", tiers[0][0]) if tiers else ""
        lines = said.splitlines()
        moment = next((int(text.split()[1]) for text in lines if text.startswith("committer-time ")), 0)
        if moment >= oldest:
            times[lines[0].split()[0]] = moment
    yield from sorted(times, key=lambda commit: -times[commit])


def list_last_touches(drawn: SuspectedHistory) -> Sequence[str]:
    """The last commits that touched the failing file, newest first."""
    tree = _git(drawn.path, "ls-tree", "-r", "--name-only", "main").splitlines()
    tiers = match_logged_path(drawn.exception.frames[-1].path, tree)
    said = _git(drawn.path, "log", "--no-merges", "--format=%H", "-n3", "main", "--", tiers[0][0]) if tiers else ""
    return said.split()


def _git(repository: Path, *arguments: str) -> str:
    command = ["git", f"--git-dir={repository}", *arguments]
    return subprocess.run(command, capture_output=True, check=False, text=True).stdout


def list_rows(result: Comparison) -> Iterator[Row]:
    """Ours beside each baseline."""
    ours, asked = result.introduced, result.introduced.asked
    for name, other in (("blame at the tip", result.blame), ("last touch of the file", result.last_touch)):
        met = all(ours.at[rank] > other.at[rank] for rank in _RANKS)
        ratio = f"{ours.at[1] / max(other.at[1], 1):.1f}"
        baseline = f"{name}: {other.describe()}"
        yield Row(f"suspected change, {asked} histories", ours.describe(), baseline, ratio, "more", met)
    yield Row(f"possible fix, {result.fixes.asked} histories with one", result.fixes.describe())
    yield Row("deployed commit by the frames", f"{result.deployed} of {asked}")
    kinds: Mapping[str, Hits] = result.by_kind
    for kind, hits in kinds.items():
        yield Row(f"brought in by: {kind}", f"{hits.describe()} of {hits.asked}")


def rows(folder: Path, count: int) -> Iterator[Row]:
    """For the table of all benchmarks."""
    yield from list_rows(compare(count, folder))


def main() -> int:
    """Prints the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with tempfile.TemporaryDirectory(prefix="provenfix-suspects-") as name:
        print(render_markdown(rows(Path(name), count)), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
