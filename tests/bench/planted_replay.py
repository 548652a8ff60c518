"""`python -m tests.bench.planted_replay [COMMITS] [SEED]`: planted breaks, judged as `provenfix check --baseline` does.

Each commit of a generated history is judged against the one before. Prints the alarms of each family, the time of one
comparison, and every commit that was judged otherwise than it was made. Exits 1 where there is one.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from shared.adapters.compilers.best_compilers import LocalCompilers
from shared.adapters.git.repository import GitRepository
from tests.support.history_builder import HistoryBuilder
from tests.support.planted_breaks import build_history
from tests.support.planted_replay import Replay, replay_history


def main(arguments: Sequence[str]) -> int:
    """0 where every break is seen at its commit, and nothing else."""
    count, seed = (*map(int, arguments), *(1_000, 0)[len(arguments) :])
    replay = Replay()
    with TemporaryDirectory() as folder, LocalCompilers() as compilers:
        built = HistoryBuilder(Path(folder) / "harbor.git")
        planted = build_history(built, count, seed)
        built.write_repository()
        began = time.process_time()
        with GitRepository(str(built.path)) as history:
            for replay in replay_history(built, planted, history, compilers):
                print(f"\r{replay.commits} commits, {len(replay.wrong)} wrong", end="", flush=True)
        took = (time.process_time() - began) / max(1, replay.commits)
    shares = [f"  {family}: {number} found" for family, number in sorted(replay.alarms.items())]
    print(
        "", f"{len(planted)} planted, {took * 1000:.0f} ms of CPU time for a commit", *shares, *replay.wrong, sep="\n"
    )
    return int(bool(replay.wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
