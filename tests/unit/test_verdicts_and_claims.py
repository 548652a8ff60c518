"""The bounds of a verdict, and claims about one revision that conflict or do not: figures in, an answer out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.proposal.decision import Reply, answer
from shared.proposal.rollout import Claim, Revision, address, next_step
from shared.proposal.verdict import LONGEST_WATCH, TOLERATED_LOOKS, TOLERATED_PROBES, WATCH, Verdict, Watched, judge

BEGAN = datetime(2026, 4, 7, 8, 0, tzinfo=UTC)
CALM = Watched(since=BEGAN, missed=0, failed_probes=0, recurred=False, failed="", requests=1, probes=0)
SECOND = timedelta(seconds=1)
A, B = "a" * 40, "b" * 40


@pytest.mark.parametrize(
    ("against", "verdict"),
    [
        ({"failed_probes": TOLERATED_PROBES - 1}, Verdict.HOLDS),
        ({"failed_probes": TOLERATED_PROBES}, Verdict.FAILED_PROBE),
        ({"missed": TOLERATED_LOOKS - 1}, Verdict.HOLDS),
        ({"missed": TOLERATED_LOOKS}, Verdict.CHANGED),
        ({"recurred": True}, Verdict.RECURRED),
        ({"failed": "It was killed."}, Verdict.FAILED_REVISION),
        ({"recurred": True, "missed": TOLERATED_LOOKS, "failed": "x", "failed_probes": 9}, Verdict.RECURRED),
        ({"missed": TOLERATED_LOOKS, "failed": "x", "failed_probes": 9}, Verdict.CHANGED),
        ({"failed": "x", "failed_probes": 9}, Verdict.FAILED_REVISION),
    ],
)
@pytest.mark.parametrize("when", [BEGAN, BEGAN + WATCH])
def test_what_speaks_against_a_rollout_does_so_at_any_time(
    against: dict[str, object], verdict: Verdict, when: datetime
) -> None:
    assert judge(replace(CALM, **against), when) is verdict  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("traffic", "after", "verdict"),
    [
        ({"requests": 1}, WATCH - SECOND, Verdict.HOLDS),
        ({"requests": 1}, WATCH, Verdict.PROVEN),
        ({"requests": 0, "probes": 1}, WATCH, Verdict.PROVEN),
        ({"requests": 0, "probes": 0}, WATCH, Verdict.HOLDS),
        ({"requests": 0, "probes": 0}, LONGEST_WATCH - SECOND, Verdict.HOLDS),
        ({"requests": 0, "probes": 0}, LONGEST_WATCH, Verdict.INCONCLUSIVE),
    ],
)
def test_a_calm_watch_ends_with_traffic_after_a_day_and_without_any_after_a_week(
    traffic: dict[str, object], after: timedelta, verdict: Verdict
) -> None:
    assert judge(replace(CALM, **traffic), BEGAN + after) is verdict  # type: ignore[arg-type]


def _revision(*commits: str, commit: str | None = A) -> Revision:
    claims = tuple(Claim("label", each, f"place {place}") for place, each in enumerate(commits))
    return Revision("tide-1", commit, BEGAN, claims=claims)


@pytest.mark.parametrize("commits", [(), (A,), (A, A), (A, A[:7]), (A[:7], A), (A[:9], A[:7], A)])
def test_places_that_name_one_commit_do_not_conflict(commits: tuple[str, ...]) -> None:
    assert _revision(*commits).conflict == ""


@pytest.mark.parametrize("commits", [(A, B), (A, B[:7]), (A[:7], B), (A, A, B), (A, A[:7], B[:7])])
def test_the_first_place_that_names_another_commit_is_told_beside_the_best(commits: tuple[str, ...]) -> None:
    place = next(number for number, each in enumerate(commits) if each[0] == "b")
    told = _revision(*commits).conflict
    assert f"place 0 names commit {commits[0]}" in told
    assert f"place {place} names {commits[place]}." in told


@pytest.mark.parametrize("commit", [None, ""])
def test_a_revision_of_which_nobody_knows_the_commit_runs_none(commit: str | None) -> None:
    assert [_revision(commit=commit).runs(each) for each in (A, B)] == [False, False]
    assert [_revision(commit=A).runs(each) for each in (A, B)] == [True, False]


def test_a_revisions_address_keeps_scheme_path_and_query_of_what_is_probed() -> None:
    assert (
        address("wss://tide.example/ws?berth=7#x", "https://pf---tide.example/") == "wss://pf---tide.example/ws?berth=7"
    )


@pytest.mark.parametrize(("share", "step"), [(0, 10), (9, 10), (10, 50), (50, 100), (99, 100), (100, None)])
def test_the_next_share_is_the_first_larger_one(share: int, step: int | None) -> None:
    assert next_step((10, 50, 100), share) == step


def test_every_answer_has_words_and_only_these_count() -> None:
    counted = {each for each in Reply if answer(each).accepted}
    assert counted == {Reply.APPROVED, Reply.COUNTED, Reply.DENIED, Reply.ALREADY_APPROVED, Reply.ALREADY_DENIED}
    assert {each for each in Reply if not answer(each).final} == {Reply.COUNTED}
    assert all(isinstance(answer(each).accepted, bool) and answer(each).text for each in Reply)
