"""`make bench`: measures the command against baselines of the same run; prints one table and writes build/bench.md.

    python -m tests.bench [--quick] [--repo PATH --file PATH]

Without a repository it generates one: 20,000 commits, 500 of which touch the file (`--quick`: 2,000 and 50).
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.errors import InputError
from tests.bench import claim_rows, push_replay, radar_rows
from tests.bench.bisection import BisectionResult, bisect, clone_for_bisection
from tests.bench.process import Timing, best_of, measure_command, send_stdout_to_stderr
from tests.bench.scenario import BenchQuestion, question_about, question_in_repository
from tests.bench.table import Row, render_markdown
from tests.support.generated_history import GeneratedHistory

OUT = Path("build/bench.md")
MOST_PROCESSES = 10
SLOWEST = 4
"""How many of the hostile texts are listed."""
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
    with tempfile.TemporaryDirectory(prefix="provenfix-bench-") as name, send_stdout_to_stderr():
        folder = Path(name)
        try:
            question = _question(asked, folder)
        except InputError as error:
            print(error, file=sys.stderr)
            return 3
        runs = 3 if asked.quick else 7
        rows = [
            *_search(question, folder, runs),
            *([] if asked.repo else _large(folder / "large", runs, quick=asked.quick)),
            *claim_rows.rows(folder / "claims", 400 if asked.quick else 2_000, min(runs, 3)),
            *_pushes(quick=asked.quick),
            *radar_rows.rows(folder / "radar", min(runs, 3)),
            *_start_up(10),
            *_functions(folder, runs),
            *_signals(),
            _redaction(),
            *_reaction(folder, 5 if asked.quick else 20),
            *_suspects(folder, 30 if asked.quick else 200),
            *_messages(folder, 10_000 if asked.quick else 100_000),
            *([] if asked.quick else _page(folder)),
        ]
    table = f"Python {sys.version.split()[0]}, best of {runs} (worst in brackets)\n\n{render_markdown(rows)}"
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


def _question(asked: argparse.Namespace, folder: Path) -> BenchQuestion:
    if asked.repo is not None:
        return question_in_repository(asked.repo.resolve(), asked.file)
    size = ["2000", "50"] if asked.quick else ["20000", "500"]
    # In a process of its own: peak memory is inherited by whatever is started afterwards.
    command = [sys.executable, "-m", "tests.support.generated_history", str(folder / "generated.git"), *size]
    told = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return question_about(
        GeneratedHistory(**(told | {"path": Path(told["path"]), "attempts": tuple(told["attempts"])}))
    )


def _search(question: BenchQuestion, folder: Path, runs: int) -> Iterator[Row]:
    log, report, seen, blobs = (folder / name for name in ("log.txt", "report.json", "seen.json", "blobs.txt"))
    log.write_text(question.log, "utf-8")
    arguments = ["investigate", "--repo", str(question.repository), "--log", str(log), "--python", _minor()]
    arguments += ["--branch", question.head, "--format", "json", "--out", str(report)]
    subprocess.run([sys.executable, "-m", "tests.bench.census", str(seen), *arguments], check=True)
    counts = json.loads(seen.read_text("utf-8"))
    blobs.write_text("\n".join(blob for _, blob in counts["compiled"]), "ascii")
    answer = json.loads(report.read_text("utf-8"))[0]
    floor = [sys.executable, "-S", str(Path(__file__).with_name("floor.py"))]
    floor += [str(question.repository), question.file, str(blobs)]
    work_tree = clone_for_bisection(question, folder / "clone")
    rounds = [_round(question, work_tree, [_command(), *arguments], floor) for _ in range(runs)]
    ours = best_of([one.ours for one in rounds])
    yield _against_bisection(ours, [one.plain for one in rounds], "git bisect run", 10)
    yield _against_bisection(ours, [one.limited for one in rounds], "git bisect run -- file", 1)
    told = (answer["introduced"]["commit"], answer["fix"]["commit"])
    same = all(told == (each.introduced, each.fix) for one in rounds for each in (one.plain, one.limited))
    yield Row("same introduced and fix as git bisect", "yes" if same else "no", goal="yes", met=same)
    yield _against_floor(ours, best_of([one.floor for one in rounds]))
    yield from _costs(counts, ours)


@dataclass(frozen=True, slots=True)
class Round:
    """Every contestant once, one after the other, so that a busy moment of the machine strikes them all."""

    ours: Timing
    plain: BisectionResult
    limited: BisectionResult
    floor: Timing


def _round(question: BenchQuestion, work_tree: Path, ours: list[str], floor: list[str]) -> Round:
    return Round(
        ours=measure_command(ours, 1),
        plain=bisect(question, work_tree, limited=False),
        limited=bisect(question, work_tree, limited=True),
        floor=measure_command(floor, 1),
    )


def _against_bisection(ours: Timing, found: list[BisectionResult], name: str, times: int) -> Row:
    seconds = [one.seconds for one in found]
    ratio = min(seconds) / ours.best
    baseline = f"{name}: {min(seconds):.2f} s ({max(seconds):.2f}), {found[0].compiled} compilations"
    return Row("investigate, whole process", _seconds(ours), baseline, f"{ratio:.1f}", f"≥ {times}", ratio >= times)


def _against_floor(ours: Timing, floor: Timing) -> Row:
    ratio = ours.best / floor.best
    baseline = f"rev-list, cat-file, compile: {_seconds(floor)}"
    return Row("investigate, whole process", _seconds(ours), baseline, f"{ratio:.2f}", "≤ 1.3", ratio <= 1.3)


def _costs(counts: dict[str, list[Any]], ours: Timing) -> Iterator[Row]:
    compiled, processes = len(counts["compiled"]), len(counts["processes"])
    twice = compiled - len({tuple(each) for each in counts["compiled"]})
    loaded = sorted(NOT_FOR_INVESTIGATE & set(counts["modules"]))
    yield Row(
        "versions compiled", str(compiled), f"twice on the same Python: {twice}", goal="none twice", met=twice == 0
    )
    yield Row("processes started", str(processes), goal=f"≤ {MOST_PROCESSES}", met=processes <= MOST_PROCESSES)
    yield Row("peak memory", f"{ours.peak / 2**20:.0f} MB")
    yield Row("web or cloud modules loaded", ", ".join(loaded) or "none", goal="none", met=not loaded)


def _pushes(*, quick: bool) -> Iterator[Row]:
    """Requests, time and memory of the check of a push."""
    yield from push_replay.build_rows(*push_replay.play(30 if quick else 300, 0))


def _start_up(runs: int) -> Iterator[Row]:
    bare, ours = measure_command([sys.executable, "-c", "pass"], runs), measure_command([_command(), "--help"], runs)
    ratio = f"{ours.best / bare.best:.1f}"
    yield Row("provenfix --help", _ms(ours), f"python -c pass: {_ms(bare)}", ratio, "< 150 ms", ours.best < 0.150)


def _functions(folder: Path, runs: int) -> Iterator[Row]:
    from tests.bench.functions_start import rows  # noqa: PLC0415 - flask comes with it

    yield from rows(folder, runs)


def _signals() -> Iterator[Row]:
    from tests.bench.signal_speed import measure_ms_per_kb  # noqa: PLC0415 - its inputs are large: not before the timing

    for name, cost in measure_ms_per_kb()[:SLOWEST]:
        yield Row(f"signal parser, {name}", f"{cost:.4f} ms/KB")


def _redaction() -> Row:
    from tests.bench.redaction_speed import LINES, measure_seconds  # noqa: PLC0415 - not before the timing

    ours, theirs = measure_seconds()
    ratio = theirs / ours
    told = f"{LINES / ours:,.0f} lines a second"
    baseline = f"detect-secrets, the same lines: {LINES / theirs:,.0f}"
    return Row("redaction", told, baseline, f"{ratio:.1f}", "≥ 10", ratio >= 10)


def _large(folder: Path, runs: int, *, quick: bool) -> Iterator[Row]:
    from tests.bench.large_rows import rows  # noqa: PLC0415 - not before the timing

    yield from rows(folder, runs, ["2000", "50", "800", "20"] if quick else [])


def _messages(folder: Path, count: int) -> Iterator[Row]:
    from tests.bench.messages import rows  # noqa: PLC0415 - it loads the web and cloud libraries

    yield from rows(folder, count)


def _reaction(folder: Path, runs: int) -> Iterator[Row]:
    from tests.bench.reaction import rows  # noqa: PLC0415 - not before the timing

    yield from rows(folder / "reaction", runs)


def _suspects(folder: Path, count: int) -> Iterator[Row]:
    from tests.bench.suspects import rows  # noqa: PLC0415 - not before the timing

    yield from rows(folder / "suspects", count)


def _page(folder: Path) -> Iterator[Row]:
    from tests.bench.page_speed import rows  # noqa: PLC0415 - not before the timing

    yield from rows(folder / "page")


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
