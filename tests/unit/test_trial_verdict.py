"""The verdict on a trial: fails here and holds there, each time; whatever else was seen proves nothing."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.proposal.rollout import ProbeOutcome, ProbeResult
from shared.proposal.trial import (
    MAX_UNCLEAR_ROUNDS,
    REQUIRED_ROUNDS,
    TrialRound,
    TrialVerdict,
    is_closed_with_1011,
    judge_trial,
)

NOW = datetime(2026, 4, 7, 8, tzinfo=UTC)
HOLDS = ProbeResult(ok=True, outcome=ProbeOutcome.STAYED_OPEN)
CLOSED_1011 = ProbeResult(ok=False, outcome=ProbeOutcome.CLOSED, code=1011)
CLOSED_1002 = ProbeResult(ok=False, outcome=ProbeOutcome.CLOSED, code=1002)
REFUSED = ProbeResult(ok=False, outcome=ProbeOutcome.ANSWERED, code=403)
BLOCKED = ProbeResult(ok=False, outcome=ProbeOutcome.PING_UNANSWERED)
UNREACHABLE = ProbeResult(ok=False, outcome=ProbeOutcome.UNREACHABLE)
TIMED_OUT = ProbeResult(ok=False, outcome=ProbeOutcome.TIMED_OUT)

GOOD = (CLOSED_1011, HOLDS)
UNCLEAR = (CLOSED_1011, UNREACHABLE)


def judge(*rounds: tuple[ProbeResult, ProbeResult]) -> TrialVerdict:
    return judge_trial([TrialRound(NOW, serving, tried) for serving, tried in rounds])


def test_it_takes_every_round() -> None:
    verdicts = [judge(*[GOOD] * count) for count in range(REQUIRED_ROUNDS + 1)]
    assert verdicts == [TrialVerdict.RUNNING] * REQUIRED_ROUNDS + [TrialVerdict.PROVEN]


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        ((HOLDS, HOLDS), TrialVerdict.SERVING_HOLDS),
        ((HOLDS, CLOSED_1011), TrialVerdict.SERVING_HOLDS),
        ((CLOSED_1011, CLOSED_1011), TrialVerdict.NO_DIFFERENCE),
        ((TIMED_OUT, CLOSED_1011), TrialVerdict.NO_DIFFERENCE),
        ((CLOSED_1011, CLOSED_1002), TrialVerdict.REVISION_FAILS),
        ((CLOSED_1011, replace(REFUSED, code=500)), TrialVerdict.REVISION_FAILS),
        ((CLOSED_1011, BLOCKED), TrialVerdict.REVISION_FAILS),
    ],
)
@pytest.mark.parametrize("at", range(REQUIRED_ROUNDS))
def test_one_round_against_it_is_enough(seen: tuple[ProbeResult, ProbeResult], verdict: TrialVerdict, at: int) -> None:
    assert judge(*[GOOD] * at, seen) is verdict
    assert judge(*[GOOD] * at, seen, *[GOOD] * REQUIRED_ROUNDS) is verdict


@pytest.mark.parametrize(
    "seen",
    [
        UNCLEAR,
        (CLOSED_1011, REFUSED),
        (CLOSED_1011, TIMED_OUT),
        (CLOSED_1002, HOLDS),
        (UNREACHABLE, HOLDS),
        (BLOCKED, HOLDS),
        (REFUSED, HOLDS),
    ],
)
def test_a_round_that_says_nothing_of_the_code_counts_for_nothing(seen: tuple[ProbeResult, ProbeResult]) -> None:
    assert judge(seen, *[GOOD] * (REQUIRED_ROUNDS - 1)) is TrialVerdict.RUNNING
    assert judge(seen, *[GOOD] * REQUIRED_ROUNDS) is TrialVerdict.PROVEN
    assert judge(*[seen] * MAX_UNCLEAR_ROUNDS) is TrialVerdict.UNCLEAR


def test_only_the_close_code_1011_is_the_failure() -> None:
    shown = [CLOSED_1011, CLOSED_1002, REFUSED, BLOCKED, UNREACHABLE, TIMED_OUT, HOLDS]
    assert [result for result in shown if is_closed_with_1011(result)] == [CLOSED_1011]
