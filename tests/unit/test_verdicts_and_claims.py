"""The bounds of a verdict, and claims about one revision that conflict or do not: figures in, an answer out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.proof.model.recommendation import ActionKind
from shared.proposal.decision import ClickResult, build_answer
from shared.proposal.proposal import Proposal
from shared.proposal.rollout import (
    MAX_WATCH_DURATION,
    TOLERATED_FAILED_PROBES,
    TOLERATED_TRAFFIC_CHECKS,
    WATCH_DURATION,
    CommitClaim,
    Revision,
    RolloutVerdict,
    ServiceState,
    WatchObservations,
    build_revision_url,
    find_next_traffic_step,
    judge_rollout,
)
from shared.workflow.records.proposals import is_stale

BEGAN = datetime(2026, 4, 7, 8, 0, tzinfo=UTC)
CALM = WatchObservations(
    since=BEGAN,
    missed_traffic_checks=0,
    failed_probes=0,
    has_recurred=False,
    revision_failure="",
    request_count=1,
    successful_probes=0,
)
SECOND = timedelta(seconds=1)
A, B = "a" * 40, "b" * 40


@pytest.mark.parametrize(
    ("against", "verdict"),
    [
        ({"failed_probes": TOLERATED_FAILED_PROBES - 1}, RolloutVerdict.HOLDS),
        ({"failed_probes": TOLERATED_FAILED_PROBES}, RolloutVerdict.FAILED_PROBE),
        ({"missed_traffic_checks": TOLERATED_TRAFFIC_CHECKS - 1}, RolloutVerdict.HOLDS),
        ({"missed_traffic_checks": TOLERATED_TRAFFIC_CHECKS}, RolloutVerdict.CHANGED),
        ({"has_recurred": True}, RolloutVerdict.RECURRED),
        ({"revision_failure": "It was killed."}, RolloutVerdict.FAILED_REVISION),
        (
            {
                "has_recurred": True,
                "missed_traffic_checks": TOLERATED_TRAFFIC_CHECKS,
                "revision_failure": "x",
                "failed_probes": 9,
            },
            RolloutVerdict.RECURRED,
        ),
        (
            {"missed_traffic_checks": TOLERATED_TRAFFIC_CHECKS, "revision_failure": "x", "failed_probes": 9},
            RolloutVerdict.CHANGED,
        ),
        ({"revision_failure": "x", "failed_probes": 9}, RolloutVerdict.FAILED_REVISION),
    ],
)
@pytest.mark.parametrize("when", [BEGAN, BEGAN + WATCH_DURATION])
def test_what_speaks_against_a_rollout_does_so_at_any_time(
    against: dict[str, object], verdict: RolloutVerdict, when: datetime
) -> None:
    assert judge_rollout(replace(CALM, **against), when) is verdict  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("traffic", "after", "verdict"),
    [
        ({"request_count": 1}, WATCH_DURATION - SECOND, RolloutVerdict.HOLDS),
        ({"request_count": 1}, WATCH_DURATION, RolloutVerdict.PROVEN),
        ({"request_count": 0, "successful_probes": 1}, WATCH_DURATION, RolloutVerdict.PROVEN),
        ({"request_count": 0, "successful_probes": 0}, WATCH_DURATION, RolloutVerdict.HOLDS),
        ({"request_count": 0, "successful_probes": 0}, MAX_WATCH_DURATION - SECOND, RolloutVerdict.HOLDS),
        ({"request_count": 0, "successful_probes": 0}, MAX_WATCH_DURATION, RolloutVerdict.INCONCLUSIVE),
    ],
)
def test_calm_watch_ends_after_a_day_or_a_week_without_traffic(
    traffic: dict[str, object], after: timedelta, verdict: RolloutVerdict
) -> None:
    assert judge_rollout(replace(CALM, **traffic), BEGAN + after) is verdict  # type: ignore[arg-type]


def _revision(*commits: str, commit: str | None = A) -> Revision:
    claims = tuple(CommitClaim("label", each, f"place {place}") for place, each in enumerate(commits))
    return Revision("tide-1", commit, BEGAN, claims=claims)


@pytest.mark.parametrize("commits", [(), (A,), (A, A), (A, A[:7]), (A[:7], A), (A[:9], A[:7], A)])
def test_places_that_name_one_commit_do_not_conflict(commits: tuple[str, ...]) -> None:
    assert _revision(*commits).commit_conflict == ""


@pytest.mark.parametrize("commits", [(A, B), (A, B[:7]), (A[:7], B), (A, A, B), (A, A[:7], B[:7])])
def test_the_first_place_that_names_another_commit_is_told_beside_the_best(commits: tuple[str, ...]) -> None:
    place = next(number for number, each in enumerate(commits) if each[0] == "b")
    told = _revision(*commits).commit_conflict
    assert f"place 0 names commit {commits[0]}" in told
    assert f"place {place} names {commits[place]}." in told


@pytest.mark.parametrize("commit", [None, ""])
def test_a_revision_of_which_nobody_knows_the_commit_runs_none(commit: str | None) -> None:
    assert [_revision(commit=commit).is_built_from(each) for each in (A, B)] == [False, False]
    assert [_revision(commit=A).is_built_from(each) for each in (A, B)] == [True, False]


@pytest.mark.parametrize(
    ("commit", "is_it"), [(A[:6], False), (A[:7], True), (A[:12], True), (A, True), (A + "a", False)]
)
def test_revision_is_built_from_what_its_abbreviation_begins(commit: str, *, is_it: bool) -> None:
    assert (_revision(commit=commit).is_built_from(A), _revision(commit=commit).is_built_from(B)) == (is_it, False)


@pytest.mark.parametrize("digits", [6, 7])
def test_fewer_than_seven_digits_abbreviate_nothing(digits: int) -> None:
    assert bool(_revision(A, A[:digits]).commit_conflict) is (digits < 7)


def test_a_revisions_address_keeps_scheme_path_and_query_of_what_is_probed() -> None:
    assert (
        build_revision_url("wss://tide.example/ws?berth=7#x", "https://pf---tide.example/")
        == "wss://pf---tide.example/ws?berth=7"
    )


@pytest.mark.parametrize(("share", "step"), [(0, 10), (9, 10), (10, 50), (50, 100), (99, 100), (100, None)])
def test_the_next_share_is_the_first_larger_one(share: int, step: int | None) -> None:
    assert find_next_traffic_step((10, 50, 100), share) == step


def test_every_answer_has_words_and_only_these_count() -> None:
    counted = {each for each in ClickResult if build_answer(each).is_accepted}
    assert counted == {
        ClickResult.APPROVED,
        ClickResult.COUNTED,
        ClickResult.DENIED,
        ClickResult.QUESTION_FOLLOWS,
        ClickResult.ALREADY_APPROVED,
        ClickResult.ALREADY_DENIED,
        ClickResult.SNOOZED,
    }
    open_still = {each for each in ClickResult if not build_answer(each).is_final}
    assert open_still == {ClickResult.COUNTED, ClickResult.SNOOZED, ClickResult.QUESTION_FOLLOWS}
    assert all(isinstance(build_answer(each).is_accepted, bool) and build_answer(each).text for each in ClickResult)


@pytest.mark.parametrize(
    ("known", "serving", "stale"),
    [
        (("tide-1", "7"), ("tide-1", "7"), False),
        (("tide-1", "7"), ("tide-1", "8"), True),
        (("tide-1", "7"), ("tide-2", "7"), True),
        (("tide-1", ""), ("tide-1", "8"), False),
        (("tide-1", ""), ("tide-2", "8"), True),
    ],
)
def test_a_proposal_is_stale_where_the_service_has_changed(
    known: tuple[str, str], serving: tuple[str, str], *, stale: bool
) -> None:
    """An earlier version has stored no etag: there the revision alone tells."""
    proposal = Proposal(
        id="p", incident="i", service="s", kind=ActionKind.REDEPLOY, commit=A, deployed=B, revision=known[0], fix=A,
        python="3.11", broken=(), evidence_hash="", expires_at=BEGAN, etag=known[1],
    )  # fmt: skip
    name, etag = serving
    assert is_stale(proposal, ServiceState(Revision(name, B, BEGAN), {name: 100}, etag)) is stale
