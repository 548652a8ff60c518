"""Measures the radar: a folder and a number of runs in, rows of the table out.

One merged fix of what provably fails at the deployed commit, among commits that have nothing to do with it: a hundred,
and twenty times as many. Once by `provenfix radar` on a clone, once by the function `check` through GitHub's API.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.workflow.commit_checks.check_radar import MAX_REQUESTS
from tests.bench.process import Timing, best_of, measure_command
from tests.bench.table import Row
from tests.support.history_builder import HistoryBuilder
from tests.support.push_checks import open_push_outside
from tests.support.radar_history import RADAR_SERVICE, build_radar_history, look_by_radar

FEW, MANY = 100, 2_000
MOST_GROWTH = 2.0
MEASURE = "radar"


def rows(folder: Path, runs: int) -> Iterator[Row]:
    """Raises RuntimeError where the radar names nothing."""
    folder.mkdir()
    timings: dict[int, Timing] = {}
    for commits in (FEW, MANY):
        built = build_radar_history(HistoryBuilder(folder / f"after-{commits}.git"), commits)
        timings[commits] = best_of([measure_command(_build_command(built), 1) for _ in range(runs)])
    few, many = timings[FEW], timings[MANY]
    growth = many.cpu / few.cpu
    yield Row(
        f"{MEASURE}, {MANY:,} commits not deployed",
        f"{many.cpu:.2f} s of CPU",
        f"{FEW} commits not deployed: {few.cpu:.2f} s",
        f"{growth:.2f}",
        f"≤ {MOST_GROWTH:g}",
        growth <= MOST_GROWTH,
    )
    yield Row(f"{MEASURE}, {MANY:,} commits not deployed: peak memory", f"{many.peak / 2**20:.0f} MB")
    yield from _count_requests(folder / "api.git")


def _build_command(built: HistoryBuilder) -> list[str]:
    """Ends with 1 where the radar names something, which is what it is asked for here."""
    radar = [str(Path(sys.executable).with_name("provenfix")), "radar", "--repo", str(built.path)]
    radar += ["--deployed", built.ids["broken"], "--format", "json"]
    return ["sh", "-c", '"$@"; test $? -eq 1', "radar", *radar]


def _count_requests(path: Path) -> Iterator[Row]:
    built = build_radar_history(HistoryBuilder(path), FEW)
    with LocalCompilers() as compilers, open_push_outside(built, compilers, RADAR_SERVICE) as outside:
        first, again = (look_by_radar(outside, "broken")[1] for _ in range(2))
    yield Row(
        f"{MEASURE} through GitHub's API: requests of a look",
        str(first),
        f"a second look, nothing changed: {again}",
        goal=f"≤ {MAX_REQUESTS}",
        met=first <= MAX_REQUESTS,
    )
