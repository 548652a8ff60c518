"""`python -m tests.bench.push_replay [COMMITS] [SEED]`: planted breaks, pushed through the webhook to their check runs.

Each commit of a generated history is pushed to a fake GitHub; the functions read it through the API. Prints a table,
and every commit whose check run is another one than it should be. Exits 1 where there is one.
"""

import resource
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from shared.adapters.compilers.best_compilers import LocalCompilers
from tests.bench.table import Row, render_markdown
from tests.support.history_builder import HistoryBuilder
from tests.support.planted_breaks import PlantedBreak, build_history
from tests.support.push_checks import open_push_outside
from tests.support.push_replay import PushReplay, replay_pushes

MAX_REQUESTS, MAX_FALSE_ALARMS = 20, 1


def main(arguments: Sequence[str]) -> int:
    """0 where every break is red at its commit, and nothing else is."""
    count, seed = (*map(int, arguments), *(1_000, 0)[len(arguments) :])
    replay, planted = play(count, seed)
    print(f"\n{render_markdown(build_rows(replay, planted))}", *replay.wrong, sep="\n")
    return int(bool(replay.wrong))


def play(count: int, seed: int) -> tuple[PushReplay, Sequence[PlantedBreak]]:
    """The replay of a history of so many commits, and what was planted."""
    replay = PushReplay()
    with TemporaryDirectory() as folder, LocalCompilers() as compilers:
        built = HistoryBuilder(Path(folder) / "harbor.git")
        planted = build_history(built, count, seed)
        built.write_repository()
        with open_push_outside(built, compilers) as outside:
            for replay in replay_pushes(outside, planted, seed):
                print(f"\r{replay.commits} pushes, {len(replay.wrong)} wrong", end="", file=sys.stderr, flush=True)
    return replay, planted


def build_rows(replay: PushReplay, planted: Sequence[PlantedBreak]) -> list[Row]:
    """A row for each measure."""
    seconds = sorted(replay.seconds)
    p95 = seconds[int(len(seconds) * 0.95)]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    user = statistics.median(replay.minutes_to_first_error)
    found = f"{replay.red_breaks} of {len(planted)}"
    name = f"push check, {replay.commits:,} commits"
    return [
        Row(f"{name}: breaks found", found, goal="all", met=replay.red_breaks == len(planted)),
        Row(
            f"{name}: false alarms",
            str(replay.false_alarms),
            goal=f"≤ {MAX_FALSE_ALARMS}",
            met=replay.false_alarms <= MAX_FALSE_ALARMS,
        ),
        Row(
            f"{name}: most requests of a push",
            str(replay.most_requests),
            goal=f"≤ {MAX_REQUESTS}",
            met=replay.most_requests <= MAX_REQUESTS,
        ),
        Row(
            f"{name}: webhook to check run",
            f"{statistics.median(seconds):.2f} s, p95 {p95:.2f} s",
            f"first error line of a simulated user: median {user:g} min",
        ),
        Row(f"{name}: peak memory, fake GitHub included", f"{memory} MB"),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
