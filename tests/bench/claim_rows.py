"""What a proof beyond syntax costs beside that of a syntax error on the same history: a folder in, rows out.

    python -m tests.bench.claim_rows [COMMITS]

The history holds one failure of each family; each has its fix six commits later. All are investigated in every round,
one after the other.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.process import Timing, best_of, measure_command
from tests.bench.table import Row, render_markdown
from tests.support.family_history import FAMILIES, FamilyHistory, write_family_history

MOST = 3


def rows(folder: Path, commits: int, runs: int) -> Iterator[Row]:
    """One row for each family beyond syntax, and one about all fixes."""
    folder.mkdir(exist_ok=True)
    history = write_family_history(folder / "harbor.git", commits)
    commands = {family: _write_question(folder, history, family) for family in FAMILIES}
    taken: dict[str, list[Timing]] = {family: [] for family in FAMILIES}
    for _ in range(runs):
        for family, command in commands.items():
            taken[family].append(measure_command(command, 1))
    syntax = best_of(taken.pop("syntax"))
    for family, timings in taken.items():
        found = best_of(timings)
        ratio = found.cpu / syntax.cpu
        yield Row(
            f"family {family}: investigate, CPU", f"{found.cpu:.2f} s of CPU, {found.peak / 2**20:.0f} MB",
            f"a syntax error: {syntax.cpu:.2f} s, {syntax.peak / 2**20:.0f} MB", f"{ratio:.2f}", f"≤ {MOST}",
            ratio <= MOST,
        )  # fmt: skip
    right = [family for family in FAMILIES if _read_fix(folder, family) == history.get_fix(family)]
    yield Row(
        "families: the right fix", f"{len(right)} of {len(FAMILIES)}", goal="all", met=len(right) == len(FAMILIES)
    )


def _read_fix(folder: Path, family: str) -> str:
    told = json.loads((folder / f"{family}.json").read_text("utf-8"))
    return str((told[0]["fix"] or {}).get("commit", "")) if told else ""


def _write_question(folder: Path, history: FamilyHistory, family: str) -> list[str]:
    """The log of one break, and the command that investigates it."""
    log = folder / f"{family}.log"
    log.write_text(history.render_log(family), "utf-8")
    command = [str(Path(sys.executable).with_name("provenfix")), "investigate", "--repo", str(history.path)]
    command += ["--log", str(log), "--deployed", history.get_deployed(family)]
    command += ["--python", f"3.{sys.version_info.minor}"]
    return [*command, "--format", "json", "--out", str(folder / f"{family}.json")]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="provenfix-bench-") as made:
        print(render_markdown(rows(Path(made), int(sys.argv[1]) if len(sys.argv) > 1 else 2_000, 2)), end="")
