"""Measures the command on a large tree with a long history: a folder and a number of runs in, rows of the table out.

The same question is also put to the same repository as it stood 100 commits after the fix, to the floor (the same
walk, the same blobs read and compiled), and to `git bisect run` in a clone.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench.bisection import bisect, clone_for_bisection
from tests.bench.process import Timing, best_of, measure_command
from tests.bench.scenario import BenchQuestion, open_git, question_about
from tests.bench.table import Row
from tests.support.generated_history import GeneratedHistory

SHORT = 100
MOST_BYTES = 300 << 20
MEASURE = "large tree: investigate"


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured, each contestant once in every round."""

    ours: Timing
    short: Timing
    floor: Timing
    plain: float
    """Seconds of `git bisect run`."""
    compiled: int
    same: bool
    """Whether the command and the bisection named the same commits."""


def rows(folder: Path, runs: int, size: list[str]) -> Iterator[Row]:
    """`size` is what `tests.support.generated_large_tree` takes."""
    folder.mkdir()
    found = _measured(folder, runs, size)
    ours, cpu = found.ours, f"{found.ours.cpu:.2f} s of CPU"
    yield Row(f"{MEASURE}, peak memory", f"{ours.peak / 2**20:.0f} MB", goal="≤ 300 MB", met=ours.peak <= MOST_BYTES)
    yield _ratio(cpu, f"{SHORT} commits after the fix: {found.short.cpu:.2f} s", ours, found.short, 1.5)
    floor = f"rev-list, cat-file, compile of the same {found.compiled}: {found.floor.cpu:.2f} s"
    yield _ratio(cpu, floor, ours, found.floor, 1.3)
    times = found.plain / ours.best
    wall = f"{ours.best:.2f} s ({ours.worst:.2f})"
    yield Row(MEASURE, wall, f"git bisect run: {found.plain:.2f} s", f"{times:.1f}", "≥ 10", times >= 10)
    yield Row(f"{MEASURE}, same commits as git bisect", "yes" if found.same else "no", goal="yes", met=found.same)


def _ratio(value: str, baseline: str, ours: Timing, other: Timing, most: float) -> Row:
    ratio = ours.cpu / other.cpu
    return Row(f"{MEASURE}, CPU", value, baseline, f"{ratio:.2f}", f"≤ {most}", ratio <= most)


def _measured(folder: Path, runs: int, size: list[str]) -> Measured:
    question = _question(folder, size)
    log, report, seen, blobs = (folder / name for name in ("log.txt", "report.json", "seen.json", "blobs.txt"))
    log.write_text(question.log, "utf-8")
    ours = ["investigate", "--repo", str(question.repository), "--log", str(log), "--format", "json"]
    ours += ["--python", f"3.{sys.version_info.minor}", "--out", str(report)]
    subprocess.run([sys.executable, "-m", "tests.bench.census", str(seen), *ours], check=True)
    compiled = [blob for _, blob in json.loads(seen.read_text("utf-8"))["compiled"]]
    blobs.write_text("\n".join(compiled), "ascii")
    answer = json.loads(report.read_text("utf-8"))[0]
    early = open_git(question.repository, "rev-list", "--first-parent", "--reverse", f"{answer['fix']['commit']}..main")
    floor = [sys.executable, "-S", str(Path(__file__).with_name("floor.py"))]
    floor += [str(question.repository), question.file, str(blobs)]
    command = str(Path(sys.executable).with_name("provenfix"))
    taken = [
        (
            measure_command([command, *ours], 1),
            measure_command([command, *ours, "--branch", early.split()[SHORT - 1]], 1),
            measure_command(floor, 1),
        )
        for _ in range(runs)
    ]
    plain = bisect(question, clone_for_bisection(question, folder / "clone"), limited=False)
    told = (answer["introduced"]["commit"], answer["fix"]["commit"])
    whole, short, least = (best_of(each) for each in zip(*taken, strict=True))
    same = told == (plain.introduced, plain.fix)
    return Measured(whole, short, least, plain.seconds, len(compiled), same)


def _question(folder: Path, size: list[str]) -> BenchQuestion:
    command = [sys.executable, "-m", "tests.support.generated_large_tree", str(folder / "large.git"), *size]
    told = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return question_about(
        GeneratedHistory(**(told | {"path": Path(told["path"]), "attempts": tuple(told["attempts"])}))
    )
