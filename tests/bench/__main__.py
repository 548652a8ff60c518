"""`make bench`: measures the command against baselines of the same run; prints one table and writes build/bench.md.

    python -m tests.bench [--quick] [--repo PATH --file PATH]

Without a repository it generates one: 20,000 commits, 500 of which touch the file (`--quick`: 2,000 and 50).
"""

import argparse
import importlib
import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from shared.errors import Unreadable
from tests.bench.bisection import bisect, clone
from tests.bench.process import Timing, measure
from tests.bench.question import Question, about, in_repository
from tests.bench.repository import Generated
from tests.bench.table import Row, markdown

OUT = Path("build/bench.md")
MOST_PROCESSES = 10
NOT_FOR_INVESTIGATE = {
    "fastapi",
    "flask",
    "google",
    "github",
    "http",
    "slack_sdk",
    "starlette",
    "uvicorn",
    "websockets",
}


def main() -> int:
    asked = _arguments()
    with tempfile.TemporaryDirectory(prefix="provenfix-bench-") as name:
        folder = Path(name)
        try:
            question = _question(asked, folder)
        except Unreadable as error:
            print(error, file=sys.stderr)
            return 3
        runs = 3 if asked.quick else 7
        rows = [*_search(question, folder, runs), *_start_up(10), *_signals()]
    table = f"Python {sys.version.split()[0]}, best of {runs} (worst in brackets)\n\n{markdown(rows)}"
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(table, "utf-8")
    print(table, end="")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a repository of a tenth of the size, fewer runs")
    parser.add_argument("--repo", type=Path, help="a repository of your own; needs --file")
    parser.add_argument("--file", help="a file of it that broke and was mended, as a path from its root")
    asked = parser.parse_args()
    if (asked.repo is None) != (asked.file is None):
        parser.error("--repo and --file belong together")
    return asked


def _question(asked: argparse.Namespace, folder: Path) -> Question:
    if asked.repo is not None:
        return in_repository(asked.repo.resolve(), asked.file)
    size = ["2000", "50"] if asked.quick else ["20000", "500"]
    # In a process of its own: peak memory is inherited by whatever is started afterwards.
    command = [sys.executable, "-m", "tests.bench.repository", str(folder / "generated.git"), *size]
    told = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return about(Generated(**(told | {"path": Path(told["path"]), "attempts": tuple(told["attempts"])})))


def _search(question: Question, folder: Path, runs: int) -> Iterator[Row]:
    log, report, seen, blobs = (folder / name for name in ("log.txt", "report.json", "seen.json", "blobs.txt"))
    log.write_text(question.log, "utf-8")
    arguments = ["investigate", "--repo", str(question.repository), "--log", str(log), "--python", _minor()]
    arguments += ["--branch", question.head, "--format", "json", "--out", str(report)]
    subprocess.run([sys.executable, "-m", "tests.bench.census", str(seen), *arguments], check=True)
    counts = json.loads(seen.read_text("utf-8"))
    blobs.write_text("\n".join(counts["compiled"]), "ascii")
    answer = json.loads(report.read_text("utf-8"))[0]
    ours = measure([_command(), *arguments], runs)
    floor = [sys.executable, "-S", str(Path(__file__).with_name("floor.py"))]
    yield from _against_bisection(question, clone(question, folder / "clone"), ours, answer, runs)
    yield _against_floor(ours, measure([*floor, str(question.repository), question.file, str(blobs)], runs))
    yield from _costs(counts, ours)


def _against_bisection(
    question: Question, work_tree: Path, ours: Timing, answer: dict[str, dict[str, str]], runs: int
) -> Iterator[Row]:
    for limited, name in ((False, "git bisect run"), (True, "git bisect run -- file")):
        found = [bisect(question, work_tree, limited=limited) for _ in range(min(runs, 3))]
        best = min(one.seconds for one in found)
        ratio = best / ours.best
        baseline = f"{name}: {best:.2f} s ({found[0].compiled} compilations)"
        goal = ("≥ 10 times faster", ratio >= 10) if not limited else ("never slower", ratio >= 1)
        yield Row("investigate, whole process", _seconds(ours), baseline, f"{ratio:.1f}", *goal)
    same = (found[0].introduced, found[0].fix) == (answer["introduced"]["commit"], answer["fix"]["commit"])
    yield Row("same introduced and fix as git bisect", "yes" if same else "no", goal="yes", met=same)


def _against_floor(ours: Timing, floor: Timing) -> Row:
    ratio = ours.best / floor.best
    baseline = f"rev-list, cat-file, compile: {_seconds(floor)}"
    return Row("investigate, whole process", _seconds(ours), baseline, f"{ratio:.2f}", "≤ 1.3", ratio <= 1.3)


def _costs(counts: dict[str, list[str]], ours: Timing) -> Iterator[Row]:
    compiled, processes = len(counts["compiled"]), len(counts["processes"])
    twice = compiled - len(set(counts["compiled"]))
    loaded = sorted(NOT_FOR_INVESTIGATE & set(counts["modules"]))
    yield Row("versions compiled", str(compiled), f"of them twice: {twice}", goal="none twice", met=twice == 0)
    yield Row("processes started", str(processes), goal=f"≤ {MOST_PROCESSES}", met=processes <= MOST_PROCESSES)
    yield Row("peak memory", f"{ours.peak / 2**20:.0f} MB")
    yield Row("web or cloud modules loaded", ", ".join(loaded) or "none", goal="none", met=not loaded)


def _start_up(runs: int) -> Iterator[Row]:
    bare, ours = measure([sys.executable, "-c", "pass"], runs), measure([_command(), "--help"], runs)
    ratio = f"{ours.best / bare.best:.1f}"
    yield Row("provenfix --help", _ms(ours), f"python -c pass: {_ms(bare)}", ratio, "< 150 ms", ours.best < 0.150)


def _signals() -> Iterator[Row]:
    if importlib.util.find_spec("tests.bench.signal_speed") is None:
        return
    measured = importlib.import_module("tests.bench.signal_speed").ms_per_kb()
    for name, cost in measured.items():
        yield Row(f"signal parser, {name}", f"{cost:.3f} ms/KB")


def _command() -> str:
    return str(Path(sys.executable).with_name("provenfix"))


def _minor() -> str:
    return f"3.{sys.version_info.minor}"


def _seconds(timing: Timing) -> str:
    return f"{timing.best:.2f} s ({timing.worst:.2f})"


def _ms(timing: Timing) -> str:
    return f"{timing.best * 1000:.0f} ms ({timing.worst * 1000:.0f})"


if __name__ == "__main__":
    sys.exit(main())
