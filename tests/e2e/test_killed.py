"""Kill -9 of any process of the stack, at 20 random moments: the loop closes all the same, and does everything once."""

import random
from pathlib import Path

import pytest

from shared.workflow.flow import IncidentState
from tests.support.e2e.chaos import run_chaos_stack

SEED = 61_1011
AT_ONCE = 3
ROUNDS = 4
KILLS = 20


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc to find the processes of a stack")
def test_whoever_is_killed_the_loop_closes_once(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    with run_chaos_stack(tmp_path, AT_ONCE * ROUNDS) as played:
        for first in range(0, len(played.subjects), AT_ONCE):
            played.play(played.subjects[first : first + AT_ONCE], KILLS // ROUNDS, chance)
        ended = [played.incident_of(subject) for subject in played.subjects]
        outside = [played.outside_counts(subject) for subject in played.subjects]
    assert len(played.killed) == KILLS
    assert len(set(played.killed)) > 3
    assert [case.state if case else None for case in ended] == [IncidentState.RESOLVED] * len(outside)
    assert outside == [(1, 1, 1)] * len(outside)
