"""Judges a trial by what each probe saw of the serving and of the tried revision."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.proposal.rollout import ProbeOutcome, ProbeResult

CLOSE_CODE = 1011
"""The one failure that a trial is about."""
REQUIRED_ROUNDS = 3
"""So often the serving revision must fail and the tried one hold, each time: once may be chance."""
MAX_UNCLEAR_ROUNDS = 3
"""After so many rounds that say nothing of the code the trial ends."""
_OF_THE_REVISION = frozenset((ProbeOutcome.CLOSED, ProbeOutcome.PING_UNANSWERED))
"""How a probe ends that has reached the revision; the other ways may be the network's."""
_SERVER_ERROR = 500
"""The one status that is the revision's own: the platform answers 403 and 404 where an address is not open, and 503."""


@dataclass(frozen=True, slots=True)
class TrialRound:
    """The same probe of both revisions, one right after the other."""

    at: datetime
    serving: ProbeResult
    tried: ProbeResult


class TrialVerdict(StrEnum):
    RUNNING = "running"
    """Too few rounds so far, and nothing against it."""
    PROVEN = "proven"
    """The serving revision failed and the tried one held, each time."""
    NO_DIFFERENCE = "no_difference"
    """The tried revision was closed with 1011 as well."""
    REVISION_FAILS = "revision_fails"
    """The tried revision failed in another way."""
    SERVING_HOLDS = "serving_holds"
    """The serving revision did not fail: there is nothing to compare with."""
    UNCLEAR = "unclear"
    """Too many probes did not reach a revision."""


def is_closed_with_1011(result: ProbeResult) -> bool:
    """Whether the probe shows the failure that a trial is about."""
    return result.outcome is ProbeOutcome.CLOSED and result.code == CLOSE_CODE


def judge_trial(rounds: Sequence[TrialRound]) -> TrialVerdict:
    """The first round that speaks against it decides; else all of them together."""
    verdicts = [_judge_round(entry) for entry in rounds]
    against = (verdict for verdict in verdicts if verdict not in {TrialVerdict.PROVEN, TrialVerdict.UNCLEAR})
    if (objection := next(against, None)) is not None:
        return objection
    if verdicts.count(TrialVerdict.PROVEN) >= REQUIRED_ROUNDS:
        return TrialVerdict.PROVEN
    return TrialVerdict.UNCLEAR if verdicts.count(TrialVerdict.UNCLEAR) >= MAX_UNCLEAR_ROUNDS else TrialVerdict.RUNNING


def _judge_round(entry: TrialRound) -> TrialVerdict:
    if entry.serving.ok:
        return TrialVerdict.SERVING_HOLDS
    if is_closed_with_1011(entry.tried):
        return TrialVerdict.NO_DIFFERENCE
    is_own_error = entry.tried.outcome is ProbeOutcome.ANSWERED and entry.tried.code == _SERVER_ERROR
    if not entry.tried.ok and (entry.tried.outcome in _OF_THE_REVISION or is_own_error):
        return TrialVerdict.REVISION_FAILS
    return TrialVerdict.PROVEN if entry.tried.ok and is_closed_with_1011(entry.serving) else TrialVerdict.UNCLEAR
