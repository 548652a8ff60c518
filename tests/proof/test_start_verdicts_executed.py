"""Every definite verdict on a start target is what the real servers do: shown by starting generated services."""

import os
from collections import Counter
from pathlib import Path

from tests.support.generated_starts import generate_start, judge_start, run_start

STARTS = int(os.environ.get("PROVENFIX_STARTS", "60"))


def test_no_definite_verdict_on_a_start_is_wrong(tmp_path: Path) -> None:
    counts: Counter[str] = Counter()
    for seed in range(STARTS):
        start = generate_start(seed)
        verdict = judge_start(start)
        real = run_start(start, tmp_path / str(seed)) if verdict.holds is not None else None
        if real is None:
            continue
        told = (seed, verdict.reason, start.command, real.said[-500:])
        assert not (verdict.holds and real.is_missing), told
        assert verdict.holds or real.fails, told
        counts["holds" if verdict.holds else "fails"] += 1
    assert min(counts["holds"], counts["fails"]) > STARTS / 20
